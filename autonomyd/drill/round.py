"""One round: every scenario on a stage of its own, some side by side, each watched from outside."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from autonomyd.control.client import ClientError
from autonomyd.drill.daemon import DrillError
from autonomyd.drill.services import PORTS
from autonomyd.drill.stage import CalledOff, Stage, set_stage
from autonomyd.drill.verdict import BYSTANDERS, Kind, Observed, Play, Result, Scenario

PORTS_EACH = 60
"""Stages that stand side by side must not take one another's ports."""

OnResult = Callable[[Result], None]


@dataclass(slots=True, kw_only=True)
class Round:
    """Plays scenarios, at most `jobs` at a time. `unhealed`: healing is paused, and each fault has to show itself (what
    cannot be played so is left out)."""

    scratch: Path
    seed: int
    jobs: int
    unhealed: bool = False
    _called_off: threading.Event = field(default_factory=threading.Event)
    _standing: list[Stage] = field(default_factory=list)

    def play(self, scenarios: tuple[Scenario, ...], on_result: OnResult) -> tuple[Result, ...]:
        """All results, in the order of `scenarios`; `on_result` hears of each as it ends."""
        self.scratch.mkdir()
        pool = ThreadPoolExecutor(max_workers=self.jobs, thread_name_prefix="scenario")
        try:
            wanted = [each for each in scenarios if each.unhealed or not self.unhealed]
            asked = [pool.submit(self._play_one, number, each) for number, each in enumerate(wanted)]
            left: set[Future[Result]] = set(asked)
            while left:
                done, left = wait(left, return_when=FIRST_COMPLETED)
                for each in done:
                    on_result(each.result())
            return tuple(each.result() for each in asked)
        finally:
            with _uninterrupted():
                self._called_off.set()
                for stage in tuple(self._standing):
                    stage.daemon.end()  # a request that waits for its answer ends with it
                pool.shutdown(wait=True, cancel_futures=True)

    def _play_one(self, number: int, scenario: Scenario) -> Result:
        play = scenario.unhealed if self.unhealed else scenario.play
        skipped = scenario.why_not()
        if skipped or play is None:
            return Result(
                name=scenario.name, kind=scenario.kind, what=scenario.what, observed=Observed(), skipped=skipped
            )
        first = PORTS.start + number * PORTS_EACH % (len(PORTS) - PORTS_EACH)
        began = time.monotonic()
        try:
            with set_stage(
                scenario,
                self.scratch / scenario.name,
                Random(f"{self.seed} {scenario.name}"),
                # beside the folder of the round: a path that is longer than about 100 bytes is no socket
                socket=self.scratch.with_name(f"{self.scratch.name}-{number}.sock"),
                ports=range(first, first + PORTS_EACH),
                called_off=self._called_off,
            ) as stage:
                self._standing.append(stage)
                try:
                    return play_on(stage, scenario, play)
                finally:
                    self._standing.remove(stage)
        except (DrillError, OSError, LookupError) as error:
            words, _, more = str(error).partition("\n")
            return Result(
                name=scenario.name,
                kind=scenario.kind,
                what=scenario.what,
                observed=Observed(problems=(f"its stage could not be set: {words}",)),
                took_s=time.monotonic() - began,
                log=more,
            )


def play_on(stage: Stage, scenario: Scenario, play: Play) -> Result:
    """Play one scenario and hold against it what it did to others. Raises CalledOff."""
    before = {name: len(each.starts()) for name, each in stage.services.items()}
    began = time.monotonic()
    false_acts: tuple[str, ...] = ()
    try:
        observed = play(stage)
        until = time.monotonic()
        false_acts = _false_acts(stage, scenario, before)
    except CalledOff:
        raise
    except (ClientError, DrillError, LookupError, OSError, ValueError) as error:
        until = time.monotonic()
        observed = Observed(problems=(f"it could not be played: {error}",))
    collateral = stage.bystanders.harm(began, until)
    bad = bool(observed.problems or false_acts or collateral)
    return Result(
        name=scenario.name,
        kind=scenario.kind,
        what=scenario.what,
        observed=observed,
        bound_s=scenario.bound_s,
        starts={name: more for name, count in before.items() if (more := _starts(stage, name) - count)},
        false_acts=false_acts,
        collateral=collateral,
        took_s=until - began,
        log=stage.daemon.tail() if bad else "",
    )


def _starts(stage: Stage, name: str) -> int:
    return len(stage.services[name].starts())


def _false_acts(stage: Stage, scenario: Scenario, before: dict[str, int]) -> tuple[str, ...]:
    """Starts that nothing gave reason for; in a control every act of the daemon's own, in a fault every one on those
    that nobody touches. Raises ClientError."""
    innocent = tuple(stage.services) if scenario.kind is Kind.CONTROL else tuple(spec.name for spec in BYSTANDERS)
    acts = stage.acts_on(innocent)
    for name, count in before.items():
        extra = _starts(stage, name) - count - scenario.starts.get(name, 0)
        if extra > 0 and not any(each.endswith(f" {name}") for each in acts):
            acts += (f"{extra} {'start' if extra == 1 else 'starts'} of {name} too many",)
    return acts


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not leave processes behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
