"""The daemon's diary."""

from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write
from autonomyd.model.event import Event
from autonomyd.model.subject import Subject


class Events:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, *events: Event) -> None:
        """Append `events`, in their order."""
        await self._store.put(
            *(
                Write(
                    query="put_event",
                    params={
                        "at": each.at,
                        "kind": each.kind,
                        "subject": each.subject,
                        "message": each.message,
                        "actor": each.actor,
                    },
                )
                for each in events
            )
        )

    async def recent(self, *, limit: int = 100, since: float = 0.0, subject: Subject | None = None) -> list[Event]:
        """The newest first, not older than `since` (epoch seconds)."""
        params = {"limit": limit, "since": since}
        if subject is None:
            rows = await self._store.fetch("recent_events", params)
        else:
            rows = await self._store.fetch("events_of_subject", {**params, "subject": subject})
        return [Event(**dict(row)) for row in rows]
