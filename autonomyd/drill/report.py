"""The drill's words: a line of progress, the table for eyes, the last line, and the JSON document."""

import os
import statistics
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from autonomyd.drill.verdict import Kind, Result, score

if TYPE_CHECKING:
    from rich.table import Table

PIPED_COLUMNS = 140
GOOD, BAD, DIM = "green", "red", "dim"


def seconds(value: float | None) -> str:
    """Seconds for eyes."""
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1.0 else f"{value:.1f} s"


def verdict(result: Result) -> str:
    """One or two words."""
    if not result.good:
        return "BAD"
    return "healed" if result.kind is Kind.FAULT else "left alone"


def progress(result: Result) -> str:
    """The line that is shown when a scenario ends."""
    times = f", after {seconds(result.observed.recovered_after_s)}" if result.kind is Kind.FAULT and result.good else ""
    return f"  {verdict(result):<10}  {result.what}{times}{''.join(f'; {each}' for each in complaints(result))}"


def complaints(result: Result) -> tuple[str, ...]:
    """Everything that is wrong with a result, in words."""
    acts = result.observed.false_acts
    return (
        *result.observed.problems,
        *result.collateral,
        *((f"{acts} false {'act' if acts == 1 else 'acts'}",) if acts else ()),
    )


def last_line(results: tuple[Result, ...]) -> str:
    found = score(results)
    return (
        f"{found.recovered} of {found.faults} faults recovered, {found.false_acts} false acts, "
        f"MTTD median {seconds(found.mttd_s)}, MTTR median {seconds(found.mttr_s)}"
    )


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
        "controls": found.controls,
        "false_acts": found.false_acts,
        "mttd_median_s": found.mttd_s,
        "mttr_median_s": found.mttr_s,
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
        "detected_after_s": observed.detected_after_s,
        "recovered_after_s": observed.recovered_after_s,
        "false_acts": observed.false_acts,
        "collateral": list(result.collateral),
        "problems": list(observed.problems),
        "note": observed.note,
        "took_s": result.took_s,
    }


def show(results: tuple[Result, ...]) -> None:
    """Print the table and the last line."""
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
    click.echo(f"\n{last_line(results)}")


def _table(results: tuple[Result, ...]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style=DIM)
    made.add_column("what was done", no_wrap=True)
    for name in ("detected after", "recovered after"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("collateral", no_wrap=True)
    made.add_column("verdict", no_wrap=True)
    made.add_column("", overflow="fold", style=DIM)
    for group in _by_name(results):
        first, good = group[0], all(each.good for each in group)
        bad = next((each for each in group if not each.good), first)
        words = verdict(bad) if len(group) == 1 else f"{verdict(bad)} {sum(each.good for each in group)}/{len(group)}"
        made.add_row(
            first.what,
            seconds(_median(each.observed.detected_after_s for each in group)),
            seconds(_median(each.observed.recovered_after_s for each in group)),
            Text("; ".join(bad.collateral) or "none", style=BAD if bad.collateral else ""),
            Text(words, style=GOOD if good else BAD),
            bad.observed.note if good else "; ".join(complaints(bad)),
        )
    return made


def _by_name(results: tuple[Result, ...]) -> list[list[Result]]:
    groups: dict[str, list[Result]] = {}
    for each in results:
        groups.setdefault(each.name, []).append(each)
    return list(groups.values())


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
