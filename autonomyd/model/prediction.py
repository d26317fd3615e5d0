"""What was foretold, and whether it came true."""

from dataclasses import dataclass
from enum import StrEnum

from autonomyd.model.subject import Subject


class Verdict(StrEnum):
    """`void`: it can't be told (a fix, a restart or a gap in the data came between)."""

    PENDING = "pending"
    RIGHT = "right"
    WRONG = "wrong"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """`kind` ("exhaustion", "failure") of `subject`: with `probability` (0..1) `metric` gets to `bound`, or an issue
    opens, between `from_at` and `until_at`. Times are epoch seconds."""

    id: int
    made_at: float
    kind: str
    subject: Subject
    metric: str
    words: str
    probability: float
    from_at: float
    until_at: float
    bound: float | None = None
    verdict: Verdict = Verdict.PENDING
    judged_at: float | None = None
    why: str = ""
