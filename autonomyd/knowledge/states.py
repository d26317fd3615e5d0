"""Single values that must outlive the daemon: the pause, a person's intent for a service, learned counters."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from autonomyd.aio.clock import Clock
from autonomyd.knowledge.decode import DecodeError
from autonomyd.knowledge.rows import dump, load, log
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Value, Write
from autonomyd.model.service import Intent
from autonomyd.model.status import PauseStatus

PAUSE = "pause"
INTENT = "intent:"


class States:
    """Values by key. What a person asked for (pause, intent) is on the disk when its method returns.
    Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def put(self, key: str, value: Any, *, durable: bool = False) -> None:
        """Keep `value` (JSON values, or a value of the model) under `key`."""
        params: dict[str, Value] = {"key": key, "at": self._clock.wall(), "body": dump(value)}
        await self._store.put(Write(query="put_state", params=params), durable=durable)

    async def get(self, key: str, default: Any = None) -> Any:
        """The JSON values under `key`, or `default`, also when they can't be read."""
        rows = await self._store.fetch("state_by_key", {"key": key})
        return _readable(rows).get(key, default)

    async def items(self, prefix: str) -> Mapping[str, Any]:
        """Every key that begins with `prefix`, whole, with its JSON values. One that can't be read hides no other."""
        return _readable(await self._store.fetch("states_with_prefix", {"prefix": prefix}))

    async def remove(self, key: str, *, durable: bool = False) -> None:
        await self._store.put(Write(query="remove_state", params={"key": key}), durable=durable)

    async def set_pause(self, pause: PauseStatus) -> None:
        await self.put(PAUSE, pause, durable=True)

    async def pause(self) -> PauseStatus:
        """As it was set last; whether its `until` is over is for the caller to judge."""
        rows = await self._store.fetch("state_by_key", {"key": PAUSE})
        try:
            return load(PauseStatus, rows[0]["body"]) if rows else PauseStatus(paused=False)
        except DecodeError as error:
            # a pause that cannot be read is still a pause: acting against a person's word is the worse mistake
            log.error("stored_value_unreadable", kind="PauseStatus", reason=str(error))
            return PauseStatus(paused=True, reason="the stored pause cannot be read; resume to clear it")

    async def set_intent(self, service: str, intent: Intent) -> None:
        await self.put(INTENT + service, intent, durable=True)

    async def intents(self) -> Mapping[str, Intent]:
        """What a person last asked for, by the name of the service; stopped where that can't be read, as for the
        pause."""
        rows = await self._store.fetch("states_with_prefix", {"prefix": INTENT})
        known, words = _readable(rows), tuple(Intent)
        asked = {row["key"]: known.get(row["key"]) for row in rows}
        return {
            key.removeprefix(INTENT): Intent(value) if value in words else Intent.STOPPED
            for key, value in asked.items()
        }


def _readable(rows: Iterable[sqlite3.Row]) -> dict[str, Any]:
    found = {}
    for row in rows:
        try:
            found[row["key"]] = json.loads(row["body"])
        except ValueError as error:
            log.error("stored_value_unreadable", kind="state", key=row["key"], reason=str(error))
    return found
