"""What shadow mode would have done, and what happened instead."""

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Value, Write
from autonomyd.model.trust import ShadowCase


class Shadow:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, case: ShadowCase) -> None:
        """Insert or replace `case`."""
        params: dict[str, Value] = {"key": case.key, "at": case.at, "verdict": case.verdict.value, "body": dump(case)}
        await self._store.put(Write(query="put_shadow", params=params))

    async def all(self) -> list[ShadowCase]:
        """Oldest first."""
        return load_all(ShadowCase, await self._store.fetch("all_shadow"))
