"""What was foretold, and whether it came true."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.issue import IssueType
from autonomyd.model.subject import Subject


class Verdict(StrEnum):
    """`void`: it can't be told (a fix, a restart or a gap in the data came between)."""

    PENDING = "pending"
    RIGHT = "right"
    WRONG = "wrong"
    VOID = "void"


class PredictionKind(StrEnum):
    """`exhaustion`: a series gets to its bound. `failure`: an issue opens."""

    EXHAUSTION = "exhaustion"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """With `probability` (0..1) `metric` of `subject` gets to `bound` (from below when `rising`), or an issue opens,
    between `from_at` and `until_at`. Of a failure `type` and `metric` say which issue; without a type any of the
    subject is meant. `came_at` is when it came, `why` the reason of the verdict. Times are epoch seconds."""

    id: int
    made_at: float
    kind: PredictionKind
    subject: Subject
    metric: str
    words: str
    probability: float
    from_at: float
    until_at: float
    bound: float | None = None
    rising: bool = True
    type: IssueType | None = None
    verdict: Verdict = Verdict.PENDING
    judged_at: float | None = None
    came_at: float | None = None
    why: str = ""

    @property
    def key(self) -> tuple[PredictionKind, Subject, IssueType | None, str]:
        """What makes two predictions the same one."""
        return (self.kind, self.subject, self.type, self.metric)

    @property
    def pending(self) -> bool:
        return self.verdict is Verdict.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionReport:
    """`open` by the time at which they may come true, `judged` newest first. `right`, `wrong` and `void` count all that
    are kept; of the failures since `since` (epoch seconds) `foretold` had been foretold, `missed` not. `precision` is
    right / (right + wrong), `recall` foretold / (foretold + missed), each None without a case; `lead_s` is the median
    time from a prediction to what it foretold."""

    at: float
    since: float
    open: tuple[Prediction, ...]
    judged: tuple[Prediction, ...]
    right: int
    wrong: int
    void: int
    foretold: int
    missed: int
    precision: float | None
    recall: float | None
    lead_s: float | None
