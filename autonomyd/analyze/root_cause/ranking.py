"""Which node, and which of its metrics, is the root of the trouble: the most suspect first.

Three kinds of evidence: how far each series moved (moves.py), what kind of metric it is (kinds.py: what a node uses
up is a cause, how it serves is a symptom), and who calls whom (walk.py). Without a call graph the first two decide,
which is what BARO does with the first alone; with one, a symptom is believed where it is not explained by a
callee's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autonomyd.analyze.root_cause.kinds import Kind, kind_of
from autonomyd.analyze.root_cause.moves import Move, Spans, move_of, spans_of
from autonomyd.analyze.root_cause.walk import Calls, settled

Name = tuple[str, str, str]
"""(node, metric, statistic)."""

UP = {
    Kind.RESOURCE: 1.0,
    Kind.LATENCY: 0.9,
    Kind.ERRORS: 0.4,
    Kind.SUCCESS: 0.0,
    Kind.TRAFFIC: 0.35,
    Kind.OTHER: 0.6,
}
DOWN = {
    Kind.RESOURCE: 0.25,
    Kind.LATENCY: 0.15,
    Kind.ERRORS: 0.05,
    Kind.SUCCESS: 0.4,
    Kind.TRAFFIC: 0.25,
    Kind.OTHER: 0.4,
}
"""What a move is worth as a cause, upward and downward: less use and fewer requests mostly follow from a fault; errors
reach every caller undiminished (a time-out even begins there), so they tell little of where."""
NOTICED = 3.0
"""Spreads at which a move is half believed."""
SHARE_HALF = 0.25
"""The share of its level at which a move is half as grave as one without end."""
LASTS = 0.3
"""A move of less than this part of the time is a burst, and counts for less."""
SHARE_MOST = 100.0
SECOND = 0.5
"""What the second kind of evidence about a node adds to the first."""
ACCOUNTS = 0.5
"""A callee whose own move is this share of its caller's, in the same unit, accounts for it."""
AIMED = 0.8
"""Share of the suspicion that begins at the node whose alert it is; the rest begins where the evidence is."""
MORE_LOAD = 0.5
"""Traffic that grew by this share of its level, at most nodes, is a change of load."""
LOAD_TALLY = 0.6
LOAD_SLACK = 2.0
"""Use and slowness may grow by this many times the share of the load, and by once their level, because of it."""
OTHER_SYMPTOM = 0.5
"""What another symptom than the one of the alert counts."""
FOLLOWS = 0.3
"""What is left of evidence that a change of load explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A series under suspicion. `score` only compares within one ranking; `share` is its node's part, 0..1, of all
    suspicion."""

    node: str
    metric: str
    statistic: str
    kind: Kind
    move: Move
    score: float
    share: float = 0.0


def ranked(
    names: Sequence[Name],
    normal: Sequence[Sequence[float]],
    abnormal: Sequence[Sequence[float]],
    *,
    target: Name | None = None,
    calls: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Suspicion, ...]:
    """The series, most suspect first; one that did not move is last, one of which too little is known is left out.
    `normal` and `abnormal` hold one column a name, NaN for a gap; `target` is the series whose alert it is."""
    found = _moved(names, normal, abnormal)
    grew = _grew(found) if target is None or kind_of(target[1]) is Kind.TRAFFIC else []
    if grew:
        found, calls = _without_load(found, grew, calls or {}), None
    if target is not None:
        found = [replace(each, score=each.score * _fit(each, target)) for each in found]
    nodes: dict[str, list[Suspicion]] = {}
    for each in found:
        nodes.setdefault(each.node, []).append(each)
    own = {node: _of_node(columns) for node, columns in nodes.items()}
    placed = _placed(nodes, own, target, calls) if calls else own
    return _listed(nodes, placed)


def _fit(each: Suspicion, target: Name) -> float:
    """What evidence counts for this alert: the symptom that it is about in full, another one less, what may have caused
    it as it is."""
    if not each.kind.symptom:
        return 1.0
    return UP[Kind.LATENCY] / max(UP[each.kind], DOWN[each.kind]) if each.metric == target[1] else OTHER_SYMPTOM


def _moved(
    names: Sequence[Name], normal: Sequence[Sequence[float]], abnormal: Sequence[Sequence[float]]
) -> list[Suspicion]:
    spans = {}
    alike: dict[tuple[str, str], list[Spans]] = {}
    for name, before, during in zip(names, normal, abnormal, strict=True):
        found = spans_of(before, during, successes=kind_of(name[1]) is Kind.SUCCESS)
        if found is not None:
            spans[name] = found
            alike.setdefault(name[1:], []).append(found)
    usual = {metric: _middle([each.level for each in of]) for metric, of in alike.items()}
    spreads = {metric: _middle([each.spread for each in of]) for metric, of in alike.items()}
    moves = ((name, move_of(each, usual=usual[name[1:]], spreads=spreads[name[1:]])) for name, each in spans.items())
    return [_suspicion(name, move) for name, move in moves if move is not None]


