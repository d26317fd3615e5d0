"""Every outcome and every word of a person about one, in order: what is learned is their sum (learn/ledger.py)."""

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write
from autonomyd.model.trust import Lesson


class Outcomes:
    """They outlive the fixes that they came from; only their number is bounded. Reads raise StoreUnavailable when the
    database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, lesson: Lesson, *, durable: bool = False) -> None:
        """Append `lesson`; one whose key is there already is the same one, and changes nothing."""
        await self._store.put(
            Write(
                query="put_outcome",
                params={
                    "key": lesson.key,
                    "at": lesson.at,
                    "kind": lesson.kind.value,
                    "service": lesson.service,
                    "cause": "" if lesson.cause is None else lesson.cause.value,
                    "strategy": lesson.strategy,
                    "body": dump(lesson),
                },
            ),
            durable=durable,
        )

    async def all(self) -> list[Lesson]:
        """Oldest first."""
        return load_all(Lesson, await self._store.fetch("all_outcomes"))

    async def recent(self, *, limit: int = 100, since: float = 0.0) -> list[Lesson]:
        """The newest first, not older than `since` (epoch seconds)."""
        return load_all(Lesson, await self._store.fetch("recent_outcomes", {"limit": limit, "since": since}))
