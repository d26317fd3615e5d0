"""`Situation.suspects`: which series moved when the trouble began, among those of the service, of what it needs, and
of the machine; ranked by `analyze.root_cause`, the most suspect first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from autonomyd.aio.clock import Clock
from autonomyd.analyze.graph import ServiceGraph
from autonomyd.engine.insight.shifts import LEAST
from autonomyd.engine.managed import ManagedService
from autonomyd.model.diagnosis import Suspect
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.subject import HOST, Subject, service_of, service_subject
from autonomyd.monitor.ring import RingReader, SeriesView

if TYPE_CHECKING:
    from autonomyd.analyze.root_cause.ranking import Name

NORMAL_S = 600.0
"""How long before the begin counts as normal."""
LEAD_S = 20.0
"""A trouble begins before it is called one: the samples of this time before the issue count for neither side."""
ENOUGH_BEFORE = 20
ENOUGH_DURING = 2
"""Samples of the two spans: fewer tell nothing of what is usual, or are one odd look."""
MOST_COLUMNS = 60
MOST_SERVICES = 10
SHOWN = 5
TELLING = 0.05
"""A suspect with a smaller share of the suspicion is not told."""
EXPLAINED = frozenset(IssueType) - {IssueType.SERVICE_DOWN}
"""A process that is gone needs no series to explain it, and its start does not wait for one."""


class SuspectsReader:
    """`graph` gives what is known of who needs whom. It reads the ring only: a few ms."""

    field = "suspects"

    def __init__(self, clock: Clock, ring: RingReader, graph: Callable[[], ServiceGraph]) -> None:
        self._clock = clock
        self._ring = ring
        self._graph = graph

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return issue.type in EXPLAINED and not issue.certain

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[Suspect, ...]:
        return self.of(issue)

    def of(self, issue: Issue) -> tuple[Suspect, ...]:
        """The suspects of an issue, most suspect first; empty when too little is known, or nothing moved."""
        from autonomyd.analyze.root_cause.ranking import ranked  # a machine without trouble does without
        from autonomyd.analyze.root_cause.told import suspects

        since = self._clock.monotonic() - (self._clock.wall() - issue.opened_at)
        around, calls = self._around(issue.subject)
        names: list[Name] = []
        normal: list[Sequence[float]] = []
        abnormal: list[Sequence[float]] = []
        units: dict[tuple[str, str], str] = {}
        for subject, metric in self._series(around):
            view = self._ring.view(subject, metric)
            before, during = ((), ()) if view is None else split(view, since)
            if view is None or len(before) < ENOUGH_BEFORE or len(during) < ENOUGH_DURING:
                continue
            names.append((subject, metric, ""))
            normal.append(before)
            abnormal.append(during)
            units[subject, metric] = view.unit
        target = (str(issue.subject), issue.metric, "")
        found = ranked(names, normal, abnormal, target=target if target in names else None, calls=calls)
        return suspects(found, units, most=SHOWN, least=TELLING, matters=LEAST)

    def _around(self, subject: Subject) -> tuple[tuple[Subject, ...], Mapping[str, Sequence[str]]]:
        """The subjects that could be behind it, and who leans on whom among them: services on what they need, and all
        of them on the machine."""
        name = service_of(subject)
        if name is None:
            return (subject, HOST), {subject: (HOST,)} if subject != HOST else {}
        graph = self._graph()
        services = (name, *graph.above(name)[: MOST_SERVICES - 1])
        calls = {str(service_subject(each)): (*map(service_subject, graph.parents(each)), HOST) for each in services}
        return (*map(service_subject, services), HOST), calls

    def _series(self, subjects: Sequence[Subject]) -> Iterator[tuple[Subject, str]]:
        """Nearest subjects first, at most MOST_COLUMNS."""
        of: dict[Subject, list[str]] = {}
        for subject, metric in self._ring.names():
            of.setdefault(subject, []).append(metric)
        each = ((subject, metric) for subject in subjects for metric in of.get(subject, ()))
        for _, found in zip(range(MOST_COLUMNS), each, strict=False):
            yield found


def split(view: SeriesView, since: float) -> tuple[Sequence[float], Sequence[float]]:
    """The values of NORMAL_S before LEAD_S before `since` (monotonic), and those from LEAD_S before it on. What came
    while the trouble grew counts as trouble."""
    from bisect import bisect_left

    at = view.at
    begin = since - LEAD_S
    first = bisect_left(at, begin - NORMAL_S)
    middle = bisect_left(at, begin)
    return view.values[first:middle], view.values[middle:]
