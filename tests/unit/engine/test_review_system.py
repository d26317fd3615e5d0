"""The whole system around its edges: stopped while it starts, reloaded while it works."""

import asyncio

import pytest

from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.settings.daemon import DaemonSettings
from autonomyd.settings.intervals import IntervalSettings
from autonomyd.settings.root import Settings


def settings(tmp_path, **more):
    return Settings(daemon=DaemonSettings(state_dir=str(tmp_path / "state")), **more)


async def test_a_stop_during_the_start_ends_both(tmp_path):
    system = AutonomousOperationSystem(settings(tmp_path))
    start = asyncio.create_task(system.start())
    for _ in range(3):
        await asyncio.sleep(0)
    async with asyncio.timeout(10.0):
        await system.stop()
        with pytest.raises(RuntimeError, match="while it was starting"):
            await start
    assert not system.started
    again = AutonomousOperationSystem(settings(tmp_path))
    async with asyncio.timeout(10.0), again:
        assert again.started


async def test_a_start_that_is_cancelled_leaves_nothing_behind(tmp_path):
    system = AutonomousOperationSystem(settings(tmp_path))
    system.supervisor.wait_ready = asyncio.Event().wait
    start = asyncio.create_task(system.start())
    async with asyncio.timeout(10.0):
        while system._running is None:
            await asyncio.sleep(0.001)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
    assert not system.started
    assert system._running is None
    async with asyncio.timeout(10.0), AutonomousOperationSystem(settings(tmp_path)):
        pass


async def test_it_starts_again_after_it_was_stopped(tmp_path):
    system = AutonomousOperationSystem(settings(tmp_path))
    for _ in range(2):
        async with asyncio.timeout(10.0), system:
            assert system.started
        assert not system.started


async def test_a_metric_that_is_pushed_before_the_start_is_judged(tmp_path):
    system = AutonomousOperationSystem(settings(tmp_path))
    system.monitoring.thresholds["api_latency"] = 500.0
    system.push("api_latency", 900.0)
    assert len(system.monitoring.book.open_issues()) == 1


async def test_a_shorter_interval_is_in_force_at_once(tmp_path):
    system = AutonomousOperationSystem(settings(tmp_path, intervals=IntervalSettings(goals_s=3600.0)))
    async with asyncio.timeout(10.0), system:
        loop = system.supervisor.loops["goals"]
        runs = loop.runs
        await system.reload(settings(tmp_path, intervals=IntervalSettings(goals_s=60.0)))
        while loop.runs == runs:
            await asyncio.sleep(0.001)
        assert loop.expected_by - system.clock.monotonic() < 200.0
