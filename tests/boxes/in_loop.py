"""SQLite in the loop's own thread, so that a store in virtual time waits for no real time."""

import asyncio
import sqlite3
from typing import Any


class Connection:
    """aiosqlite's connection without its thread."""

    def __init__(self, path: str, **more: Any) -> None:
        self.raw = sqlite3.connect(path, **more)

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return self

    row_factory = property(None, lambda self, value: setattr(self.raw, "row_factory", value))

    async def execute(self, sql: str, params: Any = ()) -> Any:
        return self.raw.execute(sql, params)

    async def executemany(self, sql: str, rows: Any) -> Any:
        return self.raw.executemany(sql, rows)

    async def executescript(self, sql: str) -> Any:
        return self.raw.executescript(sql)

    async def execute_fetchall(self, sql: str, params: Any = ()) -> Any:
        return self.raw.execute(sql, params).fetchall()

    async def commit(self) -> None:
        self.raw.commit()

    async def rollback(self) -> None:
        self.raw.rollback()

    async def close(self) -> None:
        self.raw.close()


async def at_once(call: Any, *arguments: Any) -> Any:
    await asyncio.sleep(0)
    return call(*arguments)
