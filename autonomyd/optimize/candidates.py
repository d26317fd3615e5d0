"""From what the probes cost to possible optimizations, scored; and the interval that a probe should have. Pure.

Looking less often is paid for with finding out later. So only what has been calm for long is looked at less often,
at most doubled in one step, within bounds; and the first sign of trouble brings the configured interval back.
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from autonomyd.model.candidate import OptimizationCandidate, OptimizationType
from autonomyd.model.step import SetProbeInterval

CALM_HALF_S = 1200.0
"""Calm of this length makes half sure that it lasts; an hour 75 %."""
LOOKS_HALF = 5.0
STEP_FACTOR = 2.0
"""A change is gradual: at most doubled in one step."""
LEAST_GAIN = 0.05
TROUBLE_S = 900.0
"""A subject in trouble is looked at more often for so long; after that its trouble is no news."""
SLOW_SHARE = 0.25
SLOW_LONGEST_SHARE = 0.8
SLOW_AGAIN_SHARE = 0.05
"""A look counts as slow from these shares of its deadline: the mean; or the longest, where it was not the only one."""
SLOW_QUICK_S = 0.005
"""A look that runs between two turns of the event loop and takes longer than this holds everybody up."""
WAITING_LOOK_S = 0.0005
COMMAND_LOOK_S = 0.004
"""CPU of one look that mostly waits for an answer; of one that starts a process."""
COMMANDS = frozenset({"command"})
PROCESS_METRICS = frozenset({"process"})
CHECK_RISK = 1.5
"""Fewer looks at whether a service works cost more than fewer looks at numbers."""
HIGHER_RISK = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCost:
    """A probe and what its looks cost. `configured_s` is its interval by the configuration, `every_s` the one in force;
    one with an `own_interval` is never changed. Over the measured span: `looks`, `spent_s` (wall time, s), `unknowns`,
    `failures`; `longest_s` since its start. `waits` marks looks that wait rather than compute. `calm` says that its
    subject has no issue, failure or unknown, `calm_for_s` for how long; else `troubled_for_s` is how long it has not
    been well (endless for one that merely can't tell). `variation` is standard deviation by mean of its answer times,
    None where that says nothing. `recent_s` is the wall time of one look lately."""

    name: str
    kind: str
    configured_s: float
    every_s: float
    own_interval: bool
    looks: int
    spent_s: float
    longest_s: float
    timeout_s: float
    waits: bool = False
    unknowns: int = 0
    failures: int = 0
    calm: bool = True
    calm_for_s: float = 0.0
    troubled_for_s: float = math.inf
    variation: float | None = None
    recent_s: float | None = None

    @property
    def mean_s(self) -> float:
        """Wall time of one look: of the newest ones where that is known, since the first ones are slower."""
        if self.recent_s is not None:
            return self.recent_s
        return self.spent_s / self.looks if self.looks else 0.0

    @property
    def cost_ms_per_min(self) -> float:
        """CPU of the probe at the interval in force, ms a minute. Time spent waiting is not CPU: of a look that waits
        at most an allowance counts."""
        return cost_ms_per_min(self, self.every_s)

    @property
    def slow(self) -> bool:
        """Whether a look takes long: for its deadline, or for the event loop that it holds up."""
        if not self.looks:
            return False
        if not self.waits:
            return self.mean_s > SLOW_QUICK_S
        share, worst = self.mean_s / self.timeout_s, self.longest_s / self.timeout_s
        return share >= SLOW_SHARE or (worst >= SLOW_LONGEST_SHARE and share >= SLOW_AGAIN_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Shortest and longest interval, as multiples of the configured one."""

    least: float = 0.5
    most: float = 3.0


def cost_ms_per_min(probe: ProbeCost, every_s: float) -> float:
    """CPU of `probe` in ms a minute if it looked every `every_s`."""
    allowance_s = COMMAND_LOOK_S if probe.kind in COMMANDS else WAITING_LOOK_S
    look_s = min(probe.mean_s, allowance_s) if probe.waits else probe.mean_s
    return look_s * 1000.0 * 60.0 / every_s


def confidence(probe: ProbeCost) -> float:
    """0..1: how sure it is that looking less often saves what it promises and misses nothing. From the number of looks,
    the length of the calm, the share of looks that could tell, and how steady the values are."""
    if not probe.looks:
        return 0.0
    seen = probe.looks / (probe.looks + LOOKS_HALF)
    calm = probe.calm_for_s / (probe.calm_for_s + CALM_HALF_S)
    told = max(0.0, 1.0 - (probe.unknowns + probe.failures) / probe.looks)
    steady = 1.0 if probe.variation is None else 1.0 / (1.0 + 0.25 * probe.variation)
    return seen * calm * told * steady


def propose(
    probes: Iterable[ProbeCost], bounds: Bounds, *, slow_only: bool = False
) -> tuple[OptimizationCandidate, ...]:
    """A candidate for each probe that could be looked at less often. `slow_only`: the cost as a whole is fine."""
    found = []
    for probe in probes:
        if probe.own_interval or not probe.calm or (slow_only and not probe.slow):
            continue
        after_s = min(probe.every_s * STEP_FACTOR, probe.configured_s * bounds.most)
        gain = 1.0 - probe.every_s / after_s
        if gain < LEAST_GAIN or not probe.looks:
            continue
        kind = OptimizationType.SLOW_PROBE if probe.slow else OptimizationType.PROBE_INTERVAL
        found.append(
            OptimizationCandidate(
                component=probe.name,
                optimization_type=kind,
                current_metric=probe.cost_ms_per_min,
                expected_improvement=gain,
                cost=_risk(probe, after_s),
                confidence=confidence(probe),
                step=SetProbeInterval(probe=probe.name, before_s=probe.every_s, after_s=after_s),
                message=_words(probe, after_s),
            )
        )
    return tuple(found)


def select(
    candidates: Iterable[OptimizationCandidate], *, limit: int, min_confidence: float, busy: Collection[str] = ()
) -> tuple[OptimizationCandidate, ...]:
    """The best by score, at most `limit`, one for a component and none for those in `busy`, all of at least
    `min_confidence` and with some gain."""
    chosen: dict[str, OptimizationCandidate] = {}
    for each in sorted(candidates, key=lambda each: (-each.score, each.component)):
        sure = each.confidence >= min_confidence and each.expected_improvement > 0.0
        if sure and each.component not in busy and each.component not in chosen and len(chosen) < limit:
            chosen[each.component] = each
    return tuple(chosen.values())


def wanted_interval(probe: ProbeCost, bounds: Bounds, *, sharpen: bool) -> float:
    """The interval that a probe should have by the state of its subject alone. In trouble: the configured one, or the
    shortest where `sharpen` allows and the trouble is young; in calm: never shorter than the configured one."""
    if probe.own_interval:
        return probe.every_s
    if not probe.calm:
        young = sharpen and probe.troubled_for_s < TROUBLE_S
        return probe.configured_s * (bounds.least if young else 1.0)
    return max(probe.every_s, probe.configured_s)


def _risk(probe: ProbeCost, after_s: float) -> float:
    """Relative cost (1 is the least): what is found out later, and by how much."""
    numbers = probe.kind in PROCESS_METRICS or probe.kind in ("host", "folder")
    return (1.0 if numbers else CHECK_RISK) + HIGHER_RISK * max(0.0, after_s / probe.configured_s - STEP_FACTOR)


def _words(probe: ProbeCost, after_s: float) -> str:
    slow, calm = f"a look takes {probe.mean_s * 1000.0:.3g} ms", f"calm for {probe.calm_for_s / 60.0:.0f} min"
    why = slow if probe.slow else calm
    return f"every {after_s:g} s instead of {probe.every_s:g} s: {why}"
