"""Why each remedy is not the one: the planner's own questions, asked of every remedy, not only of the first. Pure."""

from collections.abc import Sequence

from autonomyd.model.decision import Standing, StrategyVerdict
from autonomyd.model.diagnosis import Diagnosis, RankedCause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.strategy import Strategy
from autonomyd.plan.planner import asked, failed_here, ladder_of, propose, proposed_with, why_passed_over
from autonomyd.plan.proposal import Proposal


def why_not(
    issue: Issue, diagnosis: Diagnosis, situation: Situation, strategies: Sequence[Strategy]
) -> tuple[StrategyVerdict, ...]:
    """One verdict each: the chosen first, then down the ladder of each cause, then those for other causes."""
    proposal = propose(issue, diagnosis, situation, strategies)
    bare = Proposal(issue=issue, situation=situation, diagnosis=diagnosis, cause=diagnosis.cause)
    found: dict[str, StrategyVerdict] = {}
    for cause in diagnosis.causes:
        for each in ladder_of(cause, strategies, situation):
            if each.name not in found:
                found[each.name] = _verdict(bare, cause, each, proposal)
    verdicts = sorted(found.values(), key=lambda each: each.standing is not Standing.CHOSEN)
    return (*verdicts, *(_other(each, diagnosis) for each in strategies if each.name not in found))


def _verdict(bare: Proposal, cause: RankedCause, strategy: Strategy, proposal: Proposal) -> StrategyVerdict:
    made = proposed_with(bare, cause, strategy)
    chosen = proposal.strategy is not None and proposal.strategy.name == strategy.name
    _, refusals = asked(made)
    refusal = refusals[0] if refusals else None
    ruled_out = why_passed_over(bare, cause, strategy, failed=failed_here(bare))
    gate = None if refusal is None else next(each for each in refusal.gates if each.gate is refusal.gate)
    if chosen:
        standing, why = Standing.CHOSEN, "it is the next" if refusal is None else refusal.message
    elif ruled_out:
        standing, why = Standing.RULED_OUT, ruled_out
    elif refusal is not None:
        standing, why = Standing.HELD, refusal.message
    else:
        standing, why = Standing.BEHIND, _behind(made, proposal)
    held = refusal is not None and standing in (Standing.CHOSEN, Standing.HELD)
    return StrategyVerdict(
        strategy=strategy.name,
        rung=strategy.rung,
        standing=standing,
        why=why,
        cause=cause.cause,
        confidence=made.confidence,
        short_by=max(0.0, made.limits.confidence - made.confidence),
        gate=gate.gate.value if held and gate is not None else None,
        saw=gate.saw if held and gate is not None else "",
        needs=gate.needs if held and gate is not None else "",
        retry_at=refusal.retry_at if held and refusal is not None else None,
    )


def _behind(made: Proposal, proposal: Proposal) -> str:
    first, strategy = proposal.strategy, made.strategy
    if first is None or strategy is None or proposal.cause is None or made.cause is None:
        return "nothing is proposed before the cause is known"
    if made.cause.cause is not proposal.cause.cause:
        return f"{proposal.cause.cause.words} is likelier: {first.name} comes first"
    if strategy.rung == first.rung:
        return f"{first.name} is on the same rung ({first.rung}) and promises more"
    return f"{first.name} is gentler (rung {first.rung}, this is {strategy.rung}) and comes first"


def _other(strategy: Strategy, diagnosis: Diagnosis) -> StrategyVerdict:
    against = ", ".join(sorted(cause.words for cause in strategy.causes))
    here = f"not {diagnosis.cause.cause.words}" if diagnosis.cause is not None else "and the cause here is not known"
    return StrategyVerdict(
        strategy=strategy.name,
        rung=strategy.rung,
        standing=Standing.OTHER_CAUSE,
        why=f"it is for {against}, {here}",
    )
