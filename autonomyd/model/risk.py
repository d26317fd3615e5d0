"""How likely what has gone wrong before goes wrong again: two ways to say it, and what each has been worth so far."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.subject import Subject


class RiskOf(StrEnum):
    """What may come: any problem of one subject, one kind of problem on it, or an error pattern in its logs."""

    COMPONENT = "component"
    PROBLEM = "problem"
    PATTERN = "pattern"


class RiskWay(StrEnum):
    """`frequency`: the logistic function of how often it came; `gaps`: the hazard by the times between."""

    FREQUENCY = "frequency"
    GAPS = "gaps"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskKey:
    """`name` is the issue's type and metric ("service_down process") or the log rule's name; "" for a component."""

    of: RiskOf
    subject: Subject
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskScore:
    """What was said each day held against what came. `brier` (0 perfect, 0.25 a coin) and `log_loss` (0.69 a coin) are
    None before the first of `cases` days, of which it came on `happened`; `precision` and `recall` are those at 0.5,
    None where nothing was foretold, or nothing came."""

    cases: int
    happened: int
    brier: float | None
    log_loss: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRow:
    """One component or pattern. `by_frequency` and `by_gaps` are the risk (0..1) that it comes within 24 h, `used` is
    the one that is believed here; `count` is how often it came, `a_day` how often a day in the last week, `last_at`
    epoch seconds. `present`: it is there now, so that it can't come anew."""

    key: RiskKey
    count: int
    a_day: float
    last_at: float
    present: bool
    by_frequency: float
    by_gaps: float
    used: RiskWay
    frequency: RiskScore
    gaps: RiskScore

    @property
    def probability(self) -> float:
        """Of the way that is used."""
        return self.by_gaps if self.used is RiskWay.GAPS else self.by_frequency


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskReport:
    """Everything that `autonomyctl risk` shows; the riskiest first. `since` is the begin of the history behind it
    (epoch seconds, None before any), `odd` how many records had times that can't be."""

    at: float
    since: float | None
    k: float
    norm: float
    rows: tuple[RiskRow, ...]
    frequency: RiskScore
    gaps: RiskScore
    odd: int = 0
