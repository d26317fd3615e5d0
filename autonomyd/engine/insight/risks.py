"""Keeps the risk book: reads the recorded history once, and each turn what is new. Problems come from the store; error
patterns from the log checks, each time that one is seen after five minutes without it (a line of the diary)."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.analyze.risk.verdicts import Deed, Problem, deed
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.knowledge.predictions import Mark, Opening
from autonomyd.model.facts import LogErrors
from autonomyd.model.health import Severity
from autonomyd.model.issue import SOON, Issue, IssueType
from autonomyd.model.risk import RiskKey, RiskOf, RiskReport
from autonomyd.model.subject import Subject
from autonomyd.model.words import DAY_S
from autonomyd.settings.root import Settings

if TYPE_CHECKING:
    from autonomyd.analyze.risk.book import RiskBook

PATTERN = "log_pattern"
NAME_CHARS = 200
"""A rule of a person is named by its whole pattern."""
FORESEEN = (IssueType.ANOMALY.value,)
"""An issue of this kind, or one whose metric ends with `.soon`, is itself a warning: nothing has failed yet."""

OLDEST_S = 3650 * DAY_S

LogErrorsNow = Callable[[], Iterable[tuple[Subject, LogErrors]]]
Happening = tuple[float, int, RiskKey]
"""When, 1 for its begin and 0 for its end, and what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was recorded since the last read, each in the order of time."""

    problems: tuple[Problem, ...] = ()
    deeds: tuple[Deed, ...] = ()
    blind: tuple[tuple[float, float], ...] = ()


class RiskWatch:
    """`read` brings the book up to date and tells what is new; `log_errors` gives what the log checks see now."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], Settings],
        records: Records,
        monitoring: SelfMonitoringSystem,
        log_errors: LogErrorsNow = tuple,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._records = records
        self._monitoring = monitoring
        self._log_errors = log_errors
        self._reading = asyncio.Lock()
        self._made: RiskBook | None = None
        self._after_issue = 0
        self._after_mark = 0
        self._after_act = 0.0
        self._stopped_at: float | None = None
        self._there: dict[int, tuple[RiskKey, ...]] = {}
        self._seen: set[tuple[Subject, str]] = set()

    async def read(self) -> News:
        """Everything that was recorded since the last read."""
        async with self._reading:
            self._note_patterns()
            predictions = self._records.predictions
            opened = await self._records.read(lambda: predictions.openings(self._after_issue), [])
            marks = await self._records.read(lambda: predictions.marks(self._after_mark), [])
            acts = await self._records.read(lambda: predictions.acts(self._after_act), [])
            self._after_issue = opened[-1].id if opened else self._after_issue
            self._after_mark = marks[-1].seq if marks else self._after_mark
            self._after_act = acts[-1].at if acts else self._after_act
            blind = tuple(self._unseen(marks))
            happenings = sorted([*self._problems(opened), *_patterns(marks), *self._over()], key=_order)
            now = self._clock.wall()
            # the whole history at the first time: not in the way of the checks
            book = self._book
            await in_thread(lambda: _feed(book, blind, happenings, now))
            touched = [each for each in marks if each.kind.startswith("service_")]
            deeds = [
                each for act in acts for each in deed(act.at, act.service, act.subject, _by(act.strategy, act.actor))
            ]
            deeds += [Deed(at=each.at, subject=Subject(each.subject), words=each.message) for each in touched]
            return News(
                problems=tuple(_problem(each) for each in opened if _counts(each)),
                deeds=tuple(sorted(deeds, key=lambda each: each.at)),
                blind=blind,
            )

    async def report(self) -> RiskReport:
        """Every risk as of now."""
        async with self._reading:
            return self._book.report(self._clock.wall())

    def again(self, issue: Issue) -> float | None:
        """The risk (0..1) that such a problem begins within 24 h; None when it is not known yet."""
        if self._reading.locked() or self._made is None:
            return None
        found = self._book.row(problem_key(issue.subject, issue.type.value, issue.metric), self._clock.wall())
        return None if found is None else found.probability

    # --- private -----------------------------------------------------------------------------------------------------

    @property
    def _book(self) -> "RiskBook":
        """Made at the first read, by what the configuration says now."""
        from autonomyd.analyze.risk.book import RiskBook  # not in the way of the start
        from autonomyd.analyze.risk.logistic import Curve

        if self._made is None:
            self._made = RiskBook()
        wanted = self._settings().risk
        self._made.curve = Curve(k=wanted.k, norm=wanted.norm)
        return self._made

    def _problems(self, opened: Iterable[Opening]) -> Iterator[Happening]:
        for each in filter(_counts, opened):
            subject = Subject(each.subject)
            keys = (RiskKey(of=RiskOf.COMPONENT, subject=subject), problem_key(subject, each.type, each.metric))
            for key in keys:
                yield each.opened_at, 1, key
                if each.resolved_at is not None:
                    yield each.resolved_at, 0, key
            if each.resolved_at is None:
                self._there[each.id] = keys

    def _over(self) -> Iterator[Happening]:
        """The ends of what was there at the last read."""
        still = {issue.id for issue in self._monitoring.book.open_issues()}
        now = self._clock.wall()
        for number in [number for number in self._there if number not in still]:
            for key in self._there.pop(number):
                yield now, 0, key

    def _note_patterns(self) -> None:
        """Write down the error patterns that are seen anew; the next read finds them."""
        seen: set[tuple[Subject, str]] = set()
        for subject, errors in self._log_errors():
            if (subject, errors.rule) not in self._seen | seen:
                self._records.event(PATTERN, subject, errors.rule[:NAME_CHARS])
            seen.add((subject, errors.rule))
        self._seen = seen

    def _unseen(self, marks: Iterable[Mark]) -> Iterator[tuple[float, float]]:
        """The spans in which the daemon did not run. One that was killed wrote no last line: then since the last."""
        for mark in marks:
            if mark.kind == "daemon_stopped":
                self._stopped_at = mark.at
            elif mark.kind == "daemon_started":
                begin = mark.before_at if self._stopped_at is None else self._stopped_at
                self._stopped_at = None
                if mark.at > begin:
                    yield begin, mark.at


def _feed(book: "RiskBook", blind: tuple[tuple[float, float], ...], happenings: list[Happening], now: float) -> None:
    for span in blind:
        book.blind(*span)
    for at, begins, key in happenings:
        if not now - OLDEST_S <= at <= now + DAY_S:
            book.odd += 1  # written while the clock was wrong
        elif begins:
            book.begins(key, at)
        else:
            book.ends(key, at)
    book.advance(now)


def problem_key(subject: Subject, kind: str, metric: str) -> RiskKey:
    """One kind of problem on one subject."""
    return RiskKey(of=RiskOf.PROBLEM, subject=subject, name=f"{kind} {metric}")


def _counts(opened: Opening) -> bool:
    return opened.severity != Severity.NOTICE and opened.type not in FORESEEN and not opened.metric.endswith(SOON)


def _problem(opened: Opening) -> Problem:
    return Problem(at=opened.opened_at, subject=Subject(opened.subject), type=opened.type, metric=opened.metric)


def _patterns(marks: Iterable[Mark]) -> Iterator[Happening]:
    for mark in marks:
        if mark.kind == PATTERN:
            key = RiskKey(of=RiskOf.PATTERN, subject=Subject(mark.subject), name=mark.message)
            yield mark.at, 1, key
            yield mark.at, 0, key


def _order(happening: Happening) -> tuple[float, int]:
    return happening[0], -happening[1]


def _by(strategy: str, actor: str) -> str:
    return strategy if actor == "autonomyd" else f"{strategy} (asked by {actor})"
