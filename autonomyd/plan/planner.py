"""Chooses the strategy and asks the gates: a Plan, or the Refusal of the first gate that stays shut."""

from collections.abc import Sequence
from dataclasses import replace

from autonomyd.model.diagnosis import Diagnosis, RankedCause
from autonomyd.model.facts import Situation
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import Issue
from autonomyd.model.plan import GateResult, Plan, Refusal
from autonomyd.model.strategy import Strategy
from autonomyd.plan.guards import GUARDS
from autonomyd.plan.proposal import Proposal, issue_key

LEAST_LEARNED = 50.0
"""Experience moves confidence within 50..100."""


def decide(issue: Issue, diagnosis: Diagnosis, situation: Situation, strategies: Sequence[Strategy]) -> Plan | Refusal:
    """What to do about `issue` now. Takes the most likely cause and the gentlest strategy for it that has not
    failed on this issue since it opened; when all have failed, the harshest."""
    proposal = propose(issue, diagnosis, situation, strategies)
    asked: list[GateResult] = []
    for guard in GUARDS:
        answer = guard(proposal)
        asked.append(answer.result)
        if answer.refusal is not None:
            name = proposal.strategy.name if proposal.strategy else None
            return replace(answer.refusal, gates=tuple(asked), strategy=name)
    assert proposal.strategy is not None
    assert proposal.cause is not None
    return Plan(
        strategy=proposal.strategy.name,
        cause=proposal.cause.cause,
        steps=proposal.steps,
        confidence=proposal.confidence,
        risk=proposal.strategy.risk,
        disruptive=proposal.strategy.disruptive,
        reversible=proposal.strategy.reversible,
        service=situation.service.name if situation.service else None,
        issue_id=issue.id,
        preview=proposal.strategy.preview(issue, situation),
        gates=tuple(asked),
    )


def propose(issue: Issue, diagnosis: Diagnosis, situation: Situation, strategies: Sequence[Strategy]) -> Proposal:
    """The remedy that the gates will judge."""
    bare = Proposal(issue=issue, situation=situation, diagnosis=diagnosis, cause=diagnosis.cause)
    cause = diagnosis.cause
    if cause is None:
        return bare
    chosen = _choose(bare, cause, strategies)
    if chosen is None:
        return bare
    return replace(
        bare,
        strategy=chosen,
        steps=chosen.steps(issue, situation),
        confidence=_confidence(cause, chosen, situation),
    )


def _choose(proposal: Proposal, cause: RankedCause, strategies: Sequence[Strategy]) -> Strategy | None:
    ladder = sorted((each for each in strategies if cause.cause in each.causes), key=lambda each: each.rung)
    key = issue_key(proposal.issue)
    window_s = proposal.limits.recurrence_window_s
    failed = {
        fix.strategy
        for fix in proposal.situation.past
        if fix.issue_key == key
        and fix.outcome in (Outcome.INEFFECTIVE, Outcome.WORSENED, Outcome.ROLLED_BACK)
        and proposal.situation.now - fix.at < window_s
    }
    untried = [each for each in ladder if each.name not in failed]
    return untried[0] if untried else (ladder[-1] if ladder else None)


def _confidence(cause: RankedCause, strategy: Strategy, situation: Situation) -> float:
    """The diagnosis' confidence, moved by how the strategy fared on this cause here."""
    points = situation.learned.get(strategy.name)
    if points is None:
        return cause.confidence
    return max(LEAST_LEARNED, min(100.0, cause.confidence + points))
