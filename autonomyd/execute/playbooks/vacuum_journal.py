"""Vacuum systemd's journal down to the room that the configuration gives it; systemd drops its oldest files itself."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import CleanupPreview, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RunCommand, Step

MB = 1_000_000
TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VacuumJournal:
    """Irreversible; a `[[cleanup]]` table of kind "journal" is the person's standing consent."""

    name: str = "vacuum-journal"
    causes: frozenset[Cause] = frozenset({Cause.DISK_FILLING, Cause.JOURNAL_GROWN})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"cleanup"})
    yields: frozenset[type] = frozenset({RunCommand})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        found = _journal(situation)
        if found is None or found.incomplete or not found.total_bytes:
            return ()
        size = f"--vacuum-size={max(1, found.target_bytes // 1024)}K"
        return (RunCommand(argv=("journalctl", "--rotate", size), timeout_s=TIMEOUT_S),)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        found = _journal(situation)
        if found is None:
            return 'the journal may not be vacuumed: add a [[cleanup]] table of kind "journal"'
        return found.incomplete or "the journal takes no more than it may"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        found = _journal(situation)
        if found is None or not found.total_bytes:
            return ()
        down_to = f"{found.target_bytes / MB:.0f} MB"
        return (f"vacuum the journal down to {down_to}: about {found.total_bytes / MB:.0f} MB of old messages go",)


def _journal(situation: Situation) -> CleanupPreview | None:
    found = situation.cleanup
    return found if found is not None and found.kind == "journal" else None
