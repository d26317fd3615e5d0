"""The timeline as the engine keeps it: edited files, packages, restarts from outside, boots, fixes; no echo of its own
fixes, nothing told twice, and the same after a restart of the daemon."""

import os
import time
from dataclasses import replace

import pytest

from autonomyd.analyze.timeline import phrase
from autonomyd.engine.facts.changes import ChangesReader
from autonomyd.engine.insight.timeline import KEPT, Timeline
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.records import Records
from autonomyd.host.packages import PackageChange
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType, Transition
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.service import RunState, ServiceRun, ServiceState
from autonomyd.model.subject import HOST, Subject
from autonomyd.model.timeline import ChangeKind, EntryKind
from autonomyd.settings.release import ReleaseSettings
from autonomyd.testing import FakeControl, ManualClock, memory_store, service_settings

WEB = Subject("service:web")


class Known:
    """What was verified healthy: nothing yet."""

    def __init__(self):
        self.values = {}

    def goods_of(self, service, path):
        return self.values.get((service, path), ())


class Packages:
    def __init__(self):
        self.news = []
        self.asked = []

    def look(self, *, since):
        self.asked.append(since)
        news, self.news = self.news, []
        return tuple(news)


class Stage:
    def __init__(self, folder, clock, records):
        self.clock = clock
        self.records = records
        self.config = folder / "app.toml"
        self.config.write_text("a = 1\n")
        self.link = folder / "current"
        self.link.symlink_to("v1")
        settings = service_settings().model_copy(
            update={"config_files": (str(self.config),), "release": ReleaseSettings(link=str(self.link))}
        )
        self.service = ManagedService(name="web", settings=settings, control=FakeControl(pid=5))
        self.service.run = ServiceRun(state=RunState.RUNNING, pid=5, started_at=clock.wall() - 500)
        self.service.state = ServiceState.UP
        self.packages = Packages()
        self.known = Known()
        self.booted_at = clock.wall() - 1e7
        self.begin()

    def begin(self):
        """A daemon starts."""
        self.timeline = Timeline(
            clock=self.clock,
            records=self.records,
            services=lambda: {"web": self.service},
            known=self.known,
            packages=self.packages,
            booted=lambda: self.booted_at,
        )

    def edit(self, text):
        self.config.write_text(text)
        os.utime(self.config, ns=(1, 1))
        self.clock.set_wall(max(self.clock.wall(), time.time()) + 1.0)

    def told(self):
        return [(change.kind, change.subject, change.what) for change in self.timeline.changes()]


@pytest.fixture
async def stage(tmp_path):
    clock = ManualClock(wall=time.time() + 1.0)
    records = Records(clock)
    async with memory_store(clock) as store:
        records.attach(store)
        yield Stage(tmp_path, clock, records)
        await records.drained()


async def test_an_edit_is_a_change_at_the_time_of_the_file(stage):
    await stage.timeline.tick()
    assert stage.told() == []
    before = time.time()
    stage.edit("a = 2\n")
    stage.clock.advance(50)
    await stage.timeline.tick()
    await stage.timeline.tick()
    (change,) = stage.timeline.changes()
    assert (change.kind, change.subject, phrase(change)) == (ChangeKind.CONFIG, WEB, "app.toml changed")
    assert before - 1 <= change.at <= time.time() + 1


async def test_a_service_that_was_not_watched_meanwhile_was_not_seen_to_be_restarted(stage):
    await stage.timeline.tick()
    service, stage.service = stage.service, None
    stage.timeline._services = lambda: {} if stage.service is None else {"web": stage.service}
    await stage.timeline.tick()
    stage.service = service
    service.run = ServiceRun(state=RunState.RUNNING, pid=6, started_at=stage.clock.wall() - 10)
    await stage.timeline.tick()
    assert stage.told() == []


async def test_a_touch_is_no_change_and_a_file_that_goes_is_one(stage):
    await stage.timeline.tick()
    os.utime(stage.config)
    os.chmod(stage.config, 0o600)
    await stage.timeline.tick()
    assert stage.told() == []
    stage.config.unlink()
    await stage.timeline.tick()
    assert stage.told() == [(ChangeKind.CONFIG, WEB, "app.toml (now gone)")]


