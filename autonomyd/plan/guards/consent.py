"""Gate 6: irreversible or data-destroying steps need a person's consent; the configuration can give it standing."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.step import IRREVERSIBLE_STEPS, RunCommand, Step
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "steps that can be taken back, or a person's consent"


def consent(proposal: Proposal) -> Answer:
    destroying = [type(step).__name__ for step in proposal.steps if _lasting(step)]
    declared = proposal.strategy is not None and not proposal.strategy.reversible
    if not destroying and not declared:
        return passed(GateName.CONSENT, saw="it can be taken back", needs=NEEDS)
    name = proposal.strategy.name if proposal.strategy is not None else "it"
    words = ", ".join(dict.fromkeys(destroying)) or name
    if proposal.strategy is not None and proposal.strategy.consented:
        return passed(GateName.CONSENT, saw=f"{words}, allowed by the configuration", needs=NEEDS)
    if proposal.allowed_by:
        return passed(GateName.CONSENT, saw=f"{words}, {proposal.allowed_by}", needs=NEEDS)
    return refused(
        GateName.CONSENT,
        RefusalReason.IRREVERSIBLE,
        saw=words,
        needs=NEEDS,
        message=f"{words} can't be undone: a person must ask for it",
    )


def _lasting(step: Step) -> bool:
    """Whether what the step does can't be taken back: by its kind, or a command that declares no way back."""
    return isinstance(step, IRREVERSIBLE_STEPS) or (isinstance(step, RunCommand) and not step.undo)
