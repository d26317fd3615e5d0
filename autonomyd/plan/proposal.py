"""What the gates judge, and what a gate answers."""

from collections.abc import Callable
from dataclasses import dataclass

from autonomyd.model.diagnosis import Diagnosis, RankedCause
from autonomyd.model.facts import GateLimits, PastFix, ServiceFacts, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import GateName, GateResult, Refusal, RefusalReason
from autonomyd.model.service import RunState
from autonomyd.model.step import IRREVERSIBLE_STEPS, Step, write_set
from autonomyd.model.strategy import Strategy
from autonomyd.model.trust import NOTHING_LEARNED, Experience


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A remedy that could be applied. Without a cause or a strategy only the first gates can be asked. `passed_over`
    says in words which remedies were not chosen, and why."""

    issue: Issue
    situation: Situation
    diagnosis: Diagnosis
    cause: RankedCause | None = None
    strategy: Strategy | None = None
    steps: tuple[Step, ...] = ()
    confidence: float = 0.0
    passed_over: tuple[str, ...] = ()

    @property
    def service(self) -> ServiceFacts | None:
        return self.situation.service

    @property
    def limits(self) -> GateLimits:
        return self.situation.limits

    @property
    def experience(self) -> Experience:
        """How this remedy fared against this cause here."""
        if self.cause is None or self.strategy is None:
            return NOTHING_LEARNED
        return self.situation.learned.get((self.cause.cause, self.strategy.name), NOTHING_LEARNED)

    @property
    def past_here(self) -> tuple[PastFix, ...]:
        """Finished fixes of the same service (or, for another subject, of the same issue), oldest first."""
        name = self.service.name if self.service else None
        key = issue_key(self.issue)
        return tuple(
            fix for fix in self.situation.past if (fix.service == name if name is not None else fix.issue_key == key)
        )

    @property
    def harmless(self) -> bool:
        """Whether it can make nothing worse: the service is dead, and it is only started."""
        return self.strategy is not None and can_only_gain(self.strategy, self.service, self.steps)

    @property
    def approved(self) -> bool:
        """Whether a person approved exactly this: the same remedy, for the same cause, by the same steps."""
        plan = self.situation.consent.approved
        if plan is None or self.strategy is None or self.cause is None:
            return False
        return (plan.strategy, plan.cause, plan.steps) == (self.strategy.name, self.cause.cause, self.steps)

    @property
    def allowed_by(self) -> str:
        """Which word of a person covers this, in words; "" when none does."""
        if self.strategy is None or self.cause is None:
            return ""
        if self.approved:
            return f"approved by {self.situation.consent.actor}"
        who = self.situation.consent.standing.get((self.strategy.name, self.cause.cause))
        return f"standing consent of {who}" if who else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One gate's answer; `refusal` is set when it stays shut."""

    result: GateResult
    refusal: Refusal | None = None


Guard = Callable[[Proposal], Answer]


def issue_key(issue: Issue) -> str:
    """What makes two issues the same problem at different times."""
    return f"{issue.type}|{issue.subject}|{issue.metric}"


def can_only_gain(strategy: Strategy, service: ServiceFacts | None, steps: tuple[Step, ...]) -> bool:
    """Whether a service that is dead is only started: nothing is interrupted, written or removed. A fix of this kind
    that fails costs nothing, so that neither quarantine nor lost trust keeps a dead service down."""
    dead = service is not None and service.run is RunState.GONE
    lasting = bool(write_set(steps)) or any(isinstance(step, IRREVERSIBLE_STEPS) for step in steps)
    return dead and not strategy.disruptive and not lasting


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
