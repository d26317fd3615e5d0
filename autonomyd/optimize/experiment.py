"""Whether a change that was tried has helped: measured before and after, and no harm done. Pure."""

import math
from dataclasses import dataclass

ENOUGH_SHARE = 0.5
"""A change stays when it gained at least this share of what was expected of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One side of the experiment. `metric` is what the candidate wants lower (None: could not be measured); `failures`,
    `unknowns` and `issues` count what went wrong with the subject over a span of the same length."""

    metric: float | None
    failures: int = 0
    unknowns: int = 0
    issues: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`gain` is the observed improvement as a fraction of the value before, None when it could not be told."""

    verified: bool
    gain: float | None
    reason: str


def judge(before: Measured, after: Measured, *, expected: float) -> Judgement:
    """Keep the change or take it back. Harm outweighs any gain; a gain that can't be measured is none."""
    harm = _harm(before, after)
    gain = _gain(before.metric, after.metric)
    if harm:
        return Judgement(verified=False, gain=gain, reason=f"taken back: {harm}")
    if gain is None:
        return Judgement(verified=False, gain=None, reason="taken back: its effect could not be measured")
    words = f"{before.metric:.3g} became {after.metric:.3g} ({_percent(gain)}, expected {_percent(expected)})"
    if gain > 0.0 and gain >= ENOUGH_SHARE * expected:
        return Judgement(verified=True, gain=gain, reason=words)
    return Judgement(verified=False, gain=gain, reason=f"taken back: it did not help enough: {words}")


def _harm(before: Measured, after: Measured) -> str:
    for name in ("issues", "failures", "unknowns"):
        more = getattr(after, name) - getattr(before, name)
        if more > 0:
            return f"{more} more {name} since"
    return ""


def _gain(before: float | None, after: float | None) -> float | None:
    if before is None or after is None or not (math.isfinite(before) and math.isfinite(after)) or before <= 0.0:
        return None
    return (before - after) / before


def _percent(share: float) -> str:
    return f"{-share * 100.0:+.0f} %"
