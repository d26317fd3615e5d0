"""Optimization candidates and what became of them."""

from collections.abc import Mapping

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Value, Write
from autonomyd.model.candidate import CandidateState, OptimizationCandidate


class Candidates:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_id(self) -> int:
        return self._store.next_id("candidate")

    async def save(self, candidate: OptimizationCandidate, *, durable: bool = False) -> None:
        """Insert or replace `candidate`."""
        params: dict[str, Value] = {
            "id": candidate.id,
            "component": candidate.component,
            "type": str(candidate.optimization_type),
            "state": candidate.state.value,
            "created_at": candidate.created_at,
            "updated_at": candidate.updated_at,
            "body": dump(candidate),
        }
        await self._store.put(Write(query="upsert_candidate", params=params), durable=durable)

    async def get(self, candidate_id: int) -> OptimizationCandidate | None:
        found = load_all(OptimizationCandidate, await self._store.fetch("candidate_by_id", {"id": candidate_id}))
        return found[0] if found else None

    async def unsettled(self) -> list[OptimizationCandidate]:
        """Proposed and applied ones, oldest first."""
        return load_all(OptimizationCandidate, await self._store.fetch("unsettled_candidates"))

    async def recent(self, *, limit: int = 50) -> list[OptimizationCandidate]:
        """Newest first."""
        return load_all(OptimizationCandidate, await self._store.fetch("recent_candidates", {"limit": limit}))

    async def counts(self) -> Mapping[CandidateState, int]:
        """By state, since the store began; every state is there."""
        found = {row["label"]: row["n"] for row in await self._store.fetch("count_candidates")}
        return {state: found.get(state.value, 0) for state in CandidateState}
