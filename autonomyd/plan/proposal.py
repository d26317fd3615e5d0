"""What the gates judge, and what a gate answers."""

from collections.abc import Callable
from dataclasses import dataclass

from autonomyd.model.diagnosis import Diagnosis, RankedCause
from autonomyd.model.facts import GateLimits, PastFix, ServiceFacts, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import GateName, GateResult, Refusal, RefusalReason
from autonomyd.model.step import Step
from autonomyd.model.strategy import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A remedy that could be applied. Without a cause or a strategy only the first gates can be asked."""

    issue: Issue
    situation: Situation
    diagnosis: Diagnosis
    cause: RankedCause | None = None
    strategy: Strategy | None = None
    steps: tuple[Step, ...] = ()
    confidence: float = 0.0

    @property
    def service(self) -> ServiceFacts | None:
        return self.situation.service

    @property
    def limits(self) -> GateLimits:
        return self.situation.limits

    @property
    def past_here(self) -> tuple[PastFix, ...]:
        """Finished fixes of the same service (or, for another subject, of the same issue), oldest first."""
        name = self.service.name if self.service else None
        key = issue_key(self.issue)
        return tuple(
            fix for fix in self.situation.past if (fix.service == name if name is not None else fix.issue_key == key)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One gate's answer; `refusal` is set when it stays shut."""

    result: GateResult
    refusal: Refusal | None = None


Guard = Callable[[Proposal], Answer]


def issue_key(issue: Issue) -> str:
    """What makes two issues the same problem at different times."""
    return f"{issue.type}|{issue.subject}|{issue.metric}"


def passed(gate: GateName, *, saw: str, needs: str) -> Answer:
    return Answer(result=GateResult(gate=gate, passed=True, saw=saw, needs=needs))


def refused(
    gate: GateName,
    reason: RefusalReason,
    *,
    saw: str,
    needs: str,
    message: str,
    retry_at: float | None = None,
    park: bool = False,
) -> Answer:
    """Shut. `retry_at` is epoch seconds; `park` says that a person is needed and the wait is long."""
    return Answer(
        result=GateResult(gate=gate, passed=False, saw=saw, needs=needs),
        refusal=Refusal(reason=reason, message=message, gate=gate, retry_at=retry_at, park=park),
    )
