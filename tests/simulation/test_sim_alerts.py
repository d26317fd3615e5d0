"""Alerts in virtual time: whole incidents, with people, receivers that fail, storms, and deaths of the daemon."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from autonomyd.aio.dependency import Dependencies
from autonomyd.aio.supervisor import SupervisedLoop, Supervisor
from autonomyd.analyze.graph import NO_GRAPH, ServiceGraph
from autonomyd.engine.alerting import Alerting
from autonomyd.engine.deadman import DeadMan
from autonomyd.engine.delivery import Delivery
from autonomyd.engine.incidents import Sources
from autonomyd.engine.monitoring import HOST_PROBE, MOUNTS_PROBE, SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.host.failure import HttpFailure, NotifyFailure
from autonomyd.knowledge import database, vault
from autonomyd.knowledge.store import Store
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.graph import Edge, EdgeKind
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, Issue, IssueState, IssueType
from autonomyd.model.plan import GateName, Plan, Refusal, RefusalReason, Risk
from autonomyd.model.subject import service_subject
from autonomyd.settings.alerts import AlertSettings
from autonomyd.settings.dependencies import DependencySettings
from autonomyd.testing import WALL, LoopClock, diagnosis
from tests.boxes.in_loop import Connection, at_once

pytestmark = pytest.mark.looptime(resolution=1e-9, noop_cycles=12)

HOUR_S = 3600.0
TARGETS = {"team": "json://team/", "log": "json://log/"}
LIMIT = RefusalReason.RESTART_LIMIT


class World:
    """The real alerting over a store in memory; people, targets and what is wrong are the script's."""

    def __init__(self, store: Store, clock: LoopClock, **settings: Any) -> None:
        self.clock = clock
        self.store = store
        self.settings = AlertSettings(**({"targets": TARGETS, "machine": "box", "digest_at": ""} | settings))
        self.sent: list[tuple[float, str, str, str]] = []
        self.pings: list[float] = []
        self.fails: dict[str, Exception] = {}
        self.hang: set[str] = set()
        self.graph = NO_GRAPH
        self.supervisor = Supervisor(clock)
        self.records = Records(clock)
        self.records.attach(store)
        self.monitoring = SelfMonitoringSystem(
            clock=clock, next_issue_id=lambda: self.records.next_id("issue"), on_issue=self._issue
        )
        self.monitoring.unwatch(HOST_PROBE)
        self.monitoring.unwatch(MOUNTS_PROBE)
        self.healing = SimpleNamespace(decisions={}, diagnoses={})
        delivery = Delivery(
            clock=clock,
            settings=lambda: self.settings,
            dependencies=Dependencies(clock, limits_of=lambda family: DependencySettings()),
            save=self.records.message,
            machine=lambda: self.settings.machine,
            timeout_s=lambda: 30.0,
            send=self._send,
            check=self._check,
        )
        self.alerting = Alerting(
            clock=clock,
            settings=lambda: self.settings,
            machine=lambda: self.settings.machine,
            sources=Sources(
                monitoring=self.monitoring,
                healing=self.healing,  # type: ignore[arg-type]
                records=self.records,
                supervisor=self.supervisor,
                graph=lambda: self.graph,
            ),
            delivery=delivery,
            dead_man=DeadMan(clock, ask=self._ask),
        )

    async def _send(self, url: str, *, title: str, body: str, mood: str, timeout_s: float) -> None:
        name = url.removeprefix("json://").strip("/")
        if name in self.hang:
            await asyncio.sleep(timeout_s)
            raise NotifyFailure(f"not sent within {timeout_s:g} s")
        await asyncio.sleep(0.2)
        if name in self.fails:
            raise self.fails[name]
        self.sent.append((self.clock.monotonic(), name, title, body))

    async def _check(self, url: str, *, timeout_s: float) -> None:
        """Every URL is fine."""

    async def _ask(self, url: str, **more: Any) -> Any:
        self.pings.append(self.clock.monotonic())
        if url in self.fails:
            raise self.fails[url]
        return SimpleNamespace(status=200)

    def _issue(self, issue: Issue, move: Any) -> None:
        self.records.issue(issue, move)
        self.alerting.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["World"]:
        self.monitoring.book.restore(await self.records.issues.open())
        await self.alerting.restore()
        loop = self.supervisor.add(SupervisedLoop(name="alerts", body=self.alerting.tick, interval_s=30.0))
        self.alerting.wake_by(loop.wake.set)
        task = asyncio.create_task(self.supervisor.run())
        try:
            await self.supervisor.wait_ready()
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.alerting.close()
            await self.records.drained()
        assert loop.last_error is None

    # --- what happens ----------------------------------------------------------------------------------------------

    def breaks(self, name: str = "web", *, severity: Severity = Severity.CRITICAL, metric: str = "process") -> Issue:
        finding = Finding(
            type=IssueType.SERVICE_DOWN,
            subject=service_subject(name),
            metric=metric,
            severity=severity,
            summary=f"{name} is down",
            evidence=("its process is gone",),
        )
        issue, _ = self.monitoring.book.report(finding, wall_now=self.clock.wall())
        self.healing.diagnoses[issue.id] = diagnosis(Cause.PROCESS_GONE)
        return issue

    def refuses(self, issue: Issue, reason: RefusalReason = LIMIT, *, park: bool = False) -> Issue:
        refusal = Refusal(reason=reason, message=f"refused: {reason}", gate=GateName.COOLDOWN, park=park)
        self.healing.decisions[issue.id] = refusal
        self.records.decision(issue.id, refusal)
        issue = self._move(issue, IssueState.DIAGNOSED)
        return self._move(issue, IssueState.PARKED if park else IssueState.REFUSED)

    def tries(self, issue: Issue) -> Issue:
        self.healing.decisions[issue.id] = plan(issue)
        for state in (IssueState.DIAGNOSED, IssueState.PLANNED, IssueState.FIXING, IssueState.VERIFYING):
            issue = self._move(issue, state)
        return issue

    def heals(self, issue: Issue) -> None:
        self._move(issue, IssueState.RESOLVED)
        self.healing.decisions.pop(issue.id, None)
        self.healing.diagnoses.pop(issue.id, None)

    def _move(self, issue: Issue, state: IssueState) -> Issue:
        return self.monitoring.book.move(issue, state, cause="the script", wall_now=self.clock.wall())

    def titles(self, target: str = "team") -> list[str]:
        return [
            title.removeprefix("[box] ").rpartition(" (alert")[0] for _, name, title, _ in self.sent if name == target
        ]

    @property
    def open(self) -> tuple[Any, ...]:
        return self.alerting.status().open


