"""Tells people when they are needed: compares what is wrong with what was told, writes the messages, has them sent.

Nothing here is remembered by events alone: after a restart the same comparison finds what was not told yet."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import Dependencies
from autonomyd.alert import needs, pace, words
from autonomyd.alert.judge import REOPEN_S, Manners, Notice, acknowledged, judge, next_at
from autonomyd.engine.deadman import DeadMan
from autonomyd.engine.delivery import Delivery
from autonomyd.engine.incidents import IncidentReader, Sources
from autonomyd.host.notifying import check_target, machine_name, send_message
from autonomyd.model.alert import (
    Alert,
    AlertsStatus,
    AlertState,
    Delivered,
    Incident,
    Message,
    NoticeKind,
)
from autonomyd.model.fix import Fix
from autonomyd.model.health import Severity
from autonomyd.settings.alerts import AlertSettings
from autonomyd.settings.root import Settings

DIGEST_AT = "alerts_digest_at"
DAY_S = 86400.0
SOONEST_S = 0.05
RECENT = 1000

log = structlog.get_logger(__name__)


class Alerting:
    """`tick` is the body of the alerts loop; `wake` is called when something has changed."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], AlertSettings],
        machine: Callable[[], str],
        sources: Sources,
        delivery: Delivery,
        dead_man: DeadMan,
    ) -> None:
        self.wake: Callable[[], None] = lambda: None
        self._clock = clock
        self._settings = settings
        self._machine = machine
        self._sources = sources
        self._delivery = delivery
        self._dead_man = dead_man
        self._alerts: dict[str, Alert] = {}
        self._incidents = IncidentReader(clock, sources)
        self._digested_at = clock.wall()
        self._telling = asyncio.Lock()

    # --- life ------------------------------------------------------------------------------------------------------

    def wake_by(self, wake: Callable[[], None]) -> None:
        """Call `wake` when there is something to tell, or to send."""
        self.wake = self._delivery.wake = wake

    async def restore(self) -> None:
        """Take back the alerts and the waiting messages of the last run."""
        records, wall = self._sources.records, self._clock.wall()
        known: list[Alert] = await records.read(lambda: records.outbox.to_go_on_with(since=wall - REOPEN_S), [])
        self._alerts = {each.key: each for each in known}
        self._delivery.configure()
        self._delivery.put(await records.read(records.outbox.waiting, []))
        await self._incidents.restore()
        at = await records.read(lambda: records.states.get(DIGEST_AT), None)
        if isinstance(at, int | float):
            self._digested_at = min(float(at), wall)
        else:
            self._digest_begins(wall)

    def reload(self) -> None:
        """The configuration changed."""
        self._delivery.configure()

    async def tick(self) -> float:
        """One turn: tell what is to be told; returns the seconds until something is due."""
        settings, wall = self._settings(), self._clock.wall()
        incidents, patience_s = self._incidents.read(settings, self._open())
        manners = Manners(
            reminders_s=settings.reminders_s,
            escalate_after_s=settings.escalate_after_s if settings.escalation else None,
        )
        async with self._telling:
            for key in (*self._alerts, *(key for key in incidents if key not in self._alerts)):
                notice = judge(self._alerts.get(key), incidents.get(key), now=wall, manners=manners)
                if notice is not None:
                    await self._tell(notice, incidents.get(key), wall)
            self._forget(wall)
        digest_s = await self._daily_digest(settings, wall)
        ping_s = self._dead_man.tick(settings, self._unwell())
        own_s = min((at for at in map(next_at, self._open()) if at is not None), default=float("inf")) - wall
        waits = (own_s, digest_s, ping_s, patience_s, self._delivery.pump())
        return max(SOONEST_S, min(self._interval_s, *waits))

    async def close(self) -> None:
        """Break off what is being sent: it is on disk, and sent after the next start."""
        await self._dead_man.close()
        await self._delivery.close()

    def fix_moved(self, fix: Fix) -> None:
        """A fix changed its state: one that did harm is told."""
        if self._incidents.fix_moved(fix):
            self.wake()

    # --- what a person asks for ------------------------------------------------------------------------------------

    def status(self) -> AlertsStatus:
        targets = self._delivery.statuses()
        return AlertsStatus(
            open=tuple(self._open()),
            waiting=sum(each.waiting for each in targets.values()),
            held=sum(each.held for each in targets.values()),
            targets=targets,
            ping=self._dead_man.status(self._settings()),
        )

    async def acknowledge(self, alert_id: int, *, for_s: float | None, actor: str) -> Alert | None:
        """A person looks after it: no reminders, no escalation. None when there is no such open alert."""
        records = self._sources.records
        async with self._telling:
            alert = next((each for each in self._open() if each.id == alert_id), None)
            if alert is None:
                return None
            known = acknowledged(alert, by=actor, for_s=for_s, now=self._clock.wall())
            await records.told(known)
            self._alerts[alert.key] = known
            self._incidents.put_right(alert.key)
        records.event("alert_acknowledged", alert.subject, f"alert {alert.id}: {alert.summary}", actor=actor)
        self.wake()
        return known

    async def test(self) -> list[Delivered]:
        """Send a test message to every target; what came of each."""
        title = f"[{self._machine()}] Test of alerts"
        return await self._delivery.test(title, "autonomyd can reach you. What to do: nothing, somebody asked for it.")

    async def digest(self, *, since: float | None = None) -> str:
        """What healed by itself since `since` (default: the last daily digest, at least a day); "" for nothing."""
        records, wall = self._sources.records, self._clock.wall()
        begin = min(self._digested_at, wall - DAY_S) if since is None else since
        issues = await records.read(lambda: records.issues.recent(limit=RECENT), [])
        fixes = await records.read(lambda: records.fixes.recent(limit=RECENT), [])
        return words.digest(issues, fixes, open_alerts=self._open(), since=begin, now=wall)

    # --- what is told ----------------------------------------------------------------------------------------------

    async def _tell(self, notice: Notice, incident: Incident | None, wall: float) -> None:
        """Keep the alert, and put its messages into the outbox before any of them is sent."""
        records, alert = self._sources.records, notice.alert
        if alert.id == 0:
            alert = replace(alert, id=records.next_id("alert"))
        messages: list[Message] = []
        if notice.kind is not None:
            title = words.title(self._machine(), notice.kind, alert)
            records.event(f"alert_{notice.kind}", alert.subject, f"alert {alert.id}: {alert.summary}")
            log.warning(
                "alert_told", alert=alert.id, kind=notice.kind.value, subject=alert.subject, summary=alert.summary
            )
            audience = await self._audience(notice.kind, alert)
            if audience:
                body = words.body(notice.kind, alert, incident, await self._fixes_of(alert), now=wall)
                messages = self._messages(notice.kind, alert.id, alert.severity, audience, title, body)
        await records.told(alert, *messages)
        self._alerts[alert.key] = alert  # only now: what could not be written down is told at the next turn
        self._delivery.put(messages)

    async def _audience(self, kind: NoticeKind, alert: Alert) -> tuple[str, ...]:
        first = self._delivery.targets(escalation=False)
        second = self._delivery.targets(escalation=True)
        if kind is NoticeKind.ESCALATION:
            return second
        if kind is NoticeKind.RECOVERED:
            self._delivery.drop_held(alert.id)
            if alert.key.startswith(needs.FIX_KEY):
                return ()  # a person said so; nobody need tell them
            records = self._sources.records
            told = await records.read(lambda: records.outbox.told(alert.id), frozenset(first))
            return tuple(name for name in (*first, *second) if name in told)
        everybody = (*first, *(second if alert.escalated_at is not None else ()))
        if kind is NoticeKind.REMINDER:
            return tuple(name for name in everybody if not self._delivery.waits(name, alert.id))
        return everybody

    def _messages(
        self,
        kind: NoticeKind,
        alert_id: int | None,
        severity: Severity,
        audience: tuple[str, ...],
        title: str,
        body: str,
    ) -> list[Message]:
        wall = self._clock.wall()
        quiet_s = 0.0 if severity is Severity.CRITICAL else pace.quiet_left_s(self._settings().quiet_hours, wall)
        return [
            Message(
                id=self._sources.records.next_id("message"),
                alert_id=alert_id,
                kind=kind,
                target=name,
                severity=severity,
                title=title,
                body=body,
                created_at=wall,
                due_at=wall + quiet_s,
            )
            for name in audience
        ]

    async def _fixes_of(self, alert: Alert) -> list[Fix]:
        records = self._sources.records
        found: list[Fix] = []
        for issue_id in alert.issues:
            found += await records.read(partial(records.fixes.of_issue, issue_id), [])
        return sorted(found, key=lambda fix: fix.started_at)

    async def _daily_digest(self, settings: AlertSettings, wall: float) -> float:
        """Send it when its hour has come; returns the seconds until then."""
        if not settings.digest_at:
            return float("inf")
        left_s = pace.next_time_of_day(settings.digest_at, self._digested_at) - wall
        if left_s > 0:
            return left_s
        audience = self._delivery.targets(escalation=False)
        text = await self.digest(since=self._digested_at) if audience else ""
        messages = []
        if text:
            title = f"[{self._machine()}] What healed by itself"
            messages = self._messages(NoticeKind.DIGEST, None, Severity.WARNING, audience, title, text)
            await self._sources.records.told(*messages)
        self._digest_begins(wall)
        self._delivery.put(messages)
        return pace.next_time_of_day(settings.digest_at, wall) - wall

    def _digest_begins(self, wall: float) -> None:
        self._digested_at = wall
        self._sources.records.remember(DIGEST_AT, wall)

    # --- small -----------------------------------------------------------------------------------------------------

    @property
    def _interval_s(self) -> float:
        loop = self._sources.supervisor.loops.get("alerts")
        return loop.interval_s if loop is not None else 30.0

    def _open(self) -> list[Alert]:
        return sorted(
            (each for each in self._alerts.values() if each.state is AlertState.OPEN), key=lambda each: each.id
        )

    def _unwell(self) -> tuple[str, ...]:
        """The loops that make no progress."""
        supervisor = self._sources.supervisor
        failing = [name for name, loop in supervisor.loops.items() if loop.failed_in_a_row >= needs.LOOP_FAILURES]
        return tuple(dict.fromkeys((*supervisor.stalled(), *failing)))

    def _forget(self, wall: float) -> None:
        """What is over for so long that its return begins a new conversation."""
        self._alerts = {
            key: each
            for key, each in self._alerts.items()
            if each.state is AlertState.OPEN or wall - (each.recovered_at or 0.0) < REOPEN_S
        }


def make_alerting(
    *, clock: Clock, settings: Callable[[], Settings], dependencies: Dependencies, sources: Sources
) -> Alerting:
    """The alerting of a daemon, with its real hands; `settings` gives those in force."""

    def machine() -> str:
        return settings().alerts.machine or machine_name()

    return Alerting(
        clock=clock,
        settings=lambda: settings().alerts,
        machine=machine,
        sources=sources,
        delivery=Delivery(
            clock=clock,
            settings=lambda: settings().alerts,
            dependencies=dependencies,
            save=sources.records.message,
            machine=machine,
            timeout_s=lambda: settings().dependencies.alerts.timeout_s,
            send=send_message,
            check=check_target,
        ),
        dead_man=DeadMan(clock),
    )
