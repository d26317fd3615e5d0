"""Containers as services, on a real engine: what is seen of them and who is believed to have done it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.aio.dependency import Dependencies
from autonomyd.host.containers.engine import ContainerEngine
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.host.controls.container import ASKED, ControlledContainer
from autonomyd.host.controls.protocol import ControlError, ErrorKind
from autonomyd.model.service import RunState, ServiceRun
from autonomyd.settings.container import ContainerControl
from autonomyd.settings.dependencies import DependencySettings
from tests.boxes.containers import ContainerBox, container_box

WITHIN_S = 10.0


@pytest.fixture(scope="module")
def box() -> Iterator[ContainerBox]:
    with container_box("control") as engine:
        yield engine


@pytest.fixture(autouse=True)
def empty(box: ContainerBox) -> Iterator[None]:
    yield
    box.remove_all()


@pytest.fixture
async def engine(box: ContainerBox) -> AsyncIterator[ContainerEngine]:
    clock = SystemClock()
    engines = ContainerEngines(clock, Dependencies(clock, limits_of=lambda _: DependencySettings()), lambda: box.socket)
    yield engines.of()
    await engines.close()


class Seen:
    """A control, and every run that it told of."""

    def __init__(self, engine: ContainerEngine, name: str = "web", **more: object) -> None:
        settings = ContainerControl.model_validate({"type": "container", "name": name, "stop_timeout_s": 3.0, **more})
        self.control = ControlledContainer("web", settings, engine=engine)
        self.told: list[ServiceRun] = []
        self._news = asyncio.Event()

    async def open(self) -> ServiceRun:
        return await self.control.open(self._hear)

    async def until(self, state: RunState) -> ServiceRun:
        async with asyncio.timeout(WITHIN_S):
            while self.control.observe().state is not state:
                self._news.clear()
                await self._news.wait()
        return self.control.observe()

    @property
    def states(self) -> list[RunState]:
        return [run.state for run in self.told]

    def _hear(self, run: ServiceRun) -> None:
        self.told.append(run)
        self._news.set()


async def aside(call: Callable[[], object]) -> None:
    """A person's act, by a blocking client, while the loop goes on."""
    await asyncio.to_thread(call)


@pytest.fixture
async def web(box: ContainerBox, engine: ContainerEngine) -> AsyncIterator[Seen]:
    box.make("web")
    seen = Seen(engine)
    await seen.open()
    yield seen
    await seen.control.close()


async def test_a_running_container_is_adopted_with_its_process(web: Seen, box: ContainerBox) -> None:
    run = web.control.observe()
    assert run.state is RunState.RUNNING
    assert run.pid == box.pid("web")
    assert run.started_at == pytest.approx(time.time(), abs=30)


async def test_a_killed_process_is_seen_at_once_and_is_nobodys_wish(web: Seen, box: ContainerBox) -> None:
    pid = box.pid("web")
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    run = await web.until(RunState.GONE)
    assert time.perf_counter() - began < 2.0
    assert not run.asked
    assert run.message == "exited with code 137 (killed)"
    assert RunState.UNKNOWN not in web.states


async def test_an_engines_kill_is_a_fault_too(web: Seen, box: ContainerBox) -> None:
    await aside(lambda: box.post("/containers/web/kill", signal="KILL"))
    assert not (await web.until(RunState.GONE)).asked


@pytest.mark.parametrize("command", [(), ("sh", "-c", "while true; do sleep 0.05; done")], ids=["obeys", "deaf"])
async def test_a_persons_stop_is_a_wish(box: ContainerBox, engine: ContainerEngine, command: tuple[str, ...]) -> None:
    box.make("web", *command)
    web = Seen(engine)
    await web.open()
    await aside(lambda: box.post("/containers/web/stop", t="1"))
    run = await web.until(RunState.GONE)
    assert run.asked
    assert run.message == ASKED
    assert not any(run.state is RunState.GONE and not run.asked for run in web.told)
    await aside(lambda: box.post("/containers/web/start"))
    assert not (await web.until(RunState.RUNNING)).asked


async def test_a_persons_restart_is_no_wish_to_stay_down(web: Seen, box: ContainerBox) -> None:
    before = box.pid("web")
    await aside(lambda: box.post("/containers/web/restart", t="1"))
    async with asyncio.timeout(WITHIN_S):
        while (run := web.control.observe()).pid in (None, before):
            await asyncio.sleep(0.02)
    assert run.state is RunState.RUNNING
    assert not any(run.asked and run.state is RunState.RUNNING for run in web.told)


