"""Symptoms under a failed parent are one incident."""

from dataclasses import replace

import pytest

from autonomyd.alert.families import under_parents
from autonomyd.analyze.graph import NO_GRAPH, ServiceGraph
from autonomyd.model.alert import Incident, Need
from autonomyd.model.graph import Edge, EdgeKind
from autonomyd.model.health import Severity
from autonomyd.model.subject import HOST, service_subject

CHAIN = ServiceGraph(
    ["web", "api", "db"],
    [
        Edge(child="web", parent="api", kind=EdgeKind.DECLARED, how="declared: depends_on"),
        Edge(child="api", parent="db", kind=EdgeKind.CONNECTION, how="seen: it is connected to port 5432"),
    ],
)
NEED = Need(reason="undetermined", why="nobody knows")


def incident(name: str, number: int, *, since: float = 100.0, need: Need | None = NEED, **more: object) -> Incident:
    fields = {
        "key": f"service:{name}|x",
        "subject": service_subject(name),
        "cause": "x",
        "severity": Severity.CRITICAL,
        "summary": f"{name} does not work",
        "since": since,
        "issues": (number,),
        "need": need,
    }
    return Incident(**(fields | more))  # type: ignore[arg-type]


def test_the_parent_names_its_children_and_they_are_told_of_no_more() -> None:
    found = under_parents([incident("web", 1), incident("api", 2), incident("db", 3)], CHAIN, ())
    assert [each.need is None for each in found] == [True, True, False]
    assert found[2].seen == (
        "web fails with it (through api): web does not work",
        "api fails with it (seen: it is connected to port 5432): api does not work",
    )


def test_a_child_that_failed_long_before_its_parent_stands_for_itself() -> None:
    found = under_parents([incident("api", 2, since=10.0), incident("db", 3, since=100.0)], CHAIN, ())
    assert [each.need for each in found] == [NEED, NEED]


def test_a_need_of_the_child_becomes_the_parents_where_that_has_none() -> None:
    found = under_parents([incident("api", 2), incident("db", 3, need=None, severity=Severity.WARNING)], CHAIN, ())
    assert found[0].need is None
    assert found[1].need is not None
    assert found[1].need.why == "api, which needs it, fails as well: nobody knows"
    assert found[1].severity is Severity.CRITICAL


@pytest.mark.parametrize("reason", ["needs_approval", "low_confidence", "made_worse"])
def test_what_asks_for_a_word_about_the_child_itself_is_asked(reason: str) -> None:
    asks = Need(reason=reason, why="")
    found = under_parents([incident("api", 2, need=asks), incident("db", 3)], CHAIN, ())
    assert found[0].need == asks


def test_a_proven_cause_of_its_own_stands_for_itself() -> None:
    found = under_parents([incident("api", 2), incident("db", 3)], CHAIN, {2})
    assert found[0].need == NEED


def test_a_notice_explains_nothing_and_what_is_no_service_stays() -> None:
    noted = incident("db", 3, severity=Severity.NOTICE, need=None)
    host = replace(incident("x", 4), subject=HOST)
    given = [incident("api", 2), noted, host]
    assert under_parents(given, CHAIN, ()) == given
    assert under_parents(given, NO_GRAPH, ()) == given
