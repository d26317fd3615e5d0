"""Gate 7: what is written must be covered by a backup."""

from autonomyd.model.plan import GateName
from autonomyd.plan.proposal import Answer, Proposal, passed

NEEDS = "the backup covers every file that is written"


def backup(proposal: Proposal) -> Answer:
    """None of the steps that exist writes into a file, so there is nothing to cover; a step that does is refused
    here until the transaction keeps backups."""
    return passed(GateName.BACKUP, saw="no file is written", needs=NEEDS)
