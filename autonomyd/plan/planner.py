"""Chooses the strategy and asks the gates: a Plan, or the Refusal of the first gate that stays shut."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from autonomyd.model.decision import DecisionContext
from autonomyd.model.diagnosis import Diagnosis, RankedCause
from autonomyd.model.facts import Situation
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import Issue
from autonomyd.model.plan import GateResult, Plan, Refusal, RefusalReason
from autonomyd.model.strategy import Strategy
from autonomyd.model.trust import NO_CONSENT, NOTHING_LEARNED
from autonomyd.plan.choice import context_of, in_order, timing
from autonomyd.plan.guards import GUARDS
from autonomyd.plan.guards.strategy import unread_fact
from autonomyd.plan.proposal import Proposal, can_only_gain, issue_key

LEAST_LEARNED = 50.0
"""Experience moves confidence within 50..100."""
FAILED = (Outcome.INEFFECTIVE, Outcome.WORSENED, Outcome.ROLLED_BACK)
A_PERSON_CAN_OPEN = frozenset(
    {RefusalReason.SHADOW, RefusalReason.NEEDS_APPROVAL, RefusalReason.LOW_CONFIDENCE, RefusalReason.IRREVERSIBLE}
)
"""A gate that is shut for one of these does not end the asking: what a person is asked about has passed all others."""


def decide(issue: Issue, diagnosis: Diagnosis, situation: Situation, strategies: Sequence[Strategy]) -> Plan | Refusal:
    """What to do about `issue` now: the gentlest remedy against the most likely cause that has not failed on this issue
    since it opened. When those of one cause have failed, the next cause that is likely enough; when all have, the
    harshest of the first once more.

    A refusal that a person can lift carries in `wanted` the plan that all other gates have passed."""
    proposal = propose(issue, diagnosis, situation, strategies)
    context = context_of(proposal, _candidates(proposal, strategies))
    gates, refusals = asked(proposal)
    last = refusals[-1] if refusals else None
    if last is not None and last.reason not in A_PERSON_CAN_OPEN:
        return replace(last, context=context)
    plan = _plan(proposal, gates, context)
    if not refusals:
        return plan
    return replace(refusals[0], gates=gates, strategy=plan.strategy, wanted=plan, context=context)


def asked(proposal: Proposal) -> tuple[tuple[GateResult, ...], list[Refusal]]:
    """What the gates say, in their order, and the refusals among it. One that no person can lift ends the asking."""
    gates: list[GateResult] = []
    refusals: list[Refusal] = []
    name = proposal.strategy.name if proposal.strategy else None
    for guard in GUARDS:
        answer = guard(proposal)
        gates.append(answer.result)
        if answer.refusal is not None:
            refusals.append(replace(answer.refusal, gates=tuple(gates), strategy=name))
            if answer.refusal.reason not in A_PERSON_CAN_OPEN:
                return tuple(gates), refusals
    waits = None if refusals else timing(proposal)
    if waits is not None:
        gates.append(waits.result)
        refusals += [] if waits.refusal is None else [replace(waits.refusal, gates=tuple(gates), strategy=name)]
    return tuple(gates), refusals


def propose(issue: Issue, diagnosis: Diagnosis, situation: Situation, strategies: Sequence[Strategy]) -> Proposal:
    """The remedy that the gates will judge."""
    bare = Proposal(issue=issue, situation=situation, diagnosis=diagnosis, cause=diagnosis.cause)
    if diagnosis.cause is None:
        return bare
    ladders = [(cause, ladder_of(cause, strategies, situation)) for cause in diagnosis.causes]
    notes: dict[str, str] = {}
    for index, (cause, ladder) in enumerate(ladders):
        chosen = _fresh(bare, cause, ladder, notes)
        if chosen is None:
            if not failed_here(bare) & {each.name for each in ladder}:
                break  # nothing was tried against the likelier cause: that is no reason to act on the less likely one
            continue
        made = proposed_with(bare, cause, chosen)
        if index == 0 or made.confidence >= situation.limits.confidence:
            return _noted(made, notes)
        notes[chosen.name] = f"{cause.cause} is not likely enough ({made.confidence:.0f})"
    cause, ladder = ladders[0]
    left = [each for each in ladder if not _forbidden(bare, cause, each)]
    # what was tried is told with the harshest; what has nothing to do with the gentlest, whose reason is the first;
    # where one is ruled out all of them are told
    tried = [each for each in left if each.name in failed_here(bare)]
    last = tried[-1] if tried else left[0] if left and len(left) == len(ladder) else None
    return _noted(proposed_with(bare, cause, last) if last else bare, notes)


def _noted(proposal: Proposal, notes: Mapping[str, str]) -> Proposal:
    """With the words about every remedy that was passed over for the chosen one."""
    chosen = proposal.strategy.name if proposal.strategy is not None else ""
    return replace(proposal, passed_over=tuple(f"{name}: {why}" for name, why in notes.items() if name != chosen))


def _candidates(proposal: Proposal, strategies: Sequence[Strategy]) -> list[Strategy]:
    """What was there to choose from, the chosen among it."""
    return [] if proposal.cause is None else ladder_of(proposal.cause, strategies, proposal.situation)


def _plan(proposal: Proposal, gates: tuple[GateResult, ...], context: DecisionContext) -> Plan:
    strategy, cause, situation = proposal.strategy, proposal.cause, proposal.situation
    assert strategy is not None
    assert cause is not None
    given = situation.consent if proposal.approved else NO_CONSENT
    return Plan(
        strategy=strategy.name,
        cause=cause.cause,
        steps=proposal.steps,
        confidence=proposal.confidence,
        risk=strategy.risk,
        disruptive=strategy.disruptive,
        reversible=strategy.reversible,
        service=situation.service.name if situation.service else None,
        issue_id=proposal.issue.id,
        preview=strategy.preview(proposal.issue, situation),
        gates=gates,
        approval=given.approval,
        approved_by=given.actor,
        validation=getattr(strategy, "validation", None),
        context=context,
    )


def ladder_of(cause: RankedCause, strategies: Sequence[Strategy], situation: Situation) -> list[Strategy]:
    """The remedies against `cause`, from gentle to harsh; of one rung the best first (plan/choice.py)."""
    return in_order(cause, [each for each in strategies if cause.cause in each.causes], situation)


def proposed_with(bare: Proposal, cause: RankedCause, strategy: Strategy) -> Proposal:
    """`strategy` against `cause`, with the steps that it would take now, for the gates to judge."""
    return replace(
        bare,
        cause=cause,
        strategy=strategy,
        steps=strategy.steps(bare.issue, bare.situation),
        confidence=_confidence(cause, strategy, bare.situation),
    )


def _fresh(bare: Proposal, cause: RankedCause, ladder: list[Strategy], notes: dict[str, str]) -> Strategy | None:
    """The gentlest that was not tried and has something to do; `notes` take why others were passed over. One whose
    facts could not be read is passed over only for one that interrupts nothing: a harsher act is no answer to not
    knowing whether a gentler one would do."""
    failed = failed_here(bare)
    blind: Strategy | None = None
    for each in ladder:
        why = why_passed_over(bare, cause, each, failed=failed)
        if why:
            notes[each.name] = why
            if why == unread_fact(each, bare.situation):
                blind = blind or each
        elif blind is None or not each.disruptive:
            return each
    return blind


def why_passed_over(bare: Proposal, cause: RankedCause, strategy: Strategy, *, failed: frozenset[str]) -> str:
    """Why this remedy can't be used on the problem now, in words; "" when it can. `failed`: of `failed_here`."""
    tried = "it failed on this problem" if strategy.name in failed else ""
    why = _forbidden(bare, cause, strategy) or tried or unread_fact(strategy, bare.situation)
    if why or strategy.steps(bare.issue, bare.situation):
        return why
    return strategy.why_nothing(bare.issue, bare.situation)


