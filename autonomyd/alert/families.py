"""What fails because something that it needs has failed is part of that incident: people are told of the parent, with
its children named, and not of each child."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from autonomyd.alert.needs import FOR_A_PERSON
from autonomyd.analyze.graph import ServiceGraph
from autonomyd.model.alert import Incident
from autonomyd.model.health import Severity
from autonomyd.model.subject import service_of

SLACK_S = 30.0
"""A child may be seen to fail this much earlier than its parent: its checks look more often."""
ITS_OWN = frozenset({"made_worse", *FOR_A_PERSON})
"""Needs that a child keeps: what asks for a person's word about itself is not answered by mending its parent."""


def under_parents(incidents: Sequence[Incident], graph: ServiceGraph, own_causes: Collection[int]) -> list[Incident]:
    """The incidents, those of children without a need of their own and told of by their failed parent's. `own_causes`
    are the issues with a proven cause of their own: those stand for themselves. An incident stays in the list whatever
    becomes of it, so that an alert that is open goes on."""
    roots = _roots(incidents)
    folded: dict[int, int] = {}
    for index, each in enumerate(incidents):
        name = service_of(each.subject)
        asks = each.need is not None and each.need.reason in ITS_OWN
        if name is None or asks or set(each.issues) & set(own_causes):
            continue
        root = graph.root_of(name, roots)
        if root is not None and incidents[roots[root]].since <= each.since + SLACK_S:
            folded[index] = roots[root]
    found = list(incidents)
    for child, parent in folded.items():
        found[parent] = _with_child(found[parent], found[child], graph)
    for child in folded:
        found[child] = replace(found[child], need=None)
    return found


def _roots(incidents: Sequence[Incident]) -> dict[str, int]:
    """The services with an incident that could explain others: one that fails, not one that is only noted. Of several
    the first to begin."""
    found: dict[str, int] = {}
    for index, each in enumerate(incidents):
        name = service_of(each.subject)
        if name is None or each.severity is Severity.NOTICE:
            continue
        if name not in found or each.since < incidents[found[name]].since:
            found[name] = index
    return found


def _with_child(parent: Incident, child: Incident, graph: ServiceGraph) -> Incident:
    """The parent's incident, which names the child and how it is known that it hangs on the parent. A need of the child
    becomes the parent's when that has none: somebody has to be told of the two."""
    below, above = service_of(child.subject) or "", service_of(parent.subject) or ""
    how = graph.how(below, above) or f"through {', '.join(graph.parents(below))}"
    need = parent.need
    if need is None and child.need is not None:
        need = replace(child.need, why=f"{below}, which needs it, fails as well: {child.need.why}")
    severity = Severity.CRITICAL if Severity.CRITICAL in (parent.severity, child.severity) else parent.severity
    return replace(
        parent, seen=(*parent.seen, f"{below} fails with it ({how}): {child.summary}"), need=need, severity=severity
    )
