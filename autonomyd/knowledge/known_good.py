"""The snapshots of what was verified healthy, the newest of each path first."""

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write
from autonomyd.model.known_good import GoodState


class KnownGoods:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, good: GoodState) -> None:
        """Keep a snapshot; one with the same content becomes the newest again. The five newest of a path stay."""
        await self._store.put(
            Write(
                query="put_known_good",
                params={
                    "service": good.service,
                    "path": good.path,
                    "value": good.value,
                    "at": good.at,
                    "body": dump(good),
                },
            )
        )

    async def all(self) -> list[GoodState]:
        """By service and path, newest first."""
        return load_all(GoodState, await self._store.fetch("all_known_good"))
