"""The drill's words: a line of progress, the table for eyes, the last lines, and the JSON document."""

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from autonomyd.drill.services import dependency
from autonomyd.drill.verdict import Kind, Result, by_name, is_late, median, score

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

PIPED_COLUMNS = 140
GOOD, BAD, DIM = "green", "red", "dim"


def seconds(value: float | None) -> str:
    """Seconds for eyes."""
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1.0 else f"{value:.1f} s"


def verdict(result: Result) -> str:
    """One or two words."""
    if result.skipped:
        return "not played"
    if not result.good:
        return "BAD"
    if result.kind is not Kind.FAULT:
        return "foretold" if result.kind is Kind.FORETOLD else "left alone"
    return "healed" if result.observed.broken_after_s is None else "broken"


def progress(result: Result) -> str:
    """The line that is shown when a scenario ends."""
    after_s = result.observed.recovered_after_s
    times = f", after {seconds(after_s)}" if after_s is not None and result.good else ""
    words = (result.skipped,) if result.skipped else complaints(result)
    return f"  {verdict(result):<10}  {result.what}{times}{''.join(f'; {each}' for each in words)}"


def complaints(result: Result) -> tuple[str, ...]:
    """Everything that is wrong with a result, in words."""
    acts = tuple(f"false act: {each}" for each in result.false_acts)
    return (*result.observed.problems, *result.collateral, *acts)


def last_lines(results: tuple[Result, ...]) -> str:
    """The score in words."""
    found = score(results)
    acts, times = f"{found.false_acts} false acts", f"MTTD median {seconds(found.mttd_s)}"
    healed = f"{found.recovered} of {found.faults} faults recovered, {acts}, {times}"
    shown = f"{found.broken} of {found.faults} faults break what they should while nobody heals"
    lines = [shown if found.broken else f"{healed}, MTTR median {seconds(found.mttr_s)}"] if found.faults else []
    if found.controls:
        lines.append(f"{found.left_alone} of {found.controls} controls left alone")
    if found.announced:
        lines.append(
            f"{found.foretold} of {found.announced} that announce themselves were foretold, or rightly explained"
        )
    if found.bystanders_harmed:
        lines.append(f"in {found.bystanders_harmed} scenarios a bystander was down or restarted")
    if found.late:
        lines.append(f"slower than its bound: {', '.join(found.late)}")
    if found.faults:
        lines.append(f"the dependency was {dependency()}")
    if found.skipped:
        lines.append(f"{found.skipped} not played: {'; '.join(sorted({each.skipped for each in results} - {''}))}")
    return "\n".join(lines)


def document(
    results: tuple[Result, ...], *, seed: int, rounds: int, took_s: float, scratch: str | None
) -> dict[str, Any]:
    """Everything, for programs. `scratch` is the folder that was kept."""
    found = score(results)
    return {
        "seed": seed,
        "rounds": rounds,
        "took_s": took_s,
        "good": found.good,
        "faults": found.faults,
        "recovered": found.recovered,
        "broken": found.broken,
        "controls": found.controls,
        "left_alone": found.left_alone,
        "announced": found.announced,
        "foretold": found.foretold,
        "skipped": found.skipped,
        "false_acts": found.false_acts,
        "bystanders_harmed": found.bystanders_harmed,
        "mttd_median_s": found.mttd_s,
        "mttr_median_s": found.mttr_s,
        "late": list(found.late),
        "dependency": dependency(),
        "scratch": scratch,
        "scenarios": [_row(each) for each in results],
    }


def _row(result: Result) -> dict[str, Any]:
    observed = result.observed
    return {
        "name": result.name,
        "kind": result.kind.value,
        "what": result.what,
        "good": result.good,
        "bound_s": result.bound_s,
        "broken_after_s": observed.broken_after_s,
        "detected_after_s": observed.detected_after_s,
        "recovered_after_s": observed.recovered_after_s,
        "starts": dict(result.starts),
        "false_acts": list(result.false_acts),
        "collateral": list(result.collateral),
        "problems": list(observed.problems),
        "skipped": result.skipped,
        "note": observed.note,
        "took_s": result.took_s,
        "log": result.log,
    }


def show(results: tuple[Result, ...]) -> None:
    """Print the table (of the controls, only those that were not left alone) and the last lines."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    columns = os.environ.get("COLUMNS", "")
    console = Console(
        file=sys.stdout,
        width=None if terminal else (int(columns) if columns.isdigit() else PIPED_COLUMNS),
        markup=False,
        emoji=False,
        highlight=False,
        no_color=bool(os.environ.get("NO_COLOR")) or not terminal,
        force_terminal=terminal,
    )
    with console.capture() as capture:
        console.print(_table(results))
    lines = capture.get().splitlines()
    click.echo("\n".join(lines if terminal else [line.rstrip() for line in lines]))
    click.echo(f"\n{last_lines(results)}")


def _table(results: tuple[Result, ...]) -> "Table":
    from rich.table import Table

    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=DIM)
    made.add_column("what was done", no_wrap=True)
    for name in ("detected", "recovered", "bound", "starts"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("verdict", no_wrap=True)
    made.add_column("", overflow="fold", style=DIM)
    for group in by_name(results):
        if group[0].kind is not Kind.CONTROL or not all(each.good and not each.skipped for each in group):
            made.add_row(*_cells(group))
    return made


def _cells(group: list[Result]) -> "tuple[str | Text, ...]":
    from rich.text import Text

    good = all(each.good for each in group)
    shown = next((each for each in group if not each.good), group[0])
    words = verdict(shown) if len(group) == 1 else f"{verdict(shown)} {sum(each.good for each in group)}/{len(group)}"
    return (
        shown.what,
        seconds(median(each.observed.detected_after_s for each in group)),
        Text(seconds(median(each.observed.recovered_after_s for each in group)), style=BAD if is_late(group) else ""),
        "" if shown.bound_s is None else f"{shown.bound_s:g} s",
        str(max(sum(each.starts.values()) for each in group) or ""),
        Text(words, style=DIM if shown.skipped else GOOD if good else BAD),
        shown.skipped or (shown.observed.note if good else "; ".join(complaints(shown))),
    )
