"""One round: makes the scratch folder's contents, starts the daemon, plays the scenarios, ends all that it started."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from random import Random

from autonomyd.control.client import ClientError
from autonomyd.drill.daemon import DaemonUnderDrill, DrillError
from autonomyd.drill.services import ServiceSpec, SmallService, make_services, quoted
from autonomyd.drill.stage import CalledOff, Stage
from autonomyd.drill.verdict import Kind, Observed, Phase, Result, Scenario
from autonomyd.drill.watch import ApiWatch, BystanderWatch

BYSTANDERS = (ServiceSpec(name="bystander-1"), ServiceSpec(name="bystander-2"))
UP_WITHIN_S = 15.0

OnResult = Callable[[Result], None]


def play_round(
    scenarios: tuple[Scenario, ...], *, scratch: Path, rng: Random, on_result: OnResult
) -> tuple[Result, ...]:
    """Play `scenarios` under one daemon in `scratch`; `on_result` hears of each as it ends. Raises DrillError when the
    daemon or the services do not even come up."""
    specs = (*BYSTANDERS, *(spec for each in scenarios for spec in each.services))
    services = make_services(specs, scratch, rng)
    daemon = DaemonUnderDrill(scratch)
    daemon.config.write_text(configuration(daemon, services, scenarios, scratch), "utf-8")
    (scratch / "logs").mkdir()
    stage = Stage(
        scratch=scratch,
        daemon=daemon,
        services=services,
        api=ApiWatch(daemon.client),
        bystanders=BystanderWatch(tuple(services[spec.name] for spec in BYSTANDERS)),
        rng=rng,
        called_off=threading.Event(),
    )
    with _ended_after(stage):
        daemon.start()
        stage.api.start()
        _until_all_are_up(stage)
        stage.bystanders.start()
        return _play_phases(stage, scenarios, on_result)


def configuration(
    daemon: DaemonUnderDrill, services: dict[str, SmallService], scenarios: tuple[Scenario, ...], scratch: Path
) -> str:
    """The daemon's configuration: its own folders, quick looks, short waits between two acts."""
    head = (
        f"[daemon]\nstate_dir = {quoted(str(daemon.state_dir))}\nsocket = {quoted(str(daemon.socket))}\n\n"
        "[intervals]\nmonitoring_s = 1.0\n\n"
        "[healing]\ncooldown = { first_s = 0.5, factor = 2.0, cap_s = 2.0 }\n\n"
    )
    cleanups = (each.cleanup(str(scratch)) for each in scenarios)
    tables = (each.toml() for each in services.values())
    return head + "\n".join(text for text in (*cleanups, *tables) if text)


@contextlib.contextmanager
def _ended_after(stage: Stage) -> Iterator[None]:
    """Whatever happens: the observers, the daemon, then every service that was started are ended."""
    try:
        yield
    finally:
        with _uninterrupted():
            stage.called_off.set()
            stage.api.stop()
            stage.bystanders.stop()
            stage.daemon.end()
            for service in stage.services.values():
                service.end()


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


def _until_all_are_up(stage: Stage) -> None:
    deadline = time.monotonic() + UP_WITHIN_S
    for name in stage.services:
        if not stage.calm(name, within_s=max(0.1, deadline - time.monotonic())):
            shown = stage.shown(name)
            raise DrillError(f"{name} did not come up: {shown.state if shown else 'unknown'}\n{stage.daemon.tail()}")


def _play_phases(stage: Stage, scenarios: tuple[Scenario, ...], on_result: OnResult) -> tuple[Result, ...]:
    results: dict[str, Result] = {}

    def take(result: Result) -> None:
        results[result.name] = result
        on_result(result)

    def one_by_one(phase: Phase) -> None:
        for each in scenarios:
            if each.phase is phase:
                take(play_one(stage, each))

    one_by_one(Phase.ALONE)
    _side_by_side(stage, tuple(each for each in scenarios if each.phase is Phase.TOGETHER), take)
    one_by_one(Phase.LAST)
    return tuple(results[each.name] for each in scenarios)


def _side_by_side(stage: Stage, scenarios: tuple[Scenario, ...], take: OnResult) -> None:
    if not scenarios:
        return
    pool = ThreadPoolExecutor(max_workers=len(scenarios), thread_name_prefix="scenario")
    try:
        left: set[Future[Result]] = {pool.submit(play_one, stage, each) for each in scenarios}
        while left:
            done, left = wait(left, return_when=FIRST_COMPLETED)
            for each in done:
                take(each.result())
    except BaseException:
        stage.called_off.set()
        stage.daemon.end()  # a request that waits for its answer ends with it
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def play_one(stage: Stage, scenario: Scenario) -> Result:
    """Play one scenario and hold against it what it did to others. Raises CalledOff."""
    names = tuple(spec.name for spec in scenario.services)
    starts = {name: len(stage.services[name].starts()) for name in names}
    began = time.monotonic()
    try:
        observed = scenario.play(stage)
    except CalledOff:
        raise
    except (ClientError, LookupError, OSError, ValueError) as error:
        observed = Observed(problems=(f"it could not be played: {error}",))
    until = time.monotonic()
    allowed = dict(scenario.allowed_starts)
    extra = sum(max(0, len(stage.services[name].starts()) - starts[name] - allowed.get(name, 0)) for name in names)
    if scenario.kind is Kind.CONTROL and names:
        extra = max(extra, len(stage.acts_on(names)))
    return Result(
        name=scenario.name,
        kind=scenario.kind,
        what=scenario.what,
        observed=replace(observed, false_acts=observed.false_acts + extra),
        collateral=stage.bystanders.harm(began, until),
        took_s=until - began,
    )
