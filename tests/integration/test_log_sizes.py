"""Logs that grow: a bound of their own, or a nearly full disk with them on it, is an issue that a rotation heals."""

import asyncio
import os
import sys

import pytest

from autonomyd import AutonomousOperationSystem
from autonomyd.engine.facts import logs as facts
from autonomyd.engine.facts.logs import LOG_DISK, LOG_MB, LogsReader, largest, outgrown
from autonomyd.engine.log_sizes import LogSizes
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueState, IssueType
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent
from autonomyd.settings.load import make_settings
from autonomyd.testing import issue

WAIT = "import signal\nwhile 1: signal.pause()"
MB = 1_000_000
DEADLINE_S = 60.0


def settings_of(folder, **rotate):
    return make_settings(
        {
            "daemon": {"state_dir": str(folder / "state"), "socket": str(folder / "d.sock")},
            "intervals": {"monitoring_s": 0.5, "healing_s": 0.5},
            "services": {
                "web": {
                    "control": {"type": "process", "command": [sys.executable, "-S", "-c", WAIT]},
                    "logs": [str(folder / "app.log"), str(folder / "other.log"), str(folder / "none.log")],
                    "check_every_s": 0.2,
                    "rotate": {"keep": 2} | rotate,
                }
            },
        }
    )


class Managed:
    """As much of a service as is asked for."""

    def __init__(self, settings):
        self.settings, self.subject, self.name = settings.services["web"], "service:web", "web"
        self.intent, self.checks = Intent.STARTED, {}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.log").write_bytes(os.urandom(MB) * 3)
    (tmp_path / "other.log").write_bytes(b"x" * 1000)
    return tmp_path


def watched(service, disks=()):
    told = []
    made = LogSizes(
        service, lambda: disks, report=lambda found: told.append((found.metric, found.threshold)),
        clear=lambda key, why: told.append(("clear", key[1])),
    )  # fmt: skip
    return made, told


def reading(look):
    seen = {"state": look.state, "values": look.values}
    return Reading(probe="web.logs", subject="service:web", at=1.0, duration_s=0.0, **seen)


async def test_a_log_over_its_bound_is_an_issue_and_one_under_it_is_none(folder):
    service = Managed(settings_of(folder, max_mb=2.0))
    made, told = watched(service)
    made.judge(reading(await made.look()))
    assert told == [(LOG_MB, 2.0), ("clear", LOG_DISK)]
    assert [os.path.basename(log.path) for log in outgrown(service.settings)] == ["app.log"]
    os.truncate(folder / "app.log", 10)
    told.clear()
    made.judge(reading(await made.look()))
    assert told == [("clear", LOG_MB), ("clear", LOG_DISK)]


async def test_a_hole_in_front_takes_no_room(folder):
    os.truncate(folder / "app.log", 0)
    os.truncate(folder / "app.log", 50 * MB)
    assert largest(settings_of(folder, max_mb=2.0).services["web"]) < MB


async def test_what_could_not_be_looked_at_opens_and_clears_nothing(folder):
    service = Managed(settings_of(folder, max_mb=2.0))
    made, told = watched(service, disks=("/nonexistent",))
    look = await made.look()
    made.judge(reading(look))
    assert (look.state, told) == (ReadingState.UNKNOWN, [])


async def test_a_service_that_a_person_stopped_is_not_spoken_of(folder):
    service = Managed(settings_of(folder, max_mb=2.0))
    service.intent = Intent.STOPPED
    made, told = watched(service)
    made.judge(reading(await made.look()))
    assert told == []


async def test_logs_on_a_nearly_full_disk_are_an_issue_without_any_mount_check(folder, monkeypatch):
    monkeypatch.setattr(facts, "disk_bytes", lambda path: (10 * MB, MB))
    service = Managed(settings_of(folder))
    made, told = watched(service, disks=(str(folder),))
    made.judge(reading(await made.look()))
    assert told == [(LOG_DISK, None)]
    reader = LogsReader(lambda: (str(folder),))
    about = issue(IssueType.RESOURCE_EXHAUSTION, metric=LOG_DISK)
    assert reader.wants(about, service)
    assert {os.path.basename(log.path) for log in await reader.read(about, service)} == {"app.log", "other.log"}
    assert not reader.wants(issue(IssueType.SERVICE_DOWN), service)


async def test_the_daemon_rotates_a_log_as_soon_as_it_is_too_large(folder):
    system = AutonomousOperationSystem(settings_of(folder, max_mb=2.0))
    await system.start()
    try:
        records, fixes = system.parts.records, []
        async with asyncio.timeout(DEADLINE_S):
            while not fixes or fixes[0].ended_at is None:
                await asyncio.sleep(0.05)
                fixes = await records.read(lambda: records.fixes.recent(limit=5), [])
        assert (fixes[0].plan.strategy, fixes[0].outcome) == ("rotate-logs", Outcome.HEALED), fixes[0].message
        assert [type(step).__name__ for step in fixes[0].plan.steps] == ["RotateLog"]
        assert (folder / "app.log").stat().st_size == 0
        assert (folder / "app.log.1.gz").stat().st_size > MB / 2
        assert (folder / "other.log").read_bytes() == b"x" * 1000
        stored = await records.read(lambda: records.issues.get(fixes[0].plan.issue_id), None)
        assert stored.state is IssueState.RESOLVED
    finally:
        await system.parts.keeper.stop("web", force=True)
        await system.stop()
