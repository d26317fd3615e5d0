"""Gate 7: what is written must be covered by a backup."""

from autonomyd.model.plan import GateName, RefusalReason
from autonomyd.model.step import FileStep, Step, write_set
from autonomyd.model.words import counted
from autonomyd.plan.proposal import Answer, Proposal, passed, refused

NEEDS = "the backup covers every file that is written"


def backup(proposal: Proposal) -> Answer:
    """The write set must be known for certain now, since a backup is made of exactly it: plain absolute paths, each
    written by one step only. That the files themselves can be saved and replaced is seen by the runner, before it
    writes."""
    paths = write_set(proposal.steps)
    if not paths:
        return passed(GateName.BACKUP, saw="no file is written", needs=NEEDS)
    doubtful = [path for path in paths if not _plain(path)] or _twice(proposal.steps)
    if doubtful:
        named = ", ".join(path or "a path without a name" for path in doubtful)
        return refused(
            GateName.BACKUP,
            RefusalReason.NO_BACKUP,
            saw=f"not certain which file is meant: {named}",
            needs=NEEDS,
            message=f"no backup can be made of {named}: it needs a plain absolute path that only one step writes",
            park=True,
        )
    return passed(GateName.BACKUP, saw=f"{counted(len(paths), 'file')}, saved first", needs=NEEDS)


def _plain(path: str) -> bool:
    parts = path.split("/")
    return parts[0] == "" and len(parts) > 1 and not any(part in ("", ".", "..") for part in parts[1:])


def _twice(steps: tuple[Step, ...]) -> list[str]:
    """Paths that a step on files shares with another step: what the second would find is not what is saved."""
    sets = [(write_set((step,)), isinstance(step, FileStep)) for step in steps]
    found: dict[str, None] = {}
    for number, (paths, is_file_step) in enumerate(sets):
        for others, other_is in sets[:number]:
            if is_file_step or other_is:
                found.update(dict.fromkeys(path for path in paths if path in others))
    return list(found)
