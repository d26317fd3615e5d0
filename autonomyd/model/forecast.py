"""When a thing that fills will be full: the forecast of one series against one bound, and the report of all."""

from dataclasses import dataclass

from autonomyd.model.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """How earlier forecasts of the same series have fared: of `cases` whose outcome is known, in how many the truth
    lay in the stated interval."""

    cases: int
    covered: int

    @property
    def share(self) -> float | None:
        """0..1; None before the first case."""
        return self.covered / self.cases if self.cases else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`metric` of `subject` is at `value` (in `unit`) and reaches `bound` in `left_s` seconds from `at` (epoch
    seconds), with 80 % certainty between `soonest_s` and `latest_s` (None: perhaps never). `acts`: it has been right
    often enough on its own history that something may be done because of it; `why_not` says why it may not. `words`
    are the whole of it in one sentence, `growth` its last part: "2.1 GB a day"."""

    subject: Subject
    metric: str
    unit: str
    at: float
    value: float
    bound: float
    per_s: float
    left_s: float
    soonest_s: float
    latest_s: float | None
    backtest: BackTest
    acts: bool = False
    why_not: str = ""
    words: str = ""
    growth: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A bounded series that nothing can be foretold of: it stands still, or not enough is known yet; `why` in words."""

    subject: Subject
    metric: str
    unit: str
    value: float
    bound: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityReport:
    """`forecasts` by the time that is left, and what stands still. `unwatched` names the bounds that can't be watched,
    each with its reason; `skipped` counts samples that were no number, or out of order."""

    forecasts: tuple[Forecast, ...]
    standing: tuple[Standing, ...]
    unwatched: tuple[str, ...] = ()
    skipped: int = 0