async def test_a_release_is_put_in_use(stage):
    await stage.timeline.tick()
    stage.link.unlink()
    stage.link.symlink_to("v2")
    stage.clock.set_wall(time.time() + 1)
    await stage.timeline.tick()
    assert stage.told() == [(ChangeKind.RELEASE, WEB, "the release v2")]


async def test_what_was_edited_while_nobody_looked_is_told_by_what_was_verified_healthy(stage):
    class Good:
        value = "another content"

    stage.known.values["web", str(stage.config)] = (Good(),)
    await stage.timeline.tick()
    assert stage.told() == [(ChangeKind.CONFIG, WEB, "app.toml")]
    await stage.records.drained()
    stage.begin()
    await stage.timeline.restore()
    await stage.timeline.tick()
    assert stage.told() == [(ChangeKind.CONFIG, WEB, "app.toml")]  # not once more


def fix(at, *, issue_id=3, state=FixState.COMMITTED, outcome=Outcome.HEALED, number=1):
    plan = Plan(
        strategy="restore config",
        cause=Cause.CONFIG_CHANGED,
        service="web",
        steps=(),
        confidence=92,
        risk=Risk.LOW,
        disruptive=True,
        reversible=True,
        issue_id=issue_id,
    )
    moves = (Transition(at=at, before="backed_up", after="applying", cause="", actor="autonomyd"),)
    return Fix(
        id=number,
        plan=plan,
        state=state,
        actor="autonomyd",
        started_at=at,
        ended_at=at + 1,
        outcome=outcome,
        transitions=moves,
    )


async def test_what_a_fix_wrote_is_the_fix_and_no_edit(stage):
    await stage.timeline.tick()
    stage.edit("a = 3\n")
    done = fix(stage.config.stat().st_ctime)
    stage.timeline.fix_moved(replace(done, ended_at=None, outcome=None, state=FixState.APPLYING))
    stage.timeline.fix_moved(done)
    await stage.timeline.tick()
    assert stage.told() == [(ChangeKind.FIX, WEB, "the fix restore config (healed)")]


async def test_packages_that_follow_one_another_are_one_change_and_one_of_a_service_is_its_own(stage):
    await stage.timeline.tick()
    assert stage.packages.asked == []  # not before the daemon is ready
    at = stage.clock.wall() - 40
    names = ["web", *(f"lib{number}" for number in range(8))]
    stage.packages.news = [PackageChange(at=at + n, name=name, before="1", after="2") for n, name in enumerate(names)]
    await stage.timeline.tick()
    assert (ChangeKind.PACKAGE, WEB, "web 1 to 2") in stage.told()
    (host,) = [what for kind, subject, what in stage.told() if subject == HOST]
    assert host.endswith("lib4 1 to 2 and 3 more")


async def test_a_process_that_somebody_else_restarted(stage):
    await stage.timeline.tick()
    stage.clock.advance(100)
    stage.service.run = replace(stage.service.run, pid=9, started_at=stage.clock.wall() - 5)
    await stage.timeline.tick()
    await stage.timeline.tick()
    assert stage.told() == [(ChangeKind.RESTART, WEB, "a restart from outside")]


async def test_a_process_that_died_and_came_back_is_trouble_and_no_change(stage):
    await stage.timeline.tick()
    stage.clock.advance(100)
    stage.service.deaths.append(stage.clock.monotonic() - 6)
    stage.service.run = replace(stage.service.run, pid=9, started_at=stage.clock.wall() - 5)
    await stage.timeline.tick()
    assert stage.told() == []


async def test_a_restart_by_hand_is_told_once_with_its_actor(stage):
    await stage.timeline.tick()
    stage.clock.advance(100)
    stage.records.event("service_restart_requested", WEB, "web", actor="uid=1000 pid=7")
    stage.service.run = replace(stage.service.run, pid=9, started_at=stage.clock.wall())
    await stage.timeline.tick()
    (change,) = stage.timeline.changes()
    assert (change.what, change.actor) == ("a restart by hand", "uid=1000 pid=7")


