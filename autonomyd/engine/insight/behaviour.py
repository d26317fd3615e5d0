"""The notices that a subject behaves otherwise: from what the surprises of its metrics prove together."""

from collections.abc import Callable

from autonomyd.analyze.anomaly.evidence import Contributor, Evidence
from autonomyd.analyze.issuebook import IssueBook, Key
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.subject import Subject
from autonomyd.model.words import counted, duration

BEHAVIOUR = "behaviour"
NAMED = 3
"""Metrics named in the summary; the evidence has them all."""
OVER = "its metrics are what is usual again, or what has become usual"


class Behaviour:
    """The evidence of each subject that has any, and the notices in the book."""

    def __init__(self, book: IssueBook) -> None:
        self._book = book
        self._evidence: dict[Subject, Evidence] = {}
        self._told: dict[Subject, frozenset[str]] = {}

    def surprised(self, subject: Subject, found: Contributor) -> None:
        """A metric was far from all that was known of it."""
        evidence = self._evidence.get(subject)
        if evidence is None:
            evidence = self._evidence[subject] = Evidence()
        evidence.surprised(found)

    def looked(self, subject: Subject, metric: str, at: float, away: bool) -> None:
        """A sample at `at` (epoch seconds), and whether it is away from what is usual."""
        evidence = self._evidence.get(subject)
        if evidence is not None:
            evidence.looked(metric, at, away)

    def judge(self, wall_now: float, *, silent: Callable[[Subject, str], bool]) -> None:
        """Open the notices that are due and end those that are over. `silent` says that nothing more comes of a
        metric: it tells nothing any more, neither this nor that."""
        for subject in [each for each in self._told if self._book.find(_key(each)) is None]:
            del self._told[subject]  # somebody else has ended it, as when the service was configured anew
        for subject, evidence in list(self._evidence.items()):
            for each in evidence.ranked():
                if silent(subject, each.metric):
                    evidence.silent(each.metric)
            if evidence.telling and (subject in self._told or not self._troubled(subject)):
                self._tell(subject, evidence, wall_now)
            if not evidence:
                del self._evidence[subject]
        for issue in self._book.open_issues():
            if issue.type is IssueType.ANOMALY and issue.metric == BEHAVIOUR and issue.subject not in self._evidence:
                self._book.clear(issue.key, cause=OVER, wall_now=wall_now)

    def _troubled(self, subject: Subject) -> bool:
        """Whether something is known to be wrong with it: then that it behaves otherwise is no news."""
        return any(issue.severity is not Severity.NOTICE for issue in self._book.of_subject(subject))

    def _tell(self, subject: Subject, evidence: Evidence, wall_now: float) -> None:
        """Once, and again when another metric joins."""
        ranked = evidence.ranked()
        metrics = frozenset(each.metric for each in ranked)
        told = self._told.get(subject)
        if told is None or not metrics <= told:
            self._told[subject] = metrics | (told or frozenset())
            self._book.report(_finding(subject, ranked, wall_now), wall_now=wall_now)


def _key(subject: Subject) -> Key:
    return (IssueType.ANOMALY, subject, BEHAVIOUR)


def _finding(subject: Subject, ranked: tuple[Contributor, ...], wall_now: float) -> Finding:
    named = ", ".join(f"{each.metric} {_figures(each)}" for each in ranked[:NAMED])
    more = f" and {counted(len(ranked) - NAMED, 'more metric')}" if len(ranked) > NAMED else ""
    since_s = wall_now - min(each.since for each in ranked)
    return Finding(
        type=IssueType.ANOMALY,
        subject=subject,
        metric=BEHAVIOUR,
        severity=Severity.NOTICE,
        summary=f"it behaves as it never did while it was watched, for {duration(since_s)} now: {named}{more}",
        evidence=tuple(
            f"{each.metric} {_figures(each)}, for {duration(each.away_s)}; by chance once in 10^{each.strength:.0f}"
            for each in ranked
        ),
    )


def _figures(each: Contributor) -> str:
    unit = f" {each.unit}" if each.unit else ""
    return f"at {each.value:.4g}{unit}, usually {each.expected:.4g} ± {each.spread:.2g}"
