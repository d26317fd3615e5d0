"""The machine that runs the tests, looked at for real."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.host import machine, machine_psutil
from autonomyd.host.machine import METRICS, HostCollector
from autonomyd.host.machine_linux import CounterSource
from autonomyd.host.mounts import Mount, MountTable
from autonomyd.model.subject import HOST, Subject


class HandClock:
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def collector(clock: HandClock) -> Iterator[HostCollector]:
    made = HostCollector(clock)
    yield made
    made.close()


def test_the_first_look_has_values_and_no_rates(collector: HostCollector) -> None:
    facts = collector.collect()
    assert facts.at == 100.0
    assert facts.values[HOST]["memory.percent"] > 0
    assert not [name for name in facts.values[HOST] if name.startswith(("cpu.", "network.", "disk."))]


def test_the_second_look_has_rates_and_only_known_metrics(collector: HostCollector, clock: HandClock) -> None:
    collector.collect()
    clock.now += 10.0
    deadline = time.monotonic() + 5
    facts = collector.collect()
    while "cpu.percent" not in facts.values[HOST] and time.monotonic() < deadline:
        clock.now += 10.0
        facts = collector.collect()
    assert 0 <= facts.values[HOST]["cpu.percent"] <= 100
    assert facts.values[Subject("disk:/")]["disk.free_mb"] > 0
    known = {spec.name for spec in METRICS}
    assert {name for values in facts.values.values() for name in values} <= known


def test_two_looks_at_once_give_no_rates(collector: HostCollector) -> None:
    collector.collect()
    assert "cpu.percent" not in collector.collect().values[HOST]


def test_what_this_machine_does_not_have_is_named_once(clock: HandClock, tmp_path: Path) -> None:
    unknown: list[str] = []
    source = CounterSource()
    assert source._text(str(tmp_path / "pressure"), unknown) == b""
    source.close()
    assert unknown == [f"{tmp_path}/pressure: not in this kernel"]


def test_a_look_is_cheap(collector: HostCollector) -> None:
    collector.collect()
    spans = []
    for _ in range(20):
        began = time.perf_counter()
        collector.collect()
        spans.append(time.perf_counter() - began)
    assert min(spans) < 0.005


def test_files_are_opened_again_after_close(collector: HostCollector) -> None:
    before = len(os.listdir("/proc/self/fd"))
    collector.collect()
    collector._source.close()
    assert collector.collect().values[HOST]["load.1"] >= 0
    collector.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_fallback_has_the_same_gauges(collector: HostCollector) -> None:
    ours = collector.collect().values[HOST]
    theirs = machine_psutil.CounterSource().read()
    for name in ("memory.percent", "load.5", "swap.percent"):
        assert theirs.gauges[name] == pytest.approx(ours[name], abs=5)
    assert theirs.cpu is not None


async def test_a_network_mount_that_hangs_delays_nobody_and_costs_one_thread(
    collector: HostCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang, asked = threading.Event(), []

    def values(point: str) -> dict[str, float]:
        asked.append(point)
        if point == "/hung":
            hang.wait(10)
        return {"disk.free_mb": 1.0}

    def mount(point: str) -> Mount:
        return Mount(point=point, device="0:1", root="/", fs_type="nfs4", source="s:/x")

    monkeypatch.setattr(machine, "disk_values", values)
    monkeypatch.setattr(MountTable, "read", lambda self: ((mount("/good"), mount("/hung")), True))
    try:
        for _ in range(2):
            facts = await collector.collect_remote(timeout_s=0.1)
            assert facts.values == {Subject("disk:/good"): {"disk.free_mb": 1.0}}
            assert facts.unknown == ("/hung: the network mount does not answer",)
        assert asked.count("/hung") == 1
    finally:
        hang.set()
    facts = await collector.collect_remote(timeout_s=5.0)
    assert len(facts.values) == 2


async def test_no_network_mounts_is_no_wait() -> None:
    collector = HostCollector(SystemClock())
    facts = await collector.collect_remote(timeout_s=60.0)
    collector.close()
    assert isinstance(facts.values, dict)
