"""What can go wrong with the database, by what the caller or a person can do about it."""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum


class StoreUnavailable(Exception):  # noqa: N818 - it names a state of the store
    """Transient: the database cannot be read just now. Ask again later, or go on with what is in memory."""


class StoreTooNew(Exception):  # noqa: N818 - it names a state of the store
    """Operator: the database was written by a newer version; it is left as it is. Upgrade, or give another file."""


class FaultKind(StrEnum):
    LOCKED = "locked"
    FULL = "full"
    READ_ONLY = "read_only"
    CORRUPT = "corrupt"
    UNUSABLE = "unusable"


# What a person can do, by kind; shown by status.
ADVICE = {
    FaultKind.LOCKED: "end the program that holds it (`fuser` names it)",
    FaultKind.FULL: "free disk space",
    FaultKind.READ_ONLY: "make the file and its folder writable for the daemon",
    FaultKind.CORRUPT: "check the disk",
    FaultKind.UNUSABLE: "make its folder exist and be writable for the daemon",
}

_KINDS = {
    sqlite3.SQLITE_BUSY: FaultKind.LOCKED,
    sqlite3.SQLITE_LOCKED: FaultKind.LOCKED,
    sqlite3.SQLITE_PROTOCOL: FaultKind.LOCKED,
    sqlite3.SQLITE_FULL: FaultKind.FULL,
    sqlite3.SQLITE_READONLY: FaultKind.READ_ONLY,
    sqlite3.SQLITE_PERM: FaultKind.READ_ONLY,
    sqlite3.SQLITE_CORRUPT: FaultKind.CORRUPT,
    sqlite3.SQLITE_NOTADB: FaultKind.CORRUPT,
    sqlite3.SQLITE_IOERR: FaultKind.UNUSABLE,
    sqlite3.SQLITE_CANTOPEN: FaultKind.UNUSABLE,
    sqlite3.SQLITE_NOMEM: FaultKind.UNUSABLE,
    sqlite3.SQLITE_AUTH: FaultKind.UNUSABLE,
    sqlite3.SQLITE_NOLFS: FaultKind.UNUSABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why the database takes no writes now."""

    kind: FaultKind
    reason: str


def fault_of(error: BaseException) -> Fault | None:
    """The fault that `error` tells of; None when the statement itself is wrong and the database is well."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        kind = _KINDS.get(code & 0xFF) if isinstance(code, int) else None
        return None if kind is None else Fault(kind=kind, reason=str(error))
    if isinstance(error, OSError):
        return Fault(kind=FaultKind.UNUSABLE, reason=error.strerror or str(error))
    if isinstance(error, ValueError) and "connection" in str(error):
        return Fault(kind=FaultKind.UNUSABLE, reason=str(error))  # aiosqlite: the connection is closed
    return None