def plan(issue: Issue) -> Plan:
    return Plan(
        strategy="start", cause=Cause.PROCESS_GONE, steps=(), confidence=99.0, risk=Risk.LOW, disruptive=False,
        reversible=True, service="web", issue_id=issue.id, preview=("start web",),
    )  # fmt: skip


def fix_of(issue: Issue, **more: Any) -> Fix:
    fields: dict[str, Any] = {
        "id": 3,
        "plan": plan(issue),
        "state": FixState.COMMITTED,
        "actor": "autonomyd",
        "started_at": issue.opened_at,
        "ended_at": issue.opened_at + 5.0,
        "outcome": Outcome.HEALED,
        "message": "it answers",
    }
    return Fix(**(fields | more))


@pytest.fixture
async def made(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., World]]:
    monkeypatch.setattr(database.aiosqlite, "connect", Connection)
    monkeypatch.setattr(vault.asyncio, "to_thread", at_once)
    clock = LoopClock()
    store = await Store.open(":memory:", clock=clock)
    yield lambda **settings: World(store, clock, **settings)
    await store.close()


async def test_a_quiet_heal_tells_nobody(made: Callable[..., World]) -> None:
    async with made().running() as world:
        issue = world.tries(world.breaks())
        await asyncio.sleep(5.0)
        world.heals(issue)
        await asyncio.sleep(HOUR_S)
        assert (world.sent, world.open) == ([], ())


async def test_told_reminded_acknowledged_and_over(made: Callable[..., World]) -> None:
    async with made().running() as world:
        issue = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
        assert world.titles() == world.titles("log") == ["web is down"]
        assert "refused: restart_limit" in world.sent[0][3]
        await asyncio.sleep(HOUR_S)
        assert world.titles() == ["web is down", "Still: web is down"]
        assert await world.alerting.acknowledge(world.open[0].id, for_s=None, actor="uid=0 pid=1")
        await asyncio.sleep(48 * HOUR_S)
        assert len(world.titles()) == 2
        world.heals(issue)
        await asyncio.sleep(1.0)
        assert world.titles() == ["web is down", "Still: web is down", "Over: web is down"]
        assert len({title.rpartition("(alert")[2] for _, _, title, _ in world.sent}) == 1  # one conversation
        await asyncio.sleep(48 * HOUR_S)
        assert (len(world.titles()), world.open) == (3, ())


