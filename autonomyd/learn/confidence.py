"""How much to trust a remedy: running sums of its outcomes that fade with time, and what follows from them.

Adjustment of confidence: (success rate - 0.5) x 20 points, once there are 5 outcomes; the planner adds it and clamps to
50..100. Expected success: the mean of a Beta posterior, (a + healed) / (a + b + healed + failed), whose prior of two
imagined outcomes is split as the diagnosis was sure (Gelman et al., Bayesian Data Analysis, section 2.4). Outcomes fade
by half in every half-life: healed and failed are sums of 2^(-age / half-life).
"""

from dataclasses import dataclass, replace

ENOUGH_OUTCOMES = 5
LEAST_WEIGHT = 1.0
"""Below this what is left of old outcomes is worth less than one new one, and moves nothing."""
PRIOR_WEIGHT = 2.0
LOOKED_AT = 5
"""The newest counted problems that quarantine and lost trust look at."""
TOO_MANY_FAILURES = 3
POOR_MEAN = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """`healed` of `total` outcomes as plain counts; `good` and `bad` are the faded sums as of `at` (epoch seconds).
    `recent` has one (problem, healed) for each of the newest problems: tries on one problem are not independent."""

    total: int = 0
    healed: int = 0
    good: float = 0.0
    bad: float = 0.0
    at: float = 0.0
    said: float = 0.0
    recent: tuple[tuple[str, bool], ...] = ()


def observed(tally: Tally, *, success: bool, problem: str, at: float, half_life_s: float, said: float) -> Tally:
    """The tally with one more outcome. `said` is 0..100. A time before the last one (the clock was set back) fades
    nothing."""
    kept = fade(at - tally.at, half_life_s)
    recent = [each for each in tally.recent if each[0] != problem]
    return Tally(
        total=tally.total + 1,
        healed=tally.healed + success,
        good=tally.good * kept + success,
        bad=tally.bad * kept + (not success),
        at=max(at, tally.at),
        said=tally.said + said / 100.0,
        recent=(*recent, (problem, success))[-LOOKED_AT:],
    )


def taken_back(tally: Tally, *, at: float, half_life_s: float) -> Tally:
    """The tally without a success of time `at` that turned out to be none: it was undone by a person."""
    faded = fade(tally.at - at, half_life_s)
    return replace(
        tally,
        total=max(0, tally.total - 1),
        healed=max(0, tally.healed - 1),
        good=max(0.0, tally.good - faded),
    )


def fade(age_s: float, half_life_s: float) -> float:
    """What is left of an outcome after `age_s`: 1 when new, 0.5 after one half-life."""
    return float(0.5 ** (max(0.0, age_s) / half_life_s))


def adjustment(success_rate: float) -> float:
    """Points to add for a `success_rate` of 0..1: 0.8 gives 6 (base 70 becomes 76), 0.85 gives 7."""
    return round((success_rate - 0.5) * 20.0, 9)


def points(tally: Tally, *, now: float, half_life_s: float) -> float:
    """What experience adds to confidence; 0 until there is enough of it, and when it has faded."""
    weight = tally.good + tally.bad
    if tally.total < ENOUGH_OUTCOMES or weight * fade(now - tally.at, half_life_s) < LEAST_WEIGHT:
        return 0.0
    return adjustment(tally.good / weight)


def mean(tally: Tally, *, prior: float, now: float, half_life_s: float) -> float:
    """The expected success rate, 0..1; `prior` is the success rate to expect without any outcome."""
    kept = fade(now - tally.at, half_life_s)
    good, bad = tally.good * kept, tally.bad * kept
    return (PRIOR_WEIGHT * prior + good) / (PRIOR_WEIGHT + good + bad)


def keeps_failing(tally: Tally) -> bool:
    """Whether at least 3 of the newest 5 problems were not healed by it."""
    return sum(not healed for _, healed in tally.recent) >= TOO_MANY_FAILURES
