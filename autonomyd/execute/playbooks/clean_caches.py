"""Clean a cache: its files that nobody has used for some days, under the allow-listed roots, never one that is open."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import CleanupPreview, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RemoveFiles, Step

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanCaches:
    """Irreversible; a `[[cleanup]]` table of kind "cache" is the person's standing consent."""

    name: str = "clean-caches"
    causes: frozenset[Cause] = frozenset({Cause.DISK_FILLING})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"cleanup"})
    yields: frozenset[type] = frozenset({RemoveFiles})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        found = _cache(situation)
        if found is None or found.incomplete or not found.files:
            return ()
        return (RemoveFiles(root=found.root, files=found.files, total_bytes=found.total_bytes),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        found = _cache(situation)
        if found is None:
            return 'no cache on this disk is allowed for cleaning: add a [[cleanup]] table of kind "cache"'
        if found.incomplete:
            return f"it is not certain which files are open: {found.incomplete}"
        return f"no file under {found.root} is old enough, or all are open"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        found = _cache(situation)
        if found is None or not found.files:
            return ()
        words = f"remove {len(found.files)} unused files of the cache {found.root}: {found.total_bytes / MB:.1f} MB"
        return (words, *found.files)


def _cache(situation: Situation) -> CleanupPreview | None:
    found = situation.cleanup
    return found if found is not None and found.kind == "cache" else None
