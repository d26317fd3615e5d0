"""Goals as they stand."""

from collections.abc import Mapping

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Value, Write
from autonomyd.model.goal import Goal, GoalState


class Goals:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_id(self) -> int:
        return self._store.next_id("goal")

    async def save(self, goal: Goal) -> None:
        """Insert or replace `goal`."""
        params: dict[str, Value] = {
            "id": goal.id,
            "key": goal.key,
            "type": goal.type.value,
            "priority": goal.priority.value,
            "state": goal.state.value,
            "created_at": goal.created_at,
            "updated_at": goal.updated_at,
            "body": dump(goal),
        }
        await self._store.put(Write(query="upsert_goal", params=params))

    async def get(self, goal_id: int) -> Goal | None:
        found = load_all(Goal, await self._store.fetch("goal_by_id", {"id": goal_id}))
        return found[0] if found else None

    async def unfinished(self) -> list[Goal]:
        """Pending and in progress: highest priority first, then the oldest."""
        return load_all(Goal, await self._store.fetch("unfinished_goals"))

    async def recent(self, *, limit: int = 50) -> list[Goal]:
        """Newest first."""
        return load_all(Goal, await self._store.fetch("recent_goals", {"limit": limit}))

    async def counts(self) -> Mapping[GoalState, int]:
        """By state, since the store began; every state is there."""
        found = {row["label"]: row["n"] for row in await self._store.fetch("count_goals")}
        return {state: found.get(state.value, 0) for state in GoalState}
