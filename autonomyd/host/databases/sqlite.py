"""Looks at an SQLite file that a service writes, and tidies it up. Everything here blocks: call it in a thread."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from autonomyd.host.databases.failure import DatabaseFailure

MB = 1_000_000
STEPS = 20_000
"""Steps of SQLite's machine between two looks at whether the check was given up; some milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFacts:
    """Sizes in bytes; `free_bytes` are unused within the file, `room_bytes` is how large it may be to be
    rebuilt: that needs its size once in the folder for temporary files and twice on its own disk."""

    bytes: int
    wal_bytes: int
    free_bytes: int
    wal_mode: bool
    room_bytes: int


def sqlite_facts(path: str, *, busy_s: float) -> SqliteFacts:
    """How large the file is and what is in it, read without writing. Raises DatabaseFailure."""
    with closing(_opened(path, "ro", busy_s)) as connection:
        try:
            free_pages = _number(connection, "pragma freelist_count")
            page_bytes = _number(connection, "pragma page_size")
            mode = str(connection.execute("pragma journal_mode").fetchone()[0])
            connection.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise _failure(error) from None
    return SqliteFacts(
        bytes=_size(path),
        wal_bytes=_size(f"{path}-wal"),
        free_bytes=free_pages * page_bytes,
        wal_mode=mode == "wal",
        room_bytes=min(_free(path) // 2, _free(_temporary())),
    )


def sqlite_damage(path: str, *, busy_s: float, given_up: "list[bool]") -> str:
    """What `pragma quick_check` finds wrong, "" when nothing. It reads the whole file; put something into `given_up`
    and it ends. Raises DatabaseFailure."""
    with closing(_opened(path, "ro", busy_s)) as connection:
        connection.set_progress_handler(lambda: 1 if given_up else 0, STEPS)
        try:
            rows = connection.execute("pragma quick_check(3)").fetchall()
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                return str(error)
            raise _failure(error) from None
    words = "; ".join(str(row[0]) for row in rows)
    return "" if words == "ok" else words[:300]


def sqlite_optimize(path: str, *, vacuum: bool, busy_s: float) -> str:
    """Write the log back into the file and cut it, then with `vacuum` rebuild the file without what it does not use.
    Gives what it did, in words. Raises DatabaseFailure; its content is the same in any case."""
    before = _size(path) + _size(f"{path}-wal")
    with closing(_opened(path, "rw", busy_s)) as connection:
        try:
            busy, _, _ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            if vacuum:
                connection.execute("vacuum")
                connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            connection.execute("pragma optimize")
        except sqlite3.Error as error:
            raise _failure(error) from None
    if busy and not vacuum:
        raise DatabaseFailure(
            f"the log of {path} is in use by a reader that does not end, so it could not be cut", stage="answer"
        )
    after = _size(path) + _size(f"{path}-wal")
    return f"{path} with its log had {before / MB:.1f} MB and has {after / MB:.1f} MB"


def _opened(path: str, mode: str, busy_s: float) -> sqlite3.Connection:
    if not Path(path).is_file():
        raise DatabaseFailure(f"{path} does not exist", stage="connect")
    try:
        return sqlite3.connect(
            f"file:{quote(path)}?mode={mode}", uri=True, timeout=busy_s, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise _failure(error) from None


def _failure(error: sqlite3.Error) -> DatabaseFailure:
    name = getattr(error, "sqlite_errorname", "")
    ours = name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_READONLY", "SQLITE_NOMEM"))
    return DatabaseFailure(f"{error}", stage="answer", ours=ours, answered=name.startswith("SQLITE_BUSY"))


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _free(path: str) -> int:
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def _temporary() -> str:
    """Where SQLite puts what it rebuilds. Source: "Temporary Files Used By SQLite", section 5."""
    wanted = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp", ".")  # noqa: S108
    return next(folder for folder in wanted if folder and os.access(folder, os.W_OK | os.X_OK))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
