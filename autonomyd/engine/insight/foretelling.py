"""What an outlook is worth: how loud it is told, whether anything may be done because of it, and why not. Pure.

A warning may be acted on, through the ordinary gates, when earlier forecasts of the same series were right often
enough. What is near and untested is a notice; what rushes to its bound within minutes is a warning that nothing is
done for: telling is not acting."""

from typing import Final

from autonomyd.analyze.forecast.series import Outlook
from autonomyd.engine.insight.capacities import Capacity
from autonomyd.engine.insight.forecast_words import sentence
from autonomyd.model.forecast import Forecast, Standing
from autonomyd.model.health import Severity
from autonomyd.model.words import duration
from autonomyd.settings.forecast import ForecastSettings

RUSH_S: Final = 900.0
"""What rushes onto new ground is a warning when it may be there within this time."""
STEEP: Final = 3.0
"""What was never put to the test is told only of a rise of so many standard deviations ..."""
PRECISE: Final = 3.0
"""... that is sure to be there within so many times the time that is left."""
LEARNING_S: Final = 600.0


def severity(seen: Outlook, found: Forecast, *, warn_s: float) -> Severity | None:
    """How loud something new is told; None when it is not. A rise is carried on for as long as it was seen, and only
    onto new ground: what a series has done before is its ordinary life."""
    if not is_near(found, warn_s):
        return None
    if seen.rushes:
        return Severity.WARNING if seen.soonest_s <= RUSH_S else Severity.NOTICE
    if not seen.fresh or seen.left_s > seen.span_s or seen.latest_s is None:
        return None
    if found.acts:
        return Severity.WARNING
    return Severity.NOTICE if seen.steepness >= STEEP and seen.latest_s <= PRECISE * seen.left_s else None


def is_near(found: Forecast, warn_s: float) -> bool:
    """Whether the bound may be reached within `warn_s` seconds, and is not passed yet."""
    return found.value < found.bound and found.soonest_s <= warn_s


def forecast(
    capacity: Capacity, seen: Outlook, limits: ForecastSettings, *, at: float, value: float, growth: str
) -> Forecast:
    """The outlook as it is told; `at` in epoch seconds, `growth` in words."""
    why_not = _why_not(seen, limits)
    return Forecast(
        subject=capacity.subject,
        metric=capacity.metric,
        unit=capacity.unit,
        at=at,
        value=value,
        bound=capacity.bound,
        per_s=seen.per_s,
        left_s=seen.left_s,
        soonest_s=seen.soonest_s,
        latest_s=seen.latest_s,
        backtest=seen.backtest,
        acts=not why_not,
        why_not=why_not,
        words=sentence(capacity, seen, growth),
        growth=growth,
    )


def standing_of(
    capacity: Capacity, seen: Outlook | None, limits: ForecastSettings, *, value: float, span_s: float
) -> Standing:
    """A series of `span_s` seconds that nothing is foretold of, and why."""
    if seen is not None:
        why = f"further away than {limits.horizon_days:g} days"
    elif span_s < LEARNING_S:
        why = f"learning: seen for {duration(span_s)}"
    else:
        why = f"nothing that could be told leads there in {duration(span_s)}"
    return Standing(
        subject=capacity.subject,
        metric=capacity.metric,
        unit=capacity.unit,
        value=value,
        bound=capacity.bound,
        why=why,
    )


def _why_not(seen: Outlook, limits: ForecastSettings) -> str:
    share = seen.backtest.share
    if share is None or seen.backtest.cases < limits.least_cases:
        return f"{seen.backtest.cases} of {limits.least_cases} earlier forecasts have been put to the test so far"
    if 100.0 * share < limits.least_right_percent:
        tested = f"{seen.backtest.covered} of {seen.backtest.cases} earlier forecasts were right"
        return f"{tested}, {limits.least_right_percent:g} % are needed"
    if seen.latest_s is None:
        return "it may never get there"
    if seen.left_s > seen.span_s:
        return f"it was seen to rise for {duration(seen.span_s)}, which is less than what is left"
    return ""
