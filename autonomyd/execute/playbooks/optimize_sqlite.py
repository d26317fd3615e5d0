"""Tidy SQLite files up: write a log that has grown back into its file, rebuild a file that is mostly unused."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation, SqliteFile
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import OptimizeSqlite, Step

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TidySqlite:
    """The content stays the same, so there is nothing to take back. Rebuilding locks writers out for a while: only
    where the check says `vacuum = true`, and only with enough free disk."""

    name: str = "optimize-sqlite"
    causes: frozenset[Cause] = frozenset({Cause.SQLITE_BLOATED})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service", "sqlite"})
    yields: frozenset[type] = frozenset({OptimizeSqlite})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        return tuple(
            OptimizeSqlite(path=file.path, vacuum=_rebuilds(file))
            for file in situation.sqlite
            if file.log_over or _rebuilds(file)
        )

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        unused = [file for file in situation.sqlite if file.unused_over]
        forbidden = ", ".join(file.path for file in unused if not file.may_rebuild)
        if forbidden:
            return f"{forbidden} may not be rebuilt: `vacuum = true` in its check allows it (writers wait meanwhile)"
        if unused:
            return f"there is not enough free disk to rebuild {', '.join(file.path for file in unused)}"
        return "no SQLite file of it is over its bounds now"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return tuple(
            f"rebuild {file.path} without the {file.unused_bytes / MB:.1f} MB that it does not use"
            if _rebuilds(file)
            else f"write the log of {file.path} ({file.log_bytes / MB:.1f} MB) back into the file"
            for file in situation.sqlite
            if file.log_over or _rebuilds(file)
        )


def _rebuilds(file: SqliteFile) -> bool:
    return file.unused_over and file.may_rebuild and file.room