def _forbidden(bare: Proposal, cause: RankedCause, strategy: Strategy) -> str:
    """Why this remedy is not to be taken at all now, in words; "" when it may."""
    if strategy.name in bare.situation.consent.denied:
        return "a person denied it"
    until = bare.situation.learned.get((cause.cause, strategy.name), NOTHING_LEARNED).quarantined_until
    if until is None or until <= bare.situation.wall_now:
        return ""
    steps = strategy.steps(bare.issue, bare.situation)
    if can_only_gain(strategy, bare.situation.service, steps):
        return ""
    hours = (until - bare.situation.wall_now) / 3600.0
    return f"it kept failing here and is in quarantine for {hours:.1f} h more (`autonomyctl trust --release` ends that)"


def failed_here(proposal: Proposal) -> frozenset[str]:
    """The remedies that were tried on this problem lately, and did not help."""
    return frozenset(_failures(proposal))


def _failures(proposal: Proposal) -> Iterator[str]:
    key = issue_key(proposal.issue)
    since = proposal.situation.now - proposal.limits.recurrence_window_s
    for fix in proposal.situation.past:
        if fix.issue_key == key and fix.outcome in FAILED and fix.at > since:
            yield fix.strategy


def _confidence(cause: RankedCause, strategy: Strategy, situation: Situation) -> float:
    """The diagnosis' confidence, moved by how the strategy fared on this cause here."""
    points = situation.learned.get((cause.cause, strategy.name), NOTHING_LEARNED).points
    return max(LEAST_LEARNED, min(100.0, cause.confidence + points)) if points else cause.confidence
