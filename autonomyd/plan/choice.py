"""Which of the remedies of one rung, and when: history, risk, the machine's state and the hour put them in order. The
ladder stands: a gentler rung always comes first; and the gates judge what was chosen. Pure.

Score = expected success - what it may cost + what it gives. Expected success is the mean of a Beta posterior of the
outcomes here, with the diagnosis as its prior (learn/confidence.py); each of the others is a few hundredths, so that
they decide between remedies of equal promise, and never against ten outcomes."""

from collections.abc import Sequence

from autonomyd.model.decision import DecisionContext, Weighed
from autonomyd.model.diagnosis import RankedCause
from autonomyd.model.facts import Situation
from autonomyd.model.health import Severity
from autonomyd.model.plan import GateName, RefusalReason, Risk
from autonomyd.model.step import (
    EndProcess,
    OptimizeSqlite,
    RecreateContainer,
    RestartService,
    RotateLog,
    SetNumber,
    WriteFile,
)
from autonomyd.model.strategy import Strategy
from autonomyd.model.trust import NOTHING_LEARNED, Experience
from autonomyd.model.words import counted, duration
from autonomyd.plan.outlook import health_words, state_words, success_words, time_words
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

COST_OF_RISK = {Risk.LOW: 0.0, Risk.MEDIUM: 0.03, Risk.HIGH: 0.06}
COST_OF_LOSS = 0.03
"""It can't be taken back."""
COST_OF_INTERRUPTION = 0.03
"""Twice that in a busy hour."""
WORTH_OF_MEMORY = 0.05
"""While memory is scarce: a fresh process gives back what the old one held."""
COST_OF_WORK = 0.05
"""While memory is scarce: it copies or rebuilds."""
SCARCE_PERCENT = 90.0
PRESSURE_PERCENT = 10.0
"""Share of the time in which some process waits for memory (Linux PSI)."""
GIVES_MEMORY = (RestartService, EndProcess, RecreateContainer)
COPIES = (OptimizeSqlite, RotateLog)
MARGIN_S = 1800.0
"""So much time must be left at the quiet hour, beside a quarter of the wait."""
LOOK_AGAIN_S = 600.0
"""Meanwhile it may grow faster: what is left is asked for again."""
NEEDS = "a quiet hour, where waiting for it is safe"


def in_order(cause: RankedCause, ladder: Sequence[Strategy], situation: Situation) -> list[Strategy]:
    """The remedies against `cause`, the gentlest rung first, within a rung the best first; equals stay as they are."""
    return sorted(ladder, key=lambda each: (each.rung, -weigh(cause, each, situation).score))


def weigh(cause: RankedCause, strategy: Strategy, situation: Situation) -> Weighed:
    """What one remedy is worth here and now."""
    known = situation.learned.get((cause.cause, strategy.name), NOTHING_LEARNED)
    promise = cause.confidence / 100.0 if known.mean is None else known.mean
    reasons = [f"expected to help in {100.0 * promise:.0f} of 100"]
    score = promise - COST_OF_RISK[strategy.risk]
    if not strategy.reversible:
        score -= COST_OF_LOSS
        reasons.append("can't be taken back")
    if strategy.disruptive:
        busy = situation.moment.busy is True
        score -= COST_OF_INTERRUPTION * (2.0 if busy else 1.0)
        reasons.append("interrupts, in a busy hour" if busy else "interrupts")
    if memory_is_scarce(situation):
        gives, copies = _any(strategy, GIVES_MEMORY), _any(strategy, COPIES)
        score += WORTH_OF_MEMORY * gives - COST_OF_WORK * copies
        reasons += ["gives memory back"] * gives + ["copies while memory is scarce"] * copies
    return Weighed(strategy=strategy.name, rung=strategy.rung, score=round(score, 4), why=", ".join(reasons))


def memory_is_scarce(situation: Situation) -> bool:
    """Whether the machine is short of memory now; not known is no."""
    moment = situation.moment
    return (moment.memory_percent or 0.0) >= SCARCE_PERCENT or (
        moment.memory_pressure_percent or 0.0
    ) >= PRESSURE_PERCENT


