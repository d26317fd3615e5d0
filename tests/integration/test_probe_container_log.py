"""The output of a container as a log, on a real engine."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.aio.dependency import Dependencies
from autonomyd.host import container_tail
from autonomyd.host.container_tail import ContainerTail
from autonomyd.host.containers.api import EngineApi
from autonomyd.host.containers.engines import FAMILY
from autonomyd.model.reading import ReadingState
from autonomyd.monitor import log_reader
from autonomyd.monitor.probe import Surroundings
from autonomyd.monitor.probes.log import LogOptions, LogProbe
from autonomyd.settings.container import ContainerControl
from autonomyd.settings.dependencies import DependencySettings
from autonomyd.settings.service import ServiceSettings
from tests.boxes.containers import ContainerBox, container_box

TALKS = "echo OperationalError at the start; sleep 1; while :; do echo fine; echo OperationalError >&2; sleep 0.2; done"


@pytest.fixture(scope="module")
def box() -> Iterator[ContainerBox]:
    with container_box("logs") as engine:
        yield engine
        engine.remove_all()


def probe_of(name: str, socket: str) -> LogProbe:
    clock = SystemClock()
    control = ContainerControl.model_validate({"type": "container", "name": name, "socket": socket})
    probe = LogProbe(LogOptions(type="log", container=name, patterns=("OperationalError",)), clock)
    dependencies = Dependencies(clock, limits_of=lambda _: DependencySettings())
    probe.place(Surroundings(service="web", settings=ServiceSettings(control=control), dependencies=dependencies))
    return probe


async def test_the_output_of_a_container(box: ContainerBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "ASK_EVERY_S", 0.0)
    box.make("talks", "sh", "-c", TALKS)
    probe = probe_of("talks", box.socket)
    async with asyncio.timeout(20):
        while (look := await probe.look()).state is ReadingState.OK:
            await asyncio.sleep(0.05)
    assert look.state is ReadingState.FAILED, look.message
    assert "error line" in look.message
    assert look.message.endswith("(OperationalError): OperationalError")


async def test_without_a_container_or_an_engine_nothing_is_known(box: ContainerBox) -> None:
    missing = await probe_of("none", box.socket).look()
    assert missing.state is ReadingState.UNKNOWN
    away = await probe_of("x", "/nonexistent.sock").look()
    assert away.state is ReadingState.UNKNOWN


async def test_what_a_container_said_while_nobody_read(box: ContainerBox) -> None:
    clock = SystemClock()
    dependencies = Dependencies(clock, limits_of=lambda _: DependencySettings())
    api = EngineApi(box.socket, dependencies.of(FAMILY, box.socket))
    tail = ContainerTail("goes-on", api, clock, timeout_s=10.0)
    box.make("goes-on", "sh", "-c", "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done")
    text = ""
    async with asyncio.timeout(20):
        while text.count("\n") < 3:
            text += (await tail.read()).text
            await asyncio.sleep(0.05)
        kept = json.loads(json.dumps(tail.kept()))
        await asyncio.sleep(1.2)
        again = ContainerTail("goes-on", api, clock, timeout_s=10.0)
        again.take_up(kept)
        while text.count("\n") < 20:
            text += (await again.read()).text
            await asyncio.sleep(0.05)
    numbers = [int(line.split()[1]) for line in text.splitlines()]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    again.take_up({"after": 1e15, "seen": 0})
    again.take_up({"after": "x"})
    assert again.kept()["after"] < clock.wall() + 1


def test_the_newest_of_very_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_tail, "LOOK_BYTES", 100)
    newest = container_tail._Newest(after=5.0, seen=2)
    for at in (4.0, 5.0, 5.0, 5.0, *[6.0] * 30):
        newest.add(at, "ten chars")
    assert len(newest.lines) == 10
    assert newest.skipped == 210
    assert (newest.after, newest.seen) == (6.0, 30)
