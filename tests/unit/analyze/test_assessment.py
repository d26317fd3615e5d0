"""What a problem means: reach, severity, complexity, time and place of its repair."""

import pytest

from autonomyd.analyze.assessment import DEFAULT_S, assess, fix_type_of
from autonomyd.analyze.graph import NO_GRAPH, ServiceGraph
from autonomyd.model.diagnosis import Cause, Complexity, Diagnosis, FixType, RankedCause
from autonomyd.model.graph import Edge, EdgeKind
from autonomyd.model.health import Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.subject import HOST, service_subject
from autonomyd.testing import issue

WEB = service_subject("web")


def found(*causes: tuple[Cause, float], certain: bool = False) -> Diagnosis:
    ranked = tuple(RankedCause(cause=cause, confidence=points) for cause, points in causes)
    return Diagnosis(subject=WEB, causes=ranked, certain=certain)


def needing(count: int) -> ServiceGraph:
    names = [f"s{number}" for number in range(count)]
    edges = [Edge(child=name, parent="web", kind=EdgeKind.DECLARED, how="") for name in names]
    return ServiceGraph(["web", *names], edges)


def test_a_known_cause_with_one_remedy_is_simple_and_its_time_is_stated() -> None:
    told = assess(issue(), found((Cause.PROCESS_GONE, 99.0), certain=True), NO_GRAPH, strategy="start")
    assert (told.complexity, told.affected) == (Complexity.LOW, ())
    assert told.fix_s == DEFAULT_S[Complexity.LOW]
    assert told.fix_from == "stated for a repair of low complexity"


def test_times_that_were_learned_count_from_three_on() -> None:
    diagnosis = found((Cause.PROCESS_GONE, 99.0), certain=True)
    two = assess(issue(), diagnosis, NO_GRAPH, strategy="start", taken_s=(2.0, 4.0))
    three = assess(issue(), diagnosis, NO_GRAPH, strategy="start", taken_s=(2.0, 900.0, 4.0))
    assert two.fix_s == DEFAULT_S[Complexity.LOW]
    assert "with 2 of this kind so far" in two.fix_from
    assert (three.fix_s, three.fix_from) == (4.0, "the median of 3 repairs of this kind")


@pytest.mark.parametrize("diagnosis", [None, Diagnosis(subject=WEB, note="nobody knows")])
def test_an_unknown_cause_is_hard(diagnosis: Diagnosis | None) -> None:
    told = assess(issue(), diagnosis, NO_GRAPH)
    assert (told.complexity, told.fix_type) == (Complexity.HIGH, FixType.INFRASTRUCTURE)
    assert told.why == ("the cause is not known",)


def test_without_a_remedy_it_is_a_persons_work() -> None:
    assert assess(issue(), found((Cause.HOST_STRAINED, 70.0)), NO_GRAPH).complexity is Complexity.HIGH


def test_rivals_doubt_and_a_wide_reach_make_it_harder() -> None:
    rivals = found((Cause.CONFIG_CHANGED, 92.0), (Cause.PROCESS_HUNG, 88.0))
    assert assess(issue(), rivals, NO_GRAPH, strategy="restore-config").complexity is Complexity.MEDIUM
    doubted = found((Cause.PROCESS_HUNG, 70.0))
    assert assess(issue(), doubted, NO_GRAPH, strategy="restart").complexity is Complexity.MEDIUM
    wide = assess(issue(severity=Severity.WARNING), found((Cause.PROCESS_HUNG, 95.0)), needing(3), strategy="restart")
    assert (wide.complexity, wide.severity) == (Complexity.MEDIUM, Severity.CRITICAL)
    assert "3 services need it" in wide.why


def test_a_notice_stays_one_whoever_needs_it() -> None:
    told = assess(issue(IssueType.ANOMALY, severity=Severity.NOTICE), None, needing(9))
    assert told.severity is Severity.NOTICE


def test_what_is_wrong_with_the_machine_reaches_all_services() -> None:
    assert assess(issue(subject=HOST), None, needing(2)).affected == ("web", "s0", "s1")


@pytest.mark.parametrize("cause", [*Cause, None])
def test_every_cause_has_a_place_of_repair(cause: Cause | None) -> None:
    assert isinstance(fix_type_of(cause), FixType)
