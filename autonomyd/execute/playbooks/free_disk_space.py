"""Free disk space: the oldest rotated logs under the allow-listed roots, never a file that is open."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RemoveFiles, Step

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeDiskSpace:
    """Irreversible; a `[[cleanup]]` table in the configuration is the person's standing consent."""

    name: str = "free-disk-space"
    causes: frozenset[Cause] = frozenset({Cause.DISK_FILLING})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"cleanup"})
    yields: frozenset[type] = frozenset({RemoveFiles})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        found = situation.cleanup
        if found is None or found.kind != "logs" or found.incomplete or not found.files:
            return ()
        return (RemoveFiles(root=found.root, files=found.files, total_bytes=found.total_bytes),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        found = situation.cleanup
        if found is None:
            return "no folder on this disk is allowed for cleaning: add a [[cleanup]] table with its root"
        if found.incomplete:
            return f"it is not certain which files are open: {found.incomplete}"
        return f"no rotated log is left under {found.root} that nobody has open"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        found = situation.cleanup
        if found is None or found.kind != "logs" or not found.files:
            return ()
        total = f"{found.total_bytes / MB:.1f} MB"
        return (f"remove {len(found.files)} rotated logs under {found.root}: {total}", *found.files)
