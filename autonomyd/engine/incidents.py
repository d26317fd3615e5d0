"""What is wrong now, as alerts see it: issues by cause, fixes that did harm, the daemon's own troubles, health."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from autonomyd.aio.clock import Clock
from autonomyd.aio.supervisor import Supervisor
from autonomyd.alert import needs
from autonomyd.alert.families import under_parents
from autonomyd.analyze.graph import NO_GRAPH, ServiceGraph
from autonomyd.engine.healing import SelfHealingSystem
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.model.alert import Alert, Incident
from autonomyd.model.fix import Fix
from autonomyd.model.health import HealthStatus, Severity
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Refusal
from autonomyd.model.subject import Subject
from autonomyd.settings.alerts import AlertSettings


@dataclass(slots=True, kw_only=True)
class Sources:
    """What is looked at for alerts."""

    monitoring: SelfMonitoringSystem
    healing: SelfHealingSystem
    records: Records
    supervisor: Supervisor
    graph: Callable[[], ServiceGraph] = lambda: NO_GRAPH


class IncidentReader:
    """`read` gives what is wrong; `fix_moved` hears of fixes, because those that did harm are looked at only then."""

    def __init__(self, clock: Clock, sources: Sources) -> None:
        self._clock = clock
        self._sources = sources
        self._broken: dict[str, Incident] = {}
        self._harm: dict[int, str] = {}
        self._earlier: dict[int, Refusal] = {}
        self._since: dict[Subject, float] = {}
        self._own_since: dict[str, float] = {}

    async def restore(self) -> None:
        """Take back why nothing was done about the issues of the last run."""
        records = self._sources.records
        for issue in self._sources.monitoring.book.open_issues():
            for stored in await records.read(partial(records.issues.newest, issue.id), []):
                if isinstance(stored.value, Refusal):
                    self._earlier[issue.id] = stored.value

    def read(self, settings: AlertSettings, alerts: Sequence[Alert]) -> tuple[dict[str, Incident], float]:
        """Everything that is wrong now by its key, `need` only where somebody is to be told of it by now; and the
        seconds until another need is old enough. `alerts` are the open ones."""
        of_issues = under_parents(self._of_issues(settings, alerts), self._sources.graph(), self._own_causes())
        found = [*of_issues, *self._of_fixes(alerts), *self._of_ourselves()]
        found += self._of_health(settings, alerts, any(each.need for each in found))
        told, soonest = self._patiently(found, settings.min_severity)
        return {each.key: each for each in told}, soonest

    def fix_moved(self, fix: Fix) -> bool:
        """A fix changed its state; says whether that is something to be told."""
        broken = needs.broken_fix(fix)
        if broken is not None:
            self._broken[broken.key] = broken
        elif fix.ended_at is not None and fix.plan.issue_id and needs.did_harm(fix):
            self._harm[fix.plan.issue_id] = f"{fix.plan.strategy}: {fix.message}"
        else:
            return False
        return True

    def put_right(self, key: str) -> None:
        """A person acknowledged the alert `key`: a fix that could not be rolled back is theirs now."""
        self._broken.pop(key, None)

    def _of_issues(self, settings: AlertSettings, alerts: Sequence[Alert]) -> list[Incident]:
        healing = self._sources.healing
        groups: dict[str, list[Issue]] = {}
        causes: dict[str, str] = {}
        told = {id_: alert for alert in alerts for id_ in alert.issues if not alert.key.startswith(needs.FIX_KEY)}
        open_issues = self._sources.monitoring.book.open_issues()
        for issue in open_issues:
            alert = told.get(issue.id)
            diagnosis = healing.diagnoses.get(issue.id)
            cause = issue.type.value if diagnosis is None or diagnosis.cause is None else diagnosis.cause.cause.value
            # a cause that is seen otherwise now is still the same conversation
            key = f"{issue.subject}|{cause}" if alert is None else alert.key
            groups.setdefault(key, []).append(issue)
            causes.setdefault(key, cause if alert is None else alert.cause)
        ids = {issue.id for issue in open_issues}
        self._harm = {id_: what for id_, what in self._harm.items() if id_ in ids}
        # until an issue of the last run is judged anew, what was decided then holds
        self._earlier = {id_: why for id_, why in self._earlier.items() if id_ in ids and id_ not in healing.decisions}
        return [
            needs.incident_of(
                tuple(issues),
                key=key,
                cause=causes[key],
                decisions={**self._earlier, **healing.decisions},
                made_worse=next((self._harm[each.id] for each in issues if each.id in self._harm), ""),
                settle_s=settings.settle_s,
                patience_s=settings.patience_s,
            )
            for key, issues in groups.items()
        ]

    def _own_causes(self) -> frozenset[int]:
        """The issues that have a certain cause of their own, whatever fails elsewhere."""
        diagnoses = self._sources.healing.diagnoses
        return frozenset(id_ for id_, found in diagnoses.items() if found.certain)

    def _of_fixes(self, alerts: Sequence[Alert]) -> list[Incident]:
        """Fixes that could not be rolled back, until a person says that it was put right."""
        for alert in alerts:
            if alert.key.startswith(needs.FIX_KEY) and alert.acked_at is None and alert.key not in self._broken:
                self._broken[alert.key] = needs.remembered(alert)
        return list(self._broken.values())

    def _of_ourselves(self) -> list[Incident]:
        supervisor, records = self._sources.supervisor, self._sources.records
        wall, stalled = self._clock.wall(), supervisor.stalled()
        found = [needs.store_trouble(records.store.status(), since=wall)]
        found += [
            needs.loop_trouble(
                name,
                since=wall,
                stuck=name in stalled,
                failed_in_a_row=loop.failed_in_a_row,
                error=loop.last_error or "",
            )
            for name, loop in supervisor.loops.items()
        ]
        return self._with_begin([each for each in found if each is not None], needs.OURSELVES)

    def _of_health(self, settings: AlertSettings, alerts: Sequence[Alert], others: bool) -> list[Incident]:
        if settings.health == "off":
            return []
        report = self._sources.monitoring.report()
        alert = next((each for each in alerts if each.key == needs.HEALTH_KEY), None)
        if report.status is HealthStatus.UNKNOWN and alert is not None:
            return [needs.remembered(alert)]  # what is not known ends nothing
        bad = [each for each in report.subjects if each.status is report.status]
        reason = "; ".join(f"{each.subject}: {each.reason or each.status}" for each in bad[:5])
        found = needs.health_trouble(
            report.status,
            bound=HealthStatus(settings.health),
            since=self._clock.wall(),
            reason=reason,
            after_s=settings.health_for_s,
        )
        if found is None:
            return self._with_begin([], needs.HEALTH_KEY)
        if others:
            found = replace(found, need=None)
        return self._with_begin([found], needs.HEALTH_KEY)

    def _with_begin(self, incidents: list[Incident], prefix: str) -> list[Incident]:
        """What has no time of its own began when it was first seen."""
        keys = {each.key for each in incidents}
        kept = {key: at for key, at in self._own_since.items() if key in keys or not key.startswith(prefix)}
        self._own_since = kept
        return [replace(each, since=kept.setdefault(each.key, each.since)) for each in incidents]

    def _patiently(self, incidents: list[Incident], least: Severity) -> tuple[list[Incident], float]:
        """Drop the needs that are too small, or too young; gives the seconds until the next is old enough, too. Time
        counts by subject: a cause that is seen otherwise from look to look must not begin it anew."""
        now = self._clock.monotonic()
        wanted = [
            each
            for each in incidents
            if each.need and (each.severity is Severity.CRITICAL or least is Severity.WARNING)
        ]
        self._since = {each.subject: self._since.get(each.subject, now) for each in wanted}
        soonest = float("inf")
        told = []
        for each in incidents:
            left_s = 0.0
            if each in wanted and each.need is not None:
                left_s = self._since[each.subject] + each.need.after_s - now
                if left_s > 0:
                    soonest = min(soonest, left_s)
            told.append(each if each in wanted and left_s <= 0 else replace(each, need=None))
        return told, soonest
