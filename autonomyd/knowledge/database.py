"""One connection to one SQLite file: opening, migrating, applying writes in one transaction, asking.

It raises what SQLite raises; store.py decides what that means for the daemon."""

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import aiosqlite

from autonomyd.knowledge.errors import StoreTooNew, fault_of
from autonomyd.knowledge.snapshot import damaged
from autonomyd.knowledge.statements import migrations, statements
from autonomyd.knowledge.write import Op, Value

BUSY_TIMEOUT_MS = 250  # healing must not wait for another program's lock
PAGE_CACHE_KB = 512
WAL_LIMIT_BYTES = 4 * 1024 * 1024

MEMORY = ":memory:"

COPIED_TABLES = (
    "applied", "counters", "removed", "issues", "decisions", "fixes", "transitions", "goals", "candidates", "states",
    "outcomes", "approvals", "consents", "shadow", "known_good", "alerts", "messages",
)  # fmt: skip


class Database:
    """An open, migrated, checked database. Make it with `await Database.open(...)`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._full = True

    @classmethod
    async def open(cls, path: str) -> "Database":
        """Open or create `path`. Raises sqlite3.Error, OSError, or StoreTooNew."""
        if path != MEMORY:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        where = "file::memory:" if path == MEMORY else uri_of(path)
        connecting = aiosqlite.connect(where, timeout=BUSY_TIMEOUT_MS / 1000, uri=True)
        # A daemon that dies by an error without closing must really end, not wait for this thread for ever.
        thread: Any = getattr(connecting, "_thread", connecting)
        thread.daemon = True
        connection = await connecting
        try:
            connection.row_factory = sqlite3.Row
            await connection.executescript(
                f"PRAGMA cache_size = -{PAGE_CACHE_KB}; PRAGMA auto_vacuum = INCREMENTAL; "
                f"PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}; PRAGMA synchronous = FULL;"
            )
            await _migrate(connection)
            found = (await _all(connection, "PRAGMA quick_check(1)"))[0][0]
            if found != "ok":
                raise damaged(str(found))
        except BaseException:
            await connection.close()
            raise
        return cls(connection)

    async def apply(self, ops: Sequence[Op]) -> list[tuple[Op, str]]:
        """Apply `ops` in their order in one transaction and remember the last number; returns those whose statement
        the database refused as wrong, with the reason. Raises sqlite3.Error when the database itself is not well."""
        await self._synchronous(full=any(op.durable for op in ops))
        try:
            try:
                await self._run(ops)
                refused: list[tuple[Op, str]] = []
            except (sqlite3.Error, OverflowError) as error:
                if fault_of(error) is not None:
                    raise
                await self._connection.rollback()
                refused = await self._run_singly(ops)
            await self._connection.execute(statements()["set_applied"], {"seq": ops[-1].seq})
            await self._connection.commit()
        except BaseException:
            await self._undo()
            raise
        return refused

    async def fetch(self, query: str, params: Mapping[str, Value]) -> list[sqlite3.Row]:
        """Rows of a named statement. Raises sqlite3.Error."""
        return await _all(self._connection, statements()[query], params)

    async def copy_from(self, path: str) -> None:
        """Copy everything but the events out of a file that can only be read. Raises sqlite3.Error."""
        await self._connection.execute("ATTACH ? AS source", (f"{uri_of(path)}?immutable=1",))
        try:
            there = {row[0] for row in await _all(self._connection, "SELECT name FROM source.sqlite_master")}
            for table in (each for each in COPIED_TABLES if each in there):  # an older schema has fewer
                await self._connection.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM source.{table}")  # noqa: S608
            await self._connection.commit()
        finally:
            await self._undo()
            await self._connection.execute("DETACH source")

    async def size_bytes(self) -> int:
        """Bytes in use: pages that are not free."""
        (used,) = await _all(
            self._connection,
            "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count,"
            " pragma_page_size",
        )
        return int(used[0])

    async def tidy(self) -> None:
        """Give free pages back to the file system and bring the write-ahead log into the file."""
        await self._connection.executescript("PRAGMA incremental_vacuum(2000); PRAGMA wal_checkpoint(PASSIVE);")

    async def close(self) -> None:
        await self._connection.close()

    async def _run(self, ops: Iterable[Op]) -> None:
        for query, group in groupby(ops, key=lambda op: op.query):
            rows = [{**op.params, "seq": op.seq} for op in group]
            if len(rows) == 1:
                await self._connection.execute(statements()[query], rows[0])
            else:
                await self._connection.executemany(statements()[query], rows)

    async def _run_singly(self, ops: Iterable[Op]) -> list[tuple[Op, str]]:
        refused = []
        for op in ops:
            try:
                await self._run((op,))
            except (sqlite3.Error, OverflowError) as error:
                if fault_of(error) is not None:
                    raise
                refused.append((op, str(error)))
        return refused

    async def _synchronous(self, *, full: bool) -> None:
        if full != self._full:
            await self._connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._full = full

    async def _undo(self) -> None:
        with suppress(sqlite3.Error, ValueError):  # already rolled back by SQLite, or the connection is gone
            await self._connection.rollback()


async def _migrate(connection: aiosqlite.Connection) -> None:
    version = int((await _all(connection, "PRAGMA user_version"))[0][0])
    newest = migrations()[-1][0]
    if version > newest:
        raise StoreTooNew(
            f"the database has schema {version}, this version of autonomyd knows up to {newest}: "
            "upgrade autonomyd, or set another state_dir"
        )
    for number, script in migrations():
        if number > version:
            await connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


async def _all(
    connection: aiosqlite.Connection, sql: str, params: Mapping[str, Any] | None = None
) -> list[sqlite3.Row]:
    return list(await connection.execute_fetchall(sql, params or {}))


def uri_of(path: str) -> str:
    """The path as SQLite's URI, with its special characters escaped."""
    return Path(path).absolute().as_uri()


def is_missing(path: Path) -> bool:
    """True when there is no database at `path`: no file, or an empty one."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return True