async def test_two_issues_of_one_cause_are_one_conversation(made: Callable[..., World]) -> None:
    async with made().running() as world:
        first = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
        second = world.refuses(world.breaks(metric="checks"), park=True)
        await asyncio.sleep(1.0)
        assert (world.titles(), world.open[0].issues) == (["web is down"], (first.id, second.id))
        world.heals(first)
        await asyncio.sleep(1.0)
        assert world.titles() == ["web is down"]
        world.heals(second)
        await asyncio.sleep(1.0)
        assert world.titles() == ["web is down", "Over: web is down"]


async def test_a_cause_that_is_seen_otherwise_later_is_still_one_conversation(made: Callable[..., World]) -> None:
    async with made().running() as world:
        issue = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
        world.healing.diagnoses[issue.id] = diagnosis(Cause.CUSTOM)
        await asyncio.sleep(100.0)
        assert world.titles() == ["web is down"]


async def test_escalates_when_nobody_acknowledges(made: Callable[..., World]) -> None:
    async with made(escalation={"boss": "json://boss/"}, escalate_after_s=900.0, reminders_s=()).running() as world:
        issue = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(899.0)
        assert world.titles("boss") == []
        await asyncio.sleep(3.0)
        assert world.titles("boss") == ["Nobody answered: web is down"]
        world.heals(issue)
        await asyncio.sleep(1.0)
        assert world.titles("boss")[-1] == world.titles("team")[-1] == "Over: web is down"
        other = world.refuses(world.breaks("db"), park=True)
        await asyncio.sleep(1.0)
        await world.alerting.acknowledge(world.open[0].id, for_s=None, actor="uid=0 pid=1")
        await asyncio.sleep(HOUR_S)
        world.heals(other)
        await asyncio.sleep(1.0)
        assert len(world.titles("boss")) == 2  # who was never called does not hear of the end


async def test_critical_and_left_alone_is_told_after_a_while(made: Callable[..., World]) -> None:
    async with made(patience_s=120.0).running() as world:
        issue = world.refuses(world.breaks(), RefusalReason.UNDETERMINED)
        small = world.refuses(world.breaks("cache", severity=Severity.WARNING), RefusalReason.UNDETERMINED)
        await asyncio.sleep(119.0)
        assert world.titles() == []
        await asyncio.sleep(2.0)
        assert world.titles() == ["web is down"]
        world.heals(issue)
        world.heals(small)
        await asyncio.sleep(1.0)


async def test_what_is_over_before_a_person_could_decide_tells_nobody(made: Callable[..., World]) -> None:
    async with made(settle_s=10.0).running() as world:
        issue = world.refuses(world.breaks(), RefusalReason.NEEDS_APPROVAL)
        await asyncio.sleep(9.0)
        world.heals(issue)
        await asyncio.sleep(60.0)
        assert (world.titles(), world.open) == ([], ())
        world.refuses(world.breaks(), RefusalReason.NEEDS_APPROVAL)
        await asyncio.sleep(11.0)
        assert world.titles() == ["web is down"]


async def test_least_severity(made: Callable[..., World]) -> None:
    async with made(min_severity="critical").running() as world:
        world.refuses(world.breaks("cache", severity=Severity.WARNING), park=True)
        await asyncio.sleep(60.0)
        assert world.titles() == []


async def test_what_comes_back_is_the_same_conversation(made: Callable[..., World]) -> None:
    async with made().running() as world:
        world.heals(world.refuses(world.breaks(), park=True))
        await asyncio.sleep(1.0)
        assert world.titles() == []  # it was over before anybody could be told
        issue = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
        world.heals(issue)
        await asyncio.sleep(600.0)
        world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
        assert world.titles() == ["web is down", "Over: web is down", "Again: web is down"]
        assert world.open[0].times == 2


async def test_a_fix_that_did_harm_and_one_that_could_not_be_undone(made: Callable[..., World]) -> None:
    async with made().running() as world:
        issue = world.tries(world.breaks())
        world.alerting.fix_moved(fix_of(issue, outcome=Outcome.WORSENED, message="db fell"))
        await asyncio.sleep(1.0)
        assert "a fix did harm: start: db fell" in world.sent[0][3]
        world.alerting.fix_moved(fix_of(issue, state=FixState.ROLLBACK_FAILED, outcome=Outcome.WORSENED))
        await asyncio.sleep(1.0)
        assert world.titles()[1] == "fix 3 (start) could not be rolled back"
        world.heals(issue)
        await asyncio.sleep(1.0)
        (broken,) = world.open  # the service is well, the machine is half changed
        await world.alerting.acknowledge(broken.id, for_s=None, actor="uid=0 pid=1")
        await asyncio.sleep(1.0)
        assert (world.open, len(world.titles())) == ((), 3)