def timing(proposal: Proposal) -> Answer | None:
    """Asked when every gate has passed, of interruptions that prevent what has not happened yet: one that can wait
    waits for a quiet hour. None for everything else, and where a person has allowed it."""
    issue, moment = proposal.issue, proposal.situation.moment
    disruptive = proposal.strategy is not None and proposal.strategy.disruptive
    if not issue.preventive or issue.severity is not Severity.WARNING or not disruptive or proposal.approved:
        return None
    if moment.busy is None or moment.left_s is None:
        known = moment.busy_why if moment.busy is None else "how much time is left is not known"
        return passed(GateName.MOMENT, saw=f"{known}: not waited for", needs=NEEDS)
    left = f"{duration(moment.left_s)} left"
    if not moment.busy:
        return passed(GateName.MOMENT, saw=f"a quiet hour ({moment.busy_why}), {left}", needs=NEEDS)
    if moment.quiet_at is None:
        return passed(GateName.MOMENT, saw=f"busy, and no quiet hour is known, {left}", needs=NEEDS)
    wait_s = moment.quiet_at - proposal.situation.wall_now
    if moment.left_s < 1.25 * wait_s + MARGIN_S:
        return passed(GateName.MOMENT, saw=f"busy, and {left}: too little to wait {duration(wait_s)}", needs=NEEDS)
    return refused(
        GateName.MOMENT,
        RefusalReason.CAN_WAIT,
        saw=f"a busy hour ({moment.busy_why}), {left}, quiet in {duration(wait_s)}",
        needs=NEEDS,
        message="it only prevents, and can wait for a quiet hour: now it would be noticed",
        retry_at=min(moment.quiet_at, proposal.situation.wall_now + LOOK_AGAIN_S),
    )


def context_of(proposal: Proposal, ladder: Sequence[Strategy]) -> DecisionContext:
    """What the decision about `proposal` rests on; `ladder` are the remedies that were there to choose from."""
    situation, strategy, cause = proposal.situation, proposal.strategy, proposal.cause
    weighed = () if cause is None else tuple(weigh(cause, each, situation) for each in ladder)
    return DecisionContext(
        state=state_words(proposal.issue, situation),
        history=_history(proposal.experience, proposal),
        health=health_words(situation.moment),
        resources=_resources(proposal),
        preferences=_preferences(proposal),
        risk=_risk(strategy, situation),
        time=time_words(situation.moment),
        success=success_words(proposal.issue, situation, strategy),
        weighed=weighed,
    )


def _history(known: Experience, proposal: Proposal) -> str:
    tried = len(proposal.past_here)
    before = f"{counted(tried, 'fix', 'fixes')} here lately" if tried else "no fix here lately"
    if proposal.strategy is None or not known.total or known.mean is None:
        return f"nothing learned of it here yet; {before}"
    return f"{known.healed} of {known.total} healed, {100.0 * known.mean:.0f} of 100 expected; {before}"


def _resources(proposal: Proposal) -> str:
    if proposal.strategy is None:
        return "none"
    scarce = ", memory is scarce" if memory_is_scarce(proposal.situation) else ""
    takes = "copies data" if _any(proposal.strategy, COPIES) else ""
    writes = "writes files" if _any(proposal.strategy, (WriteFile, SetNumber)) else ""
    words = ", ".join(filter(None, (counted(len(proposal.steps), "step"), takes, writes)))
    return words + scarce


def _preferences(proposal: Proposal) -> str:
    limits, service = proposal.limits, proposal.service
    level = f"autonomy {service.autonomy}, " if service is not None else ""
    word = f", {proposal.allowed_by}" if proposal.allowed_by else ""
    windows = counted(len(proposal.situation.windows), "maintenance window")
    return f"{level}acts from confidence {limits.confidence:.0f} of 100, {windows}{word}"


def _risk(strategy: Strategy | None, situation: Situation) -> str:
    again = situation.moment.again
    chance = "" if again is None else f"; that it comes again within 24 h: {100.0 * again:.0f} %"
    if strategy is None:
        return f"no remedy{chance}"
    manner = "interrupts" if strategy.disruptive else "interrupts nothing"
    back = "can be taken back" if strategy.reversible else "can't be taken back"
    return f"{strategy.risk}, {manner}, {back}{chance}"


def _any(strategy: Strategy, kinds: tuple[type, ...]) -> bool:
    return any(kind in strategy.yields for kind in kinds)
