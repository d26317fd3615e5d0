"""`autonomyd drill`: the command line of the drill."""

import contextlib
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click

from autonomyd.drill.report import document, progress, show
from autonomyd.drill.round import Round
from autonomyd.drill.scenarios import SCENARIOS
from autonomyd.drill.verdict import Result, Scenario, score

OK = 0
NOT_GOOD = 1
SEEDS = 1_000_000
JOBS = 3
"""They wait most of the time: so many side by side do not yet disturb one another on two cores."""


@click.command("drill")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
@click.option("--keep", is_flag=True, help="Keep the scratch folder: configuration, log and state of the daemon.")
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only this scenario; may be given again.")
@click.option("--list", "list_them", is_flag=True, help="Name the scenarios and end.")
@click.option("--repeat", type=click.IntRange(1, 1000), default=1, show_default=True, help="Play all of it N times.")
@click.option(
    "--jobs", type=click.IntRange(1, 16), default=JOBS, show_default=True, help="Stages side by side; 1: exact."
)
@click.option("--unhealed", is_flag=True, help="Pause healing first: show that each fault is one.")
@click.option("--seed", type=int, default=None, help="Makes ports and short waits the same again.")
@click.pass_context
def drill(
    ctx: click.Context,
    *,
    as_json: bool,
    keep: bool,
    names: tuple[str, ...],
    list_them: bool,
    repeat: int,
    jobs: int,
    unhealed: bool,
    seed: int | None,
) -> None:
    """Break small services on purpose, under a real daemon in a scratch folder, and show how each is healed.

    Nothing outside the scratch folder is touched. Ends with 0 when every fault was healed and every control left
    alone, with 1 otherwise. Each scenario has a daemon and services of its own. How long healing may take is shown
    beside how long it took, and does not decide.
    """
    if list_them:
        for each in SCENARIOS:
            click.echo(f"{each.name:<22} {each.kind.value:<8} {each.what}")
        return
    scenarios = chosen(names)
    seed = random.randrange(SEEDS) if seed is None else seed
    began = time.monotonic()
    results: list[Result] = []
    with _scratch(keep=keep) as scratch, _ended_by_sigterm():
        for number in range(repeat):
            _say(f"drill {number + 1} of {repeat}: {len(scenarios)} scenarios (seed {seed + number})")
            turn = Round(scratch=scratch / f"{number + 1}", seed=seed + number, jobs=jobs, unhealed=unhealed)
            results += turn.play(scenarios, lambda each: _say(progress(each)))
    took_s = time.monotonic() - began
    found = tuple(results)
    if as_json:
        kept = str(scratch) if keep else None
        click.echo(json.dumps(document(found, seed=seed, rounds=repeat, took_s=took_s, scratch=kept), indent=2))
    else:
        show(found)
    ctx.exit(OK if score(found).good else NOT_GOOD)


def chosen(names: tuple[str, ...]) -> tuple[Scenario, ...]:
    """The scenarios of these names, all without any. Raises click.BadParameter."""
    known = {each.name: each for each in SCENARIOS}
    wrong = [name for name in names if name not in known]
    if wrong:
        raise click.BadParameter(
            f"there is no scenario {wrong[0]!r}; there are: {', '.join(known)}", param_hint="--only"
        )
    return tuple(each for each in SCENARIOS if not names or each.name in names)


@contextlib.contextmanager
def _scratch(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="autonomyd-drill-"))
    try:
        yield folder
    finally:
        if keep:
            click.echo(f"kept: {folder}", err=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the drill as Ctrl-C does: everything that it started is ended first."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(line: str) -> None:
    """Progress is for a person who waits."""
    if sys.stderr.isatty():
        click.echo(line, err=True)