async def test_a_storm_is_few_messages(made: Callable[..., World]) -> None:
    async with made(max_per_minute=5).running() as world:
        for number in range(200):
            world.refuses(world.breaks(f"web{number}"), park=True)
        await asyncio.sleep(50.0)
        assert len(world.titles()) == 5
        assert world.sent[-1][2] == "[box] 196 messages at once"
        assert len(world.open) == 200
        await asyncio.sleep(100.0)
        assert world.alerting.status().waiting == 0


async def test_a_target_that_hangs_or_fails_holds_up_no_other(made: Callable[..., World]) -> None:
    async with made().running() as world:
        world.hang.add("team")
        first = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(0.5)
        assert world.titles("log") == ["web is down"]
        await asyncio.sleep(32.0)
        status = world.alerting.status().targets["team"]
        assert (status.waiting, status.failures) == (1, 1)
        assert status.error == "not sent within 30 s"
        world.hang.clear()
        await asyncio.sleep(10.0)
        assert world.titles() == ["web is down"]
        world.heals(first)
        await asyncio.sleep(1.0)


async def test_a_target_that_is_down_for_an_hour_gets_what_counts(made: Callable[..., World]) -> None:
    async with made(reminders_s=(600.0,)).running() as world:
        world.fails["team"] = NotifyFailure("connection refused")
        issue = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(HOUR_S + 5.0)
        waiting = await world.records.read(world.records.outbox.waiting, [])
        assert [(each.target, each.kind.value) for each in waiting] == [("team", "opened")]  # no pile of reminders
        assert len(world.titles("log")) == 7
        world.heals(issue)
        await asyncio.sleep(10.0)
        world.fails.clear()
        await asyncio.sleep(400.0)
        assert world.titles() == ["web is down", "Over: web is down"]
        assert await world.records.read(world.records.outbox.waiting, None) == []