def _middle(values: Sequence[float]) -> float:
    """The median of those that are not nothing."""
    known = sorted(value for value in values if value > 0.0)
    return known[len(known) // 2] if known else 0.0


def _suspicion(name: Name, move: Move) -> Suspicion:
    node, metric, statistic = name
    kind = kind_of(metric)
    score = max(UP[kind] * _strength(move.up, move), DOWN[kind] * _strength(move.down, move))
    return Suspicion(node=node, metric=metric, statistic=statistic, kind=kind, move=move, score=score)


def _strength(spreads: float, move: Move) -> float:
    """How grave a move of `spreads` is: surprising against its own spread, and not trifling against its level."""
    share = min(abs(move.share), SHARE_MOST)
    lasts = min(1.0, move.lasting / LASTS) * move.looks / (move.looks + 1.0)
    return lasts * math.log1p(spreads) * (0.15 + share / (share + SHARE_HALF) + 0.3 * math.log1p(share))


def _grew(found: Sequence[Suspicion]) -> list[Suspicion]:
    """The traffic that grew, where it grew at most nodes: then it is a change of load. Else empty."""
    traffic = [each for each in found if each.kind is Kind.TRAFFIC and each.move.before > 0.0]
    grew = [each for each in traffic if each.move.share > MORE_LOAD and each.move.up > NOTICED]
    return grew if len(grew) >= max(2.0, LOAD_TALLY * len(traffic)) else []


def _without_load(found: list[Suspicion], grew: Sequence[Suspicion], calls: Calls) -> list[Suspicion]:
    """More load is the cause, from the first caller on; what grew no more than it did follows from it."""
    by = _middle([each.move.share for each in grew])
    passed_on = {callee for each in grew for callee in calls.get(each.node, ()) if callee != each.node}

    def weight(each: Suspicion) -> float:
        if each.kind is Kind.TRAFFIC:
            return FOLLOWS if each.node in passed_on else 1.0 / UP[Kind.TRAFFIC]
        return FOLLOWS if each.move.share < LOAD_SLACK * by + 1.0 else 1.0

    return [replace(each, score=each.score * weight(each)) for each in found]


def _of_node(columns: Sequence[Suspicion]) -> float:
    """The strongest evidence, and a part of the strongest of another kind: two that agree are more than one."""
    best: dict[bool, float] = {}
    for each in columns:
        best[each.kind.symptom] = max(best.get(each.kind.symptom, 0.0), each.score)
    first, second = sorted((*best.values(), 0.0, 0.0), reverse=True)[:2]
    return first + SECOND * second


def _placed(
    nodes: Mapping[str, Sequence[Suspicion]],
    own: Mapping[str, float],
    target: Name | None,
    calls: Calls,
) -> dict[str, float]:
    """The evidence of each node, weighted by the suspicion that comes to rest there."""
    symptoms = {node: _symptom(columns, target) for node, columns in nodes.items()}
    uses = {node: _use(columns) for node, columns in nodes.items()}
    seen = {node: each for node in nodes if (each := symptoms[node] or uses[node]) is not None}
    traffic = {node: _level(columns) for node, columns in nodes.items()}

    def explains(caller: str, callee: str) -> float:
        above, below = seen.get(caller), seen[callee]
        believed = _believed(below)
        if (
            symptoms[callee] is None
        ):  # a machine or a store that only tells what it uses: perhaps it is the caller's use
            return believed * (1.0 - _believed(uses.get(caller)))
        if above is None or (above.metric, above.statistic) != (below.metric, below.statistic) or not above.move.by:
            return believed
        each = traffic[callee] / traffic[caller] if traffic[callee] and traffic[caller] else 1.0
        accounts = below.move.by * each / above.move.by
        return believed * min(1.0, max(0.0, accounts / ACCOUNTS))

    total = sum(own.values()) or 1.0
    aimed = AIMED * _believed(seen[target[0]]) if target is not None and target[0] in seen else 0.0
    begin = {node: (1.0 - aimed) * evidence / total for node, evidence in own.items()}
    if target is not None and aimed:
        begin[target[0]] += aimed
    rest = settled(begin, calls, explains, observed=seen.keys())
    return {node: rest.get(node, 0.0) * evidence for node, evidence in own.items()}


def _believed(found: Suspicion | None) -> float:
    """0..1: that it moved for the worse, and not by a trifle where it is something used."""
    if found is None:
        return 0.0
    spreads = found.move.down if found.kind is Kind.SUCCESS else found.move.up
    believed = spreads * spreads / (spreads * spreads + NOTICED * NOTICED)
    share = min(max(0.0, found.move.share), SHARE_MOST)
    return believed if found.kind is not Kind.RESOURCE else believed * share / (share + SHARE_HALF)


def _use(columns: Sequence[Suspicion]) -> Suspicion | None:
    """What the node uses that moved most."""
    return max((each for each in columns if each.kind is Kind.RESOURCE), key=lambda each: each.score, default=None)


def _symptom(columns: Sequence[Suspicion], target: Name | None) -> Suspicion | None:
    """What tells how the node serves: the metric of the alert where it has it, else what moved most."""
    symptoms = [each for each in columns if each.kind.symptom]
    if target is None:
        return max(symptoms, key=lambda each: each.score, default=None)
    _, metric, statistic = target
    return max(
        symptoms,
        key=lambda each: (each.metric == metric, each.metric == metric and each.statistic == statistic, each.score),
        default=None,
    )


def _level(columns: Sequence[Suspicion]) -> float:
    return next((each.move.before for each in columns if each.kind is Kind.TRAFFIC), 0.0)


def _listed(nodes: Mapping[str, Sequence[Suspicion]], placed: Mapping[str, float]) -> tuple[Suspicion, ...]:
    """The columns of the nodes: each node's best first, then what else moved there. Beside something that the node uses
    up its symptoms count for less: they follow from it."""
    total = sum(placed.values()) or 1.0
    found: list[Suspicion] = []
    for node, columns in nodes.items():
        used = max((each.score for each in columns if each.kind is Kind.RESOURCE), default=0.0)
        scores = [
            each.score**2 / (each.score + used) if each.kind.symptom and each.score else each.score for each in columns
        ]
        of_all, share = placed[node] / (max(scores) or 1.0), placed[node] / total
        found += (replace(each, score=of_all * score, share=share) for each, score in zip(columns, scores, strict=True))
    return tuple(sorted(found, key=lambda each: -each.score))
