"""Checks, logs, recreation and pruning of containers on a real engine."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.aio.dependency import Dependencies
from autonomyd.host.containers import recreate as recreation
from autonomyd.host.containers.api import EngineApi, EngineFailure, EngineRefusal
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.host.containers.logs import LINE_BYTES, log_lines
from autonomyd.host.containers.prune import data_folder, remove_containers, remove_images, unused
from autonomyd.host.containers.recreate import ASIDE, DRAFT, MADE_FROM, Recreation
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probe import Surroundings
from autonomyd.monitor.probes.container import ContainerOptions, ContainerProbe
from autonomyd.settings.dependencies import DependencySettings
from autonomyd.settings.service import ServiceSettings
from tests.boxes.containers import FOREVER, ContainerBox, container_box

HOUR_S = 3600.0


@pytest.fixture(scope="module")
def box() -> Iterator[ContainerBox]:
    with container_box("parts") as engine:
        yield engine


@pytest.fixture(autouse=True)
def empty(box: ContainerBox) -> Iterator[None]:
    yield
    box.remove_all()


@pytest.fixture
async def around(box: ContainerBox) -> AsyncIterator[Surroundings]:
    clock = SystemClock()
    outside = Dependencies(clock, limits_of=lambda _: DependencySettings())
    engines = ContainerEngines(clock, outside, lambda: box.socket)
    settings = ServiceSettings.model_validate({"control": {"type": "container", "name": "web"}})
    yield Surroundings(service="web", settings=settings, dependencies=outside, containers=engines)
    await engines.close()


@pytest.fixture
def api(around: Surroundings) -> EngineApi:
    assert around.containers is not None
    return around.containers.of().api


# --- the check -------------------------------------------------------------------------------------------------------


def check(around: Surroundings, **options: Any) -> ContainerProbe:
    probe = ContainerProbe(ContainerOptions(type="container", **options), SystemClock())
    probe.place(around)
    return probe


async def test_a_running_container_passes_with_figures(box: ContainerBox, around: Surroundings) -> None:
    box.make("web", "sh", "-c", "while true; do :; done", host={"Memory": 64_000_000})
    probe = check(around)
    first = await probe.look()
    assert (first.state, first.message) == (ReadingState.OK, "it runs")
    assert "cpu_percent" not in first.values
    await asyncio.sleep(0.3)
    second = await probe.look()
    assert second.values["cpu_percent"] > 5.0
    assert 0.0 < second.values["memory_mb"] < 64.0
    assert second.values["memory_percent"] == pytest.approx(second.values["memory_mb"] / 64.0 * 100.0)
    assert second.values["restarts"] == 0.0
    assert not probe.dependency


async def test_what_ended_was_paused_or_is_not_there_fails(box: ContainerBox, around: Surroundings) -> None:
    assert (await check(around).look()).message == "there is no container web"
    box.make("web")
    box.post("/containers/web/pause")
    assert (await check(around).look()).message == "the container is paused"
    box.post("/containers/web/unpause")
    os.kill(box.pid("web"), signal.SIGKILL)
    async with asyncio.timeout(10):
        while (look := await check(around).look()).state is not ReadingState.FAILED:
            await asyncio.sleep(0.02)
    assert "exited with code 137" in look.message


async def test_another_container_than_its_own_is_a_dependency(box: ContainerBox, around: Surroundings) -> None:
    box.make("store")
    probe = check(around, container="store")
    assert probe.dependency
    assert (await probe.look()).state is ReadingState.OK


async def test_an_unhealthy_container_fails_until_it_is_healthy(box: ContainerBox, around: Surroundings) -> None:
    test = {"Test": ["CMD-SHELL", "test -e /tmp/well || { echo not well; false; }"], "Retries": 1}
    box.make("web", Healthcheck={**test, "Interval": 3600 * 10**9})
    probe = check(around)
    box.health("web")
    look = await probe.look()
    assert (look.state, look.message) == (ReadingState.FAILED, "its own health check fails: not well")
    open(f"/proc/{box.pid('web')}/root/tmp/well", "w").close()
    box.health("web")
    assert (await probe.look()).message == "it runs and is healthy"


async def test_a_restart_loop_of_the_engine_fails(box: ContainerBox, around: Surroundings) -> None:
    probe = check(around, restarts=2, within_s=60.0)
    box.make("web", "sh", "-c", "sleep 0.3; exit 4", host={"RestartPolicy": {"Name": "always"}})
    said: list[str] = []
    async with asyncio.timeout(20):
        while not any("restarted it 2 times" in each for each in said):
            said.append((await probe.look()).message)
            await asyncio.sleep(0.05)


async def test_an_engine_that_does_not_answer_is_unknown(box: ContainerBox, around: Surroundings) -> None:
    box.make("web")
    probe = check(around)
    try:
        await asyncio.to_thread(box.halt)
        for _ in range(5):  # more than open the breaker
            look = await probe.look()
            assert look.state is ReadingState.UNKNOWN
            assert "container engine" in look.message
    finally:
        await asyncio.to_thread(box.start)
    assert (await probe.look()).state is ReadingState.OK


async def test_out_of_memory_is_told(box: ContainerBox, around: Surroundings) -> None:
    hog = "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done"
    box.make("web", "sh", "-c", hog, host={"Memory": 20_000_000, "MemorySwap": 20_000_000})
    async with asyncio.timeout(20):
        while box.state("web")["Status"] != "exited":
            await asyncio.sleep(0.05)
    look = await check(around).look()
    assert look.state is ReadingState.FAILED
    assert "exited with code 137" in look.message or "for want of memory" in look.message


# --- logs ------------------------------------------------------------------------------------------------------------


async def test_lines_of_both_streams_with_their_times(box: ContainerBox, api: EngineApi) -> None:
    box.make("web", "sh", "-c", "echo one; echo two >&2; printf 'no end'; sleep 1000")
    async with asyncio.timeout(10):
        while len(found := [line async for line in log_lines(api, "web", follow=False)]) < 3:
            await asyncio.sleep(0.05)
    assert [(line.text, line.error) for line in found if line.error] == [("two", True)]
    assert [line.text for line in found if not line.error] == ["one", "no end"]
    assert all(line.at == pytest.approx(time.time(), abs=30) for line in found)


async def test_followed_lines_come_as_they_are_written(box: ContainerBox, api: EngineApi) -> None:
    box.make("web", "sh", "-c", "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.05; done")
    seen: list[str] = []
    async with asyncio.timeout(10):
        async for line in log_lines(api, "web", since=time.time() - 5):
            seen.append(line.text)
            if len(seen) == 5:
                break
    assert seen == [f"line {number}" for number in range(1, 6)]


async def test_a_long_line_is_cut(box: ContainerBox, api: EngineApi) -> None:
    box.make("web", "sh", "-c", "x=0123456789; x=$x$x$x$x$x$x$x$x$x$x; i=0; while [ $i -lt 300 ]; do printf $x; "
             "i=$((i+1)); done; echo; echo after; sleep 1000")  # fmt: skip
    async with asyncio.timeout(10):
        while len(found := [line async for line in log_lines(api, "web", follow=False)]) < 2:
            await asyncio.sleep(0.05)
    assert LINE_BYTES - 100 < len(found[0].text) <= LINE_BYTES
    assert found[-1].text == "after"


async def test_the_end_of_the_container_is_the_end_of_its_lines(box: ContainerBox, api: EngineApi) -> None:
    box.make("web", "sh", "-c", "echo last")
    async with asyncio.timeout(10):
        assert [line.text async for line in log_lines(api, "web")] == ["last"]
    with pytest.raises(EngineRefusal) as refused:
        _ = [line async for line in log_lines(api, "nobody")]
    assert refused.value.status == 404


# --- recreation ------------------------------------------------------------------------------------------------------


def make_rich(box: ContainerBox) -> str:
    """A container with much that a new one must have too."""
    return box.make(
        "web",
        *FOREVER,
        Env=["COLOUR=blue"],
        Labels={"made.by": "a person"},
        WorkingDir="/tmp",
        Volumes={"/data": {}},
        StopTimeout=3,
        host={"Memory": 64_000_000, "Binds": ["/var/tmp:/outside:ro"], "RestartPolicy": {"Name": "on-failure"}},
    )


def described(box: ContainerBox, name: str = "web") -> Any:
    return box.ask("GET", f"/containers/{name}/json")[1]


async def test_a_new_container_is_like_the_old_one_and_takes_its_place(box: ContainerBox, api: EngineApi) -> None:
    ident = make_rich(box)
    before = described(box)
    open(f"/proc/{box.pid('web')}/root/data/kept", "w").close()
    making = Recreation(api, "web", stop_timeout_s=3.0)
    await making.make_anew()
    after = described(box)
    assert after["Id"] != ident
    assert after["State"]["Status"] == "running"
    assert os.path.exists(f"/proc/{box.pid('web')}/root/data/kept")
    assert os.path.isdir(f"/proc/{box.pid('web')}/root/outside")
    assert after["Config"]["Labels"] == {"made.by": "a person", MADE_FROM: ident}
    assert sorted(after["Config"]["Env"]) == sorted(before["Config"]["Env"])
    for key in ("Cmd", "WorkingDir", "Image", "StopTimeout"):
        assert after["Config"][key] == before["Config"][key], key
    assert after["HostConfig"]["Memory"] == 64_000_000
    assert after["HostConfig"]["RestartPolicy"]["Name"] == "on-failure"
    for key in ("NetworkMode", "PidsLimit", "MemorySwappiness", "Ulimits", "LogConfig"):
        assert after["HostConfig"][key] == before["HostConfig"][key], key
    assert box.state("web" + ASIDE)["Status"] == "exited"
    assert box.names() == {"web", "web" + ASIDE}
    assert await making.keep() == f"removed the container web{ASIDE}"
    assert box.names() == {"web"}
    assert await making.keep() is None


async def test_the_old_one_comes_back(box: ContainerBox, api: EngineApi) -> None:
    ident = make_rich(box)
    making = Recreation(api, "web", stop_timeout_s=3.0)
    await making.make_anew()
    assert "from before again" in (await making.take_back() or "")
    assert described(box)["Id"] == ident
    assert box.state("web")["Status"] == "running"
    assert box.names() == {"web"}
    assert await making.take_back() is None


async def test_it_can_be_made_anew_again_and_again(box: ContainerBox, api: EngineApi) -> None:
    make_rich(box)
    making = Recreation(api, "web", stop_timeout_s=3.0)
    await making.make_anew()
    await making.make_anew()  # the daemon ended between the end of the fix and the removal
    assert box.names() == {"web", "web" + ASIDE}
    assert box.state("web")["Status"] == "running"


class Crash(Exception):  # noqa: N818 - it is none of the program
    """The daemon is gone."""


class Crashing(EngineApi):
    """Lets so many acts through, and no more."""

    def __init__(self, api: EngineApi, acts: int) -> None:
        self._inner = api
        self._left = acts

    async def ask(self, method: str, path: str, **what: Any) -> Any:
        if method != "GET":
            self._left -= 1
            if self._left < 0:
                raise Crash
        return await self._inner.ask(method, path, **what)


@pytest.mark.parametrize("acts", range(5))
async def test_after_a_crash_at_any_act_the_old_one_runs_again(box: ContainerBox, api: EngineApi, acts: int) -> None:
    ident = make_rich(box)
    with pytest.raises(Crash):
        await Recreation(Crashing(api, acts), "web", stop_timeout_s=3.0).make_anew()
    await Recreation(api, "web", stop_timeout_s=3.0).take_back()
    assert described(box)["Id"] == ident
    assert box.state("web")["Status"] == "running"
    assert box.names() == {"web"}


@pytest.mark.parametrize("acts", range(3))
async def test_a_crash_while_it_is_taken_back_is_survived_too(box: ContainerBox, api: EngineApi, acts: int) -> None:
    ident = make_rich(box)
    await Recreation(api, "web", stop_timeout_s=3.0).make_anew()
    with pytest.raises(Crash):
        await Recreation(Crashing(api, acts), "web", stop_timeout_s=3.0).take_back()
    await Recreation(api, "web", stop_timeout_s=3.0).take_back()
    assert described(box)["Id"] == ident
    assert box.state("web")["Status"] == "running"
    assert box.names() == {"web"}


async def test_a_container_of_somebody_else_is_never_removed(box: ContainerBox, api: EngineApi) -> None:
    make_rich(box)
    making = Recreation(api, "web", stop_timeout_s=3.0)
    await making.make_anew()
    box.ask("DELETE", "/containers/web", force="true")
    other = box.make("web")
    with pytest.raises(EngineFailure, match="another container by now"):
        await making.take_back()
    assert described(box)["Id"] == other
    box.make("web" + DRAFT, started=False)
    with pytest.raises(EngineFailure):
        await making.take_back()
    assert "web" + DRAFT in box.names()


async def test_what_can_not_be_taken_back_or_made_is_not_begun(box: ContainerBox, api: EngineApi) -> None:
    box.make("fleeting", host={"AutoRemove": True})
    with pytest.raises(EngineFailure, match="--rm"):
        await Recreation(api, "fleeting", stop_timeout_s=1.0).make_anew()
    assert box.state("fleeting")["Status"] == "running"
    with pytest.raises(EngineRefusal, match="no container"):
        await Recreation(api, "nobody", stop_timeout_s=1.0).make_anew()
    assert recreation.DRAFT not in "".join(box.names())


# --- pruning ---------------------------------------------------------------------------------------------------------


async def test_only_what_ended_long_ago_and_is_nobodys_goes(box: ContainerBox, api: EngineApi) -> None:
    ended = box.make("ended", "sh", "-c", "exit 3")
    box.make("kept", "sh", "-c", "exit 3")
    box.make("runs")
    box.make("never-started", started=False)
    box.make("web" + ASIDE, "sh", "-c", "exit 3")
    async with asyncio.timeout(10):
        while {box.state(name)["Status"] for name in ("ended", "kept", "web" + ASIDE)} != {"exited"}:
            await asyncio.sleep(0.05)
    recent = await unused(api, before=time.time() - HOUR_S, images="unused", keep=frozenset({"kept"}))
    assert (dict(recent.containers), dict(recent.images)) == ({}, {})
    found = await unused(api, before=time.time() + HOUR_S, images="unused", keep=frozenset({"kept"}))
    assert dict(found.containers) == {ended: "container ended (exited with code 3)"}
    assert dict(found.images) == {}  # all the others are made from it
    box.post("/containers/ended/rename", name="renamed")
    assert await remove_containers(api, tuple(found.containers)) == (1, ())
    assert box.names() == {"kept", "runs", "never-started", "web" + ASIDE}


async def test_what_runs_again_stays(box: ContainerBox, api: EngineApi) -> None:
    ident = box.make("web")
    gone, kept = await remove_containers(api, (ident, "0" * 64))
    assert gone == 0
    assert kept[0] == f"{ident[:12]}: it runs again"
    assert len(kept) == 2
    assert box.state("web")["Status"] == "running"


async def test_an_image_without_a_container_goes_and_one_in_use_stays(box: ContainerBox, api: EngineApi) -> None:
    box.make("web")
    made = box.post("/commit", {}, container="web")
    ident = str(made["Id"]).removeprefix("sha256:")
    found = await unused(api, before=time.time() + HOUR_S, images="dangling", keep=frozenset())
    assert [each.removeprefix("sha256:") for each in found.images] == [ident]
    assert found.bytes > 0
    assert (await unused(api, before=time.time() + HOUR_S, images="none", keep=frozenset())).images == {}
    assert await remove_images(api, tuple(found.images)) == (1, ())
    in_use = described(box)["Image"]
    gone, kept = await remove_images(api, (in_use,))
    assert (gone, len(kept)) == (0, 1)


async def test_the_engine_tells_where_its_data_is(box: ContainerBox, api: EngineApi) -> None:
    assert os.path.isdir(await data_folder(api))