async def test_our_own_stop_start_and_restart_are_no_wishes(web: Seen, box: ContainerBox) -> None:
    stopped = await web.control.stop()
    assert (stopped.state, stopped.asked) == (RunState.GONE, False)
    await asyncio.sleep(0.3)  # events of the stop that come late
    assert not web.control.observe().asked
    started = await web.control.start()
    assert started.pid == box.pid("web")
    assert (await web.control.start()).pid == started.pid
    again = await web.control.restart()
    assert again.state is RunState.RUNNING
    assert again.pid not in (None, started.pid)
    killed = await web.control.stop(force=True)
    assert (killed.state, killed.asked) == (RunState.GONE, False)
    assert not any(run.asked for run in web.told)


async def test_a_paused_container_is_frozen_and_can_be_ended_and_started(web: Seen, box: ContainerBox) -> None:
    await aside(lambda: box.post("/containers/web/pause"))
    assert (await web.until(RunState.FROZEN)).message == "the container is paused"
    assert (await web.control.start()).state is RunState.RUNNING
    await aside(lambda: box.post("/containers/web/pause"))
    await web.until(RunState.FROZEN)
    assert (await web.control.stop(force=True)).state is RunState.GONE
    assert (await web.control.start()).state is RunState.RUNNING


async def test_a_removed_container_is_unknown_and_a_new_one_of_its_name_is_taken(web: Seen, box: ContainerBox) -> None:
    await aside(lambda: box.ask("DELETE", "/containers/web", force="true"))
    run = await web.until(RunState.UNKNOWN)
    assert run.message == "there is no container web"
    with pytest.raises(ControlError, match="create it") as refused:
        await web.control.start()
    assert refused.value.kind is ErrorKind.OPERATOR
    await aside(lambda: box.make("web"))
    assert (await web.until(RunState.RUNNING)).pid == box.pid("web")


async def test_a_renamed_container_is_no_longer_the_service(web: Seen, box: ContainerBox) -> None:
    await aside(lambda: box.post("/containers/web/rename", name="other"))
    await web.until(RunState.UNKNOWN)
    await aside(lambda: box.post("/containers/other/rename", name="web"))
    await web.until(RunState.RUNNING)


async def test_a_container_is_found_by_its_id(box: ContainerBox, engine: ContainerEngine) -> None:
    ident = box.make("web")
    seen = Seen(engine, name=ident[:12])
    assert (await seen.open()).state is RunState.RUNNING
    os.kill(box.pid("web"), signal.SIGKILL)
    await seen.until(RunState.GONE)


async def test_an_engine_that_is_away_makes_everything_unknown_until_it_is_back(web: Seen, box: ContainerBox) -> None:
    pid = box.pid("web")
    try:
        await aside(box.halt)
        run = await web.until(RunState.UNKNOWN)
        assert "container engine" in run.message
        with pytest.raises(ControlError) as refused:
            await web.control.start()
        assert refused.value.kind is ErrorKind.TRANSIENT
    finally:
        await aside(box.start)
    assert (await web.until(RunState.RUNNING)).pid == pid
    assert RunState.GONE not in web.states


async def test_what_happened_while_the_engine_was_away_is_seen_at_its_return(web: Seen, box: ContainerBox) -> None:
    pid = box.pid("web")
    try:
        await aside(box.halt)
        await web.until(RunState.UNKNOWN)
        os.kill(pid, signal.SIGKILL)
    finally:
        await aside(box.start)
    assert not (await web.until(RunState.GONE)).asked


async def test_a_signal_lets_it_read_anew(box: ContainerBox, engine: ContainerEngine) -> None:
    box.make("web", "sh", "-c", "trap 'touch /tmp/read' HUP; while true; do sleep 0.05; done")
    web = Seen(engine, reload_signal="HUP")
    await web.open()
    assert web.control.can_reload
    run = await web.control.reload()
    assert run.state is RunState.RUNNING
    told = Path(f"/proc/{run.pid}/root/tmp/read")
    async with asyncio.timeout(WITHIN_S):
        while not told.exists():
            await asyncio.sleep(0.02)
    assert (await web.control.stop()).state is RunState.GONE


async def test_a_program_that_can_not_be_started_says_why(box: ContainerBox, engine: ContainerEngine) -> None:
    box.make("web", "/no/such/program", started=False)
    web = Seen(engine)
    assert (await web.open()).message == "the container has not been started yet"
    with pytest.raises(ControlError, match="no/such/program"):
        await web.control.start()
    assert web.control.observe().state is RunState.GONE


async def test_acts_on_one_container_follow_one_another(web: Seen) -> None:
    acts: list[Awaitable[ServiceRun]] = [web.control.restart(), web.control.stop(), web.control.start()]
    runs = await asyncio.gather(*acts)
    assert [run.state for run in runs] == [RunState.RUNNING, RunState.GONE, RunState.RUNNING]
