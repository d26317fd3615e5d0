"""The handlers: each step reaches the right hand, and is undone so that nothing is left worse than found."""

import pytest

from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.steps.custom import CallHandler
from autonomyd.execute.steps.files import RemoveFilesHandler
from autonomyd.execute.steps.probes import ProbeIntervalHandler
from autonomyd.execute.steps.services import RestartHandler, StartHandler, StopHandler
from autonomyd.model.step import (
    CallStrategy,
    RemoveFiles,
    RestartService,
    SetProbeInterval,
    StartService,
    StepResult,
    StopService,
)


class Hands:
    def __init__(self, *, running=False):
        self.did = []
        self.running = running

    def runs(self, name):
        return self.running

    async def start(self, name):
        self.did.append(("start", name))
        return f"started {name}"

    async def stop(self, name, *, force=False):
        self.did.append(("kill" if force else "stop", name))
        return f"stopped {name}"

    async def restart(self, name):
        self.did.append(("restart", name))
        return f"restarted {name}"


@pytest.mark.parametrize(
    ("handler", "step", "applied", "undone"),
    [
        (StartHandler, StartService(service="web"), ("start", "web"), None),
        (StopHandler, StopService(service="web"), ("stop", "web"), ("start", "web")),
        (StopHandler, StopService(service="web", force=True), ("kill", "web"), ("start", "web")),
        (RestartHandler, RestartService(service="web"), ("restart", "web"), ("start", "web")),
    ],
)
async def test_services(handler, step, applied, undone):
    hands = Hands()
    made = handler(hands)
    assert (await made.apply(step)).ok
    result = await made.undo(step)
    assert hands.did == [applied] + ([undone] if undone else [])
    assert (result is None) is (undone is None)


@pytest.mark.parametrize(
    ("handler", "step"), [(StopHandler, StopService(service="web")), (RestartHandler, RestartService(service="web"))]
)
async def test_what_runs_needs_no_undoing(handler, step):
    hands = Hands(running=True)
    assert await handler(hands).undo(step) is None
    assert hands.did == []


REMOVAL = RemoveFiles(root="/srv/log", files=("/srv/log/a.1", "/srv/log/a.2"), total_bytes=3_000_000)


async def test_removing_files_tells_what_was_freed_and_what_was_left():
    async def remove(root, files):
        return 2_000_000, ("/srv/log/a.2: it is open",)

    result = await RemoveFilesHandler(remove).apply(REMOVAL)
    assert result.message == "removed 1 files under /srv/log, 2.0 MB; left alone: /srv/log/a.2: it is open"
    assert result.details == {"freed_bytes": 2_000_000.0}


async def test_removing_nothing_is_a_failure():
    async def remove(root, files):
        return 0, ("/srv/log/a.1: it changed",)

    with pytest.raises(StepFailure, match="it changed"):
        await RemoveFilesHandler(remove).apply(REMOVAL)
    assert await RemoveFilesHandler(remove).undo(REMOVAL) is None


async def test_a_probe_interval_is_set_and_set_back():
    intervals = {"web.http": 10.0}

    def set_interval(name, every_s):
        if name not in intervals:
            raise KeyError(name)
        intervals[name] = every_s

    handler, step = ProbeIntervalHandler(set_interval), SetProbeInterval(probe="web.http", before_s=10.0, after_s=30.0)
    await handler.apply(step)
    assert intervals == {"web.http": 30.0}
    await handler.undo(step)
    assert intervals == {"web.http": 10.0}
    intervals.clear()
    with pytest.raises(StepFailure, match=r"web\.http is no longer there"):
        await handler.apply(step)


async def test_a_strategy_of_the_program_itself():
    async def call(name):
        return StepResult(ok=name == "good", message=f"called {name}")

    handler = CallHandler(call)
    assert (await handler.apply(CallStrategy(name="good"))).message == "called good"
    with pytest.raises(StepFailure, match="called bad"):
        await handler.apply(CallStrategy(name="bad"))
    assert await handler.undo(CallStrategy(name="good")) is None
