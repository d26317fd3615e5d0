"""What a ranking says, in words for people."""

from collections.abc import Mapping, Sequence

from autonomyd.analyze.root_cause.ranking import Suspicion
from autonomyd.model.diagnosis import Suspect
from autonomyd.model.subject import Subject

NOTICED = 3.0
"""Spreads that a series must have moved to be told of."""


def suspects(
    found: Sequence[Suspicion],
    units: Mapping[tuple[str, str], str],
    *,
    most: int,
    least: float,
    matters: Mapping[str, float],
) -> tuple[Suspect, ...]:
    """The first `most` of a ranking as evidence: those that moved, of nodes that hold at least `least` (0..1) of the
    suspicion. `units` maps (node, metric) to the unit of its figures, `matters` a unit to the smallest change that
    anybody would care for: a disk that reads 2 KB/s more explains nothing, however quiet it was before."""
    told = [
        each
        for each in found
        if max(each.move.up, each.move.down) >= NOTICED
        and each.share >= least
        and abs(each.move.by) >= matters.get(units.get((each.node, each.metric), ""), 0.0)
    ]
    best = told[0].score if told else 0.0
    kept = [each for each in told if each.score >= least * best and each.score > 0.0][:most]
    return tuple(_suspect(each, units.get((each.node, each.metric), "")) for each in kept)


def _suspect(found: Suspicion, unit: str) -> Suspect:
    move = found.move
    # a burst may move the whole one way and its median the other: the words go with the figures that they name
    rising = move.during > move.before if move.during != move.before else move.by > 0.0
    verb = "rose" if rising else "fell"
    before, during = (f"{value:.4g} {unit}".rstrip() for value in (move.before, move.during))
    if before == during:
        words = f"{found.metric} of {found.node} moved, on the average by {abs(move.by):.3g} {unit}".rstrip()
    else:
        words = f"{found.metric} of {found.node} {verb} from {before} to {during}"
    return Suspect(
        subject=Subject(found.node),
        metric=found.metric,
        kind=found.kind.value,
        share=round(100.0 * found.share, 1),
        spreads=round(max(move.up, move.down), 1),
        rising=rising,
        words=f"{words} ({max(move.up, move.down):.0f} times its usual spread)",
    )