async def test_a_boot_of_today_is_told_once(stage):
    stage.booted_at = stage.clock.wall() - 300
    await stage.timeline.tick()
    await stage.records.drained()
    stage.booted_at += 2  # the clock was set a little
    stage.begin()
    await stage.timeline.restore()
    await stage.timeline.tick()
    assert stage.told() == [(ChangeKind.RESTART, HOST, "the boot of the machine")]


async def test_memory_is_bounded(stage):
    for number in range(3 * KEPT):
        stage.records.event("config_changed", WEB, f"/etc/{number}")
    assert len(stage.timeline.changes()) == KEPT


async def test_the_reader_sees_an_edit_of_this_moment(stage):
    await stage.timeline.tick()
    stage.edit("a = 9\n")
    issue = Issue(
        id=1,
        type=IssueType.SERVICE_UNHEALTHY,
        subject=WEB,
        metric="checks",
        severity=Severity.CRITICAL,
        state=IssueState.OPEN,
        summary="web does not work",
        opened_at=time.time() + 20,
        updated_at=time.time() + 20,
    )
    reader = ChangesReader(stage.clock, stage.timeline)
    assert reader.wants(issue, stage.service)
    (found,) = await reader.read(issue, stage.service)
    assert found.why.endswith("s after app.toml changed")
    assert found.confidence > 90


def healed_issue(number, *, at):
    """One of web, which lasted for the 20 s before `at`."""
    return Issue(
        id=number,
        type=IssueType.SERVICE_UNHEALTHY,
        subject=WEB,
        metric="checks",
        severity=Severity.CRITICAL,
        state=IssueState.RESOLVED,
        summary="web does not work",
        opened_at=at - 20,
        updated_at=at,
        resolved_at=at,
    )


async def test_everything_on_one_line_of_time(stage):
    at = stage.clock.wall()
    stage.records.event("config_changed", WEB, "/etc/app.toml", at=at - 60)
    stage.records.event("level_shifted", WEB, "rss_mb went from 100 to 200 MB, 9 times its spread", at=at - 30)
    stage.records.event("config_changed", Subject("service:other"), "/etc/other.toml", at=at - 50)
    stage.records.event("packages_changed", HOST, "libc 1 to 2", at=at - 4000)
    opened = healed_issue(4, at=at)
    stage.records.issue(opened, None)
    await stage.records.journal(fix(at - 10), ())
    found = await stage.timeline.entries(since=at - 86400, subject=WEB)
    assert [each.kind for each in found] == [
        EntryKind.CHANGE,
        EntryKind.CHANGE,
        EntryKind.SHIFT,
        EntryKind.ISSUE,
        EntryKind.FIX,
    ]
    assert found[0].subject == HOST
    assert found[2].due.why == "began 30 s after app.toml changed"
    assert found[3].due.why == "began 40 s after app.toml changed"
    assert (found[4].number, found[4].level) == (1, "healed")
    everything = await stage.timeline.entries(since=at - 3600)
    assert len(everything) == 5
    assert HOST not in {each.subject for each in everything}


async def test_a_fix_is_not_blamed_for_the_issue_that_it_healed(stage):
    at = stage.clock.wall()
    opened = healed_issue(3, at=at)
    beside = replace(opened, id=4, metric="process", opened_at=at - 20.2)
    for each in (opened, beside):
        stage.records.issue(each, None)
    made = fix(at - 20, issue_id=3)
    await stage.records.journal(made, ())
    stage.timeline.fix_moved(made)
    found = await stage.timeline.entries(since=at - 86400, subject=WEB)
    assert [(each.number, each.due) for each in found if each.kind is EntryKind.ISSUE] == [(4, None), (3, None)]
    assert stage.timeline.about(WEB, at - 20, issue=3) == ()
    assert stage.timeline.about(WEB, at - 10, issue=5)[0].confidence > 50
