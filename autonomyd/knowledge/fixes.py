"""Fixes with their transitions: the journal that start-up reads to finish what a crash cut off."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import UNFINISHED_FIX_STATES, Fix, Outcome
from autonomyd.model.issue import Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class FixCounts:
    """Since the store began, with what retention removed. `total` counts those without an outcome too."""

    total: int
    outcomes: Mapping[Outcome, int]


class Fixes:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stored: dict[int, int] = {}  # transitions of each running fix that the store has

    def next_id(self) -> int:
        return self._store.next_id("fix")

    async def save(self, fix: Fix, *, durable: bool = True) -> None:
        """Insert or replace `fix` with its transitions (a list that only grows); on the disk when it returns."""
        known = min(self._stored.get(fix.id, 0), len(fix.transitions))
        writes = [_transition(fix.id, n, each) for n, each in enumerate(fix.transitions) if n >= known]
        await self._store.put(_upsert(fix), *writes, durable=durable)
        if fix.state in UNFINISHED_FIX_STATES:
            self._stored[fix.id] = len(fix.transitions)
        else:
            self._stored.pop(fix.id, None)

    async def get(self, fix_id: int) -> Fix | None:
        found = await self._load(await self._store.fetch("fix_by_id", {"id": fix_id}))
        return found[0] if found else None

    async def unfinished(self) -> list[Fix]:
        """Those in a state between planned and the end, oldest first."""
        return await self._load(await self._store.fetch("unfinished_fixes"))

    async def of_issue(self, issue_id: int) -> list[Fix]:
        """Oldest first."""
        return await self._load(await self._store.fetch("fixes_of_issue", {"issue_id": issue_id}))

    async def recent(self, *, limit: int = 50) -> list[Fix]:
        """Newest first."""
        return await self._load(await self._store.fetch("recent_fixes", {"limit": limit}))

    async def repair_times(self, cause: Cause, strategy: str, *, limit: int = 50) -> list[float]:
        """Seconds from the opening of an issue to its repair by `strategy` against `cause`, newest first."""
        rows = await self._store.fetch("repair_times", {"cause": cause, "strategy": strategy, "limit": limit})
        return [float(row["taken"]) for row in rows]

    async def last(self) -> Fix | None:
        found = await self.recent(limit=1)
        return found[0] if found else None

    async def counts(self) -> FixCounts:
        rows = await self._store.fetch("count_fixes")
        outcomes = {Outcome(row["label"]): row["n"] for row in rows if row["label"]}
        return FixCounts(total=sum(row["n"] for row in rows), outcomes=outcomes)

    async def _load(self, rows: Sequence[sqlite3.Row]) -> list[Fix]:
        ids = json.dumps([row["id"] for row in rows])
        transitions: dict[int, list[Transition]] = {}
        for row in await self._store.fetch("transitions_of_fixes", {"ids": ids}) if rows else ():
            ref, *values = tuple(row)
            transitions.setdefault(ref, []).append(
                Transition(**dict(zip(("at", "before", "after", "cause", "actor"), values, strict=True)))
            )
        return [replace(fix, transitions=tuple(transitions.get(fix.id, ()))) for fix in load_all(Fix, rows)]


def _upsert(fix: Fix) -> Write:
    return Write(
        query="upsert_fix",
        params={
            "id": fix.id,
            "issue_id": fix.plan.issue_id,
            "service": fix.plan.service,
            "strategy": fix.plan.strategy,
            "cause": fix.plan.cause.value,
            "state": fix.state.value,
            "outcome": None if fix.outcome is None else fix.outcome.value,
            "actor": fix.actor,
            "started_at": fix.started_at,
            "ended_at": fix.ended_at,
            "body": dump(replace(fix, transitions=())),
        },
    )


def _transition(fix_id: int, n: int, each: Transition) -> Write:
    return Write(
        query="put_fix_transition",
        params={
            "id": fix_id,
            "n": n,
            "at": each.at,
            "before": each.before,
            "after": each.after,
            "cause": each.cause,
            "actor": each.actor,
        },
    )