async def test_quiet_hours_hold_what_is_not_critical(
    made: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    held_s = 8 * HOUR_S
    monkeypatch.setattr("autonomyd.alert.pace.quiet_left_s", lambda hours, now: max(0.0, held_s - (now - WALL)))
    async with made(quiet_hours="22:00-07:00").running() as world:
        world.refuses(world.breaks("db"), park=True)
        small = world.refuses(world.breaks("cache", severity=Severity.WARNING), park=True)
        world.refuses(world.breaks("mail", severity=Severity.WARNING), park=True)
        await asyncio.sleep(60.0)
        assert world.titles() == ["db is down"]
        assert (world.alerting.status().held, world.alerting.status().waiting) == (4, 0)
        world.heals(small)  # over before the morning: nobody hears of it
        await asyncio.sleep(held_s)
        assert [each for each in world.titles() if "Still" not in each] == ["db is down", "mail is down"]


async def test_after_a_death_nothing_is_lost_and_nothing_begins_anew(made: Callable[..., World]) -> None:
    async with made().running() as world:
        world.fails["team"] = NotifyFailure("connection refused")
        world.refuses(world.breaks(), park=True)
        await asyncio.sleep(10.0)
        silent = world.breaks("db")
    async with made().running() as again:
        await asyncio.sleep(1.0)
        assert again.titles() == ["web is down"]
        assert again.titles("log") == []  # it had been sent
        await asyncio.sleep(HOUR_S)
        assert again.titles("log") == ["Still: web is down"]
        again.refuses(silent, park=True)
        await asyncio.sleep(1.0)
        assert again.titles("log")[-1] == "db is down"
        assert len({each.id for each in again.open}) == 2


async def test_what_was_over_while_the_daemon_was_dead_is_told(made: Callable[..., World]) -> None:
    async with made().running() as world:
        issue = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
    moved = replace(issue, state=IssueState.RESOLVED, resolved_at=world.clock.wall())
    await world.records.issues.save(moved)
    async with made().running() as again:
        await asyncio.sleep(1.0)
        assert again.titles() == ["Over: web is down"]


async def test_the_daily_digest(made: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "autonomyd.alert.pace.next_time_of_day", lambda clock, after: after - (after - WALL) % 86400.0 + 86400.0
    )
    async with made(digest_at="07:00").running() as world:
        issue = world.tries(world.breaks())
        await world.records.fixes.save(fix_of(issue))
        await asyncio.sleep(5.0)
        world.heals(issue)
        assert "web: start, healed" in await world.alerting.digest()
        await asyncio.sleep(86400.0)
        assert [title for _, name, title, _ in world.sent if name == "team"] == ["[box] What healed by itself"]
        assert "web: start, healed" in world.sent[0][3]
        await asyncio.sleep(5 * 86400.0)
        assert len(world.titles()) == 1  # a day without news has none


async def test_own_troubles_are_told_after_a_minute(made: Callable[..., World]) -> None:
    world = made()

    async def broken() -> None:
        raise ValueError("a fault of ours")

    loop = world.supervisor.add(SupervisedLoop(name="healing", body=broken, interval_s=1.0))
    async with world.running():
        await asyncio.sleep(60.0)
        assert world.titles() == []
        await asyncio.sleep(60.0)
        assert len(world.titles()) == 1
        assert world.titles()[0].startswith("autonomyd itself: the healing loop failed ")
        assert "ValueError: a fault of ours" in world.sent[0][3]

        async def well() -> None:
            """Mended."""

        loop.body = well
        await asyncio.sleep(200.0)
        assert world.titles()[-1].startswith("Over: ")


async def test_a_store_that_takes_no_writes_is_told(
    made: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with made().running() as world:
        well = world.store.status
        monkeypatch.setattr(
            world.store, "status", lambda: replace(well(), state="degraded", message="the disk is full")
        )
        await asyncio.sleep(120.0)
        assert world.titles() == ["autonomyd itself: the store is degraded"]
        assert "the disk is full" in world.sent[0][3]


async def test_bad_health_alone_is_told_and_with_an_alert_it_is_not(made: Callable[..., World]) -> None:
    async with made(health="critical", health_for_s=600.0).running() as world:
        issue = world.refuses(world.breaks(), RefusalReason.COOLDOWN)
        await asyncio.sleep(590.0)
        assert world.titles() == []
        await asyncio.sleep(40.0)
        assert world.titles() == ["this machine is critical"]
        world.heals(issue)
        await asyncio.sleep(1.0)
        world.refuses(world.breaks("db"), park=True)
        await asyncio.sleep(HOUR_S / 2)
        assert world.titles()[1:] == ["db is down"]  # what is not known ends nothing: the host has no figures here


async def test_pings_while_the_loops_are_well(made: Callable[..., World]) -> None:
    world = made(ping_url="http://dead-man/secret-path", ping_every_s=60.0)

    async def broken() -> None:
        raise ValueError("a fault of ours")

    async with world.running():
        await asyncio.sleep(301.0)
        assert len(world.pings) == 6
        world.fails["http://dead-man/secret-path"] = HttpFailure(
            "bad url 'http://dead-man/secret-path'", stage="request"
        )
        await asyncio.sleep(60.0)
        ping = world.alerting.status().ping
        assert ping is not None
        assert "secret" not in ping.error
        assert ping.error
        world.supervisor.add(SupervisedLoop(name="healing", body=broken, interval_s=1.0, failed_in_a_row=3))
        before = len(world.pings)
        await asyncio.sleep(600.0)
        assert len(world.pings) == before


async def test_a_target_that_leaves_the_configuration(made: Callable[..., World]) -> None:
    async with made().running() as world:
        world.fails["team"] = NotifyFailure("no such channel", permanent=True)
        world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
        world.settings = AlertSettings(targets={"log": "json://log/"}, machine="box", digest_at="")
        world.alerting.reload()
        await asyncio.sleep(1.0)
        assert set(world.alerting.status().targets) == {"log"}
        assert await world.records.read(world.records.outbox.waiting, None) == []
        with contextlib.suppress(KeyError):
            del world.fails["team"]


async def test_without_targets_the_alerts_are_still_there_to_be_seen(made: Callable[..., World]) -> None:
    async with made(targets={}).running() as world:
        issue = world.refuses(world.breaks(), park=True)
        await asyncio.sleep(1.0)
        assert [each.summary for each in world.open] == ["web is down"]
        assert await world.alerting.acknowledge(999, for_s=None, actor="x") is None
        world.heals(issue)
        await asyncio.sleep(1.0)
        assert world.open == ()


async def test_symptoms_under_a_failed_parent_are_one_alert_and_end_in_silence(made: Callable[..., World]) -> None:
    world = made()
    edge = Edge(child="web", parent="db", kind=EdgeKind.CONNECTION, how="seen: it is connected to port 5432")
    world.graph = ServiceGraph(["web", "db"], [edge])
    async with world.running():
        unknown = RefusalReason.UNDETERMINED
        web = world.refuses(world.breaks("web"), unknown)
        db = world.refuses(world.breaks("db"), unknown)
        await asyncio.sleep(HOUR_S / 2)
        assert world.titles() == ["db is down"]
        assert "web fails with it (seen: it is connected to port 5432): web is down" in world.sent[0][3]
        world.heals(db)
        world.heals(web)
        await asyncio.sleep(HOUR_S / 2)
        assert [alert.subject for alert in world.open] == []
        assert not [title for title in world.titles() if "web" in title]
