"""What changed, and when: a view over the diary and the fixes, with the newest changes in memory. What the diary would
not hear of by itself (edited files, packages, restarts from outside, boots) is looked for at every turn and written
there, with the time at which it happened."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.analyze.timeline import (
    AFTER_S,
    BOOTED,
    LEVEL_SHIFTED,
    PACKAGES_CHANGED,
    RESTARTED_OUTSIDE,
    aligned,
    change_of,
    change_of_fix,
    likely,
)
from autonomyd.engine.insight.file_changes import FileChanges
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.records import Records
from autonomyd.host.packages import PackageChange, PackageLog
from autonomyd.host.process import booted_at
from autonomyd.model.event import Event
from autonomyd.model.fix import Fix
from autonomyd.model.issue import Issue
from autonomyd.model.subject import HOST, Subject, service_of, service_subject
from autonomyd.model.timeline import Change, ChangeKind, Coincidence, Entry, EntryKind
from autonomyd.model.words import DAY_S

KEPT = 1000
"""Changes in memory. More than that in a day is a machine on which none of them means anything."""
RESTORED_S = 2 * DAY_S
MOST_EVENTS = 5000
MOST_FIXES = 500
MOST_ISSUES = 500
ECHO_S = 2.0
"""What changes so shortly before or after one of our own fixes is that fix."""
SAME_S = 30.0
"""Two tellings of one boot, or of one restart, are no further apart."""
TOGETHER_S = 60.0
"""Packages that follow one another within this time are one change."""
NAMED = 5

log = structlog.get_logger(__name__)


class Timeline:
    """`tick` looks for changes, `about` says which of them a trouble may be due to, `entries` lists everything."""

    def __init__(
        self,
        *,
        clock: Clock,
        records: Records,
        services: Callable[[], Mapping[str, ManagedService]],
        known: KnownGood,
        packages: PackageLog | None = None,
        booted: Callable[[], float] = booted_at,
    ) -> None:
        self._clock = clock
        self._records = records
        self._services = services
        self._packages = packages or PackageLog()
        self._booted = booted
        self._files = FileChanges(known, self._notice)
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._fixes: dict[int, Fix] = {}
        self._started: dict[str, float] = {}
        self._begun = False
        records.on_event = self.hear

    def hear(self, event: Event) -> None:
        """A line was written into the diary."""
        change = change_of(event)
        if change is not None:
            self._changes.append(change)

    def fix_moved(self, fix: Fix) -> None:
        """A fix has come to another state."""
        change = change_of_fix(fix)
        if change is None:
            return
        known = self._fixes.get(fix.id)
        was = None if known is None else change_of_fix(known)
        if was is not None and was in self._changes:
            self._changes.remove(was)
        self._changes.append(change)
        self._fixes[fix.id] = fix
        while len(self._fixes) > KEPT:
            del self._fixes[next(iter(self._fixes))]

    async def restore(self) -> None:
        """Take back what the last two days had."""
        records, since = self._records, self._clock.wall() - RESTORED_S
        events: list[Event] = await records.read(lambda: records.events.recent(limit=MOST_EVENTS, since=since), [])
        fixes: list[Fix] = await records.read(lambda: records.fixes.recent(limit=MOST_FIXES), [])
        found = [change for change in map(change_of, events) if change is not None]
        missing = [each for each in found if each not in self._changes]
        self._changes.extendleft(missing[: KEPT - len(self._changes)])
        for fix in reversed(fixes):
            if fix.started_at >= since:
                self.fix_moved(fix)

    async def tick(self) -> None:
        """Look for what changed."""
        services = self._services()
        self._files.forget_all_but(services)
        self._started = {name: at for name, at in self._started.items() if name in services}
        await self._files.look(services.values(), now=self._clock.wall())
        self._look_at_starts(services.values())
        if self._begun:
            await self._look_at_packages()  # not in the first turn: the daemon is not ready before that
        else:
            self._begun = True
            self._look_at_boot()

    async def look(self, service: ManagedService) -> None:
        """Look at the files of one service now."""
        await self._files.look((service,), now=self._clock.wall())

    def changes(self, *, since: float = 0.0) -> tuple[Change, ...]:
        """Those in memory, oldest first."""
        return tuple(sorted((each for each in self._changes if each.at >= since), key=lambda each: each.at))

    def about(
        self, subject: Subject, at: float, *, within_s: float = 0.0, issue: int | None = None
    ) -> tuple[Coincidence, ...]:
        """The changes that may have made what began on `subject` at `at` (epoch seconds, give or take `within_s`), the
        issue with the number `issue` where it is one."""
        return aligned(at, subject, self._changes, needs=self._needs(subject), within_s=within_s, issue=issue)

    async def entries(self, *, since: float, subject: Subject | None = None) -> tuple[Entry, ...]:
        """Changes, shifts, fixes and issues since `since` (epoch seconds), oldest first. Of a `subject` its own, and
        the changes of what it needs and of the machine."""
        records = self._records
        earlier = since - DAY_S  # the day before belongs to the formula of the first ones
        events: list[Event] = await records.read(lambda: records.events.recent(limit=MOST_EVENTS, since=earlier), [])
        fixes: list[Fix] = await records.read(lambda: records.fixes.recent(limit=MOST_FIXES), [])
        issues: list[Issue] = await records.read(partial(records.issues.recent, limit=MOST_ISSUES, subject=subject), [])

        def line() -> tuple[Entry, ...]:
            changes = [each for each in (*map(change_of, events), *map(change_of_fix, fixes)) if each is not None]
            changes.sort(key=lambda each: each.at)
            found = [*_changed(changes), *_fixed(fixes), *_opened(issues), *_shifted(events)]
            wanted = (each for each in found if each.at >= since and self._belongs(each, subject))
            times = [each.at for each in changes]
            return tuple(sorted((self._due(each, changes, times) for each in wanted), key=lambda each: each.at))

        return await in_thread(line)  # of thousands of changes and shifts a day it takes a second and more

    def _belongs(self, entry: Entry, subject: Subject | None) -> bool:
        if subject is None or entry.subject == subject:
            return True
        around = entry.kind in (EntryKind.CHANGE, EntryKind.FIX)
        return around and (entry.subject == HOST or entry.subject in self._needs(subject))

    def _due(self, entry: Entry, changes: Sequence[Change], times: Sequence[float]) -> Entry:
        """The entry with the change that it is likely due to."""
        if entry.kind not in (EntryKind.ISSUE, EntryKind.SHIFT):
            return entry
        near = changes[bisect_left(times, entry.at - DAY_S) : bisect_right(times, entry.at + AFTER_S)]
        issue = entry.number if entry.kind is EntryKind.ISSUE else None
        due = likely(aligned(entry.at, entry.subject, near, needs=self._needs(entry.subject), issue=issue))
        if due is None:
            return entry
        return Entry(
            at=entry.at,
            kind=entry.kind,
            subject=entry.subject,
            words=entry.words,
            level=entry.level,
            number=entry.number,
            until=entry.until,
            due=due,
        )

    def _needs(self, subject: Subject) -> tuple[Subject, ...]:
        service = self._services().get(service_of(subject) or "")
        return () if service is None else tuple(map(service_subject, service.settings.depends_on))

    def _notice(self, kind: str, subject: Subject, words: str, at: float) -> None:
        """Something was found that the diary does not have; what a fix of ours did is that fix."""
        name = service_of(subject)
        if name is not None and any(_covers(fix, name, at) for fix in self._fixes.values()):
            return
        event = Event(at=at, kind=kind, subject=subject, message=words, actor="")
        told = change_of(event)
        if any(told is not None and _same(each, told) for each in self._changes):
            return
        log.info("change_seen", kind=kind, subject=subject, what=words)
        self._records.event(kind, subject, words, actor="", at=at)

    def _look_at_starts(self, services: Iterable[ManagedService]) -> None:
        """A process that is another one, though nobody here has started it and the one before did not die by itself."""
        now = self._clock.wall()
        for service in services:
            at = service.run.started_at
            if at is None:
                continue
            before = self._started.get(service.name, at)
            self._started[service.name] = at
            if at - before <= ECHO_S or service.operating or service.holders:
                continue
            died_at = service.deaths[-1] + now - self._clock.monotonic() if service.deaths else 0.0
            restarted = (each for each in self._changes if each.subject == service.subject)
            asked = any(each.kind is ChangeKind.RESTART and abs(each.at - at) <= SAME_S for each in restarted)
            if died_at <= before and not asked:
                self._notice(RESTARTED_OUTSIDE, service.subject, f"pid {service.run.pid}", at)

    async def _look_at_packages(self) -> None:
        now = self._clock.wall()
        known = (each.at for each in self._changes if each.kind is ChangeKind.PACKAGE)
        since = max(now - DAY_S, max(known, default=0.0) + TOGETHER_S)
        found = await in_thread(lambda: self._packages.look(since=since))
        by_subject: dict[Subject, list[PackageChange]] = {}
        for each in found:
            by_subject.setdefault(self._whose(each.name), []).append(each)
        for subject, changes in by_subject.items():
            for group in _grouped(changes):
                self._notice(PACKAGES_CHANGED, subject, _packages_words(group), min(group[0].at, now))

    def _whose(self, package: str) -> Subject:
        """The service that the package is named like, else the machine."""
        for service in self._services().values():
            unit = getattr(service.settings.control, "unit", "").removesuffix(".service")
            if package in (service.name, unit):
                return service.subject
        return HOST

    def _look_at_boot(self) -> None:
        at, now = self._booted(), self._clock.wall()
        if now - RESTORED_S <= at <= now:
            self._notice(BOOTED, HOST, "the machine was booted", at)


def _covers(fix: Fix, service: str, at: float) -> bool:
    ended = fix.ended_at if fix.ended_at is not None else at
    return fix.plan.service == service and fix.started_at - ECHO_S <= at <= ended + ECHO_S


def _same(one: Change, other: Change) -> bool:
    near_s = SAME_S if other.subject == HOST and other.kind is ChangeKind.RESTART else ECHO_S
    return (one.kind, one.subject, one.what) == (other.kind, other.subject, other.what) and abs(
        one.at - other.at
    ) <= near_s


def _grouped(changes: Sequence[PackageChange]) -> list[list[PackageChange]]:
    groups: list[list[PackageChange]] = []
    for each in changes:
        if groups and each.at - groups[-1][-1].at <= TOGETHER_S:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _packages_words(group: Sequence[PackageChange]) -> str:
    words = ", ".join(each.words for each in group[:NAMED])
    return f"{words} and {len(group) - NAMED} more" if len(group) > NAMED else words


def _changed(changes: Iterable[Change]) -> list[Entry]:
    return [
        Entry(
            at=each.at,
            kind=EntryKind.CHANGE,
            subject=each.subject,
            words=each.what,
            actor=each.actor,
            level=each.kind.value,
        )
        for each in changes
        if each.kind is not ChangeKind.FIX
    ]


def _fixed(fixes: Iterable[Fix]) -> list[Entry]:
    return [
        Entry(
            at=change.at,
            kind=EntryKind.FIX,
            subject=change.subject,
            words=fix.plan.strategy,
            actor=fix.actor,
            level=fix.outcome.value if fix.outcome is not None else fix.state.value,
            number=fix.id,
            until=fix.ended_at,
        )
        for fix in fixes
        if (change := change_of_fix(fix)) is not None
    ]


def _opened(issues: Iterable[Issue]) -> list[Entry]:
    return [
        Entry(
            at=each.opened_at,
            kind=EntryKind.ISSUE,
            subject=each.subject,
            words=each.summary,
            level=each.severity.value,
            number=each.id,
            until=each.resolved_at,
        )
        for each in issues
    ]


def _shifted(events: Iterable[Event]) -> list[Entry]:
    return [
        Entry(at=each.at, kind=EntryKind.SHIFT, subject=each.subject, words=each.message)
        for each in events
        if each.kind == LEVEL_SHIFTED
    ]
