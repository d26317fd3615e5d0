"""Alerts, and the messages about them until they are sent."""

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write
from autonomyd.model.alert import Alert, Message


class Outbox:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, *values: Alert | Message, durable: bool = False) -> None:
        """Insert or replace alerts and messages, together."""
        await self._store.put(*(_write(each) for each in values), durable=durable)

    async def alerts(self, *, limit: int = 50) -> list[Alert]:
        """Newest first."""
        return load_all(Alert, await self._store.fetch("recent_alerts", {"limit": limit}))

    async def to_go_on_with(self, *, since: float) -> list[Alert]:
        """Those that are open, and those that changed since `since` (epoch seconds); oldest first."""
        return load_all(Alert, await self._store.fetch("alerts_to_go_on_with", {"since": since}))

    async def waiting(self) -> list[Message]:
        """Oldest first."""
        return load_all(Message, await self._store.fetch("waiting_messages"))

    async def messages(self, *, limit: int = 50) -> list[Message]:
        """Newest first."""
        return load_all(Message, await self._store.fetch("recent_messages", {"limit": limit}))

    async def told(self, alert_id: int) -> frozenset[str]:
        """The targets that a message about this alert went to, or is about to go to."""
        rows = await self._store.fetch("told_of_alert", {"alert_id": alert_id})
        return frozenset(row["target"] for row in rows)


def _write(value: Alert | Message) -> Write:
    if isinstance(value, Alert):
        return Write(
            query="upsert_alert",
            params={
                "id": value.id,
                "key": value.key,
                "state": value.state.value,
                "updated_at": value.updated_at,
                "body": dump(value),
            },
        )
    return Write(
        query="upsert_message",
        params={
            "id": value.id,
            "alert_id": value.alert_id,
            "target": value.target,
            "state": value.state.value,
            "created_at": value.created_at,
            "body": dump(value),
        },
    )
