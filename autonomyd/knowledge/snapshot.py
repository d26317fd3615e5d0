"""The last good copy of the database, and the place of damaged files. All of it blocks: call it in a thread."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from autonomyd.knowledge.oplog import sync_folder

KEEP_CORRUPT = 3
SIDE_FILES = ("-wal", "-shm", "-journal")


def snapshot_path(database: Path) -> Path:
    return database.with_name(database.name + ".snapshot")


def take_snapshot(database: Path) -> int:
    """Copy the database, check the copy and put it in the place of the last; returns the number of the last write
    that it holds. Raises sqlite3.Error (also when the copy is damaged, which means the database is) or OSError."""
    target = snapshot_path(database)
    temporary = target.with_name(target.name + ".tmp")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(temporary)) as copy,
        ):
            source.execute("PRAGMA busy_timeout = 250")
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file: a copy must not depend on a -wal beside it
            check(copy)
            (applied,) = copy.execute("SELECT seq FROM applied").fetchone()
        _sync_file(temporary)
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return int(applied)


def check(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError with code SQLITE_CORRUPT when the database's structure is damaged."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(str(found))


def damaged(reason: str) -> sqlite3.DatabaseError:
    """The error that SQLite itself raises for a damaged file."""
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    error.sqlite_errorname = "SQLITE_CORRUPT"
    return error


def set_aside(database: Path, *, wall: float) -> Path:
    """Move a damaged database with its side files to `<name>.corrupt-<UTC time>`; the newest three stay."""
    stamp = datetime.fromtimestamp(wall, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = database.with_name(f"{database.name}.corrupt-{stamp}")
    count = 1
    while aside.exists():
        count += 1
        aside = database.with_name(f"{database.name}.corrupt-{stamp}.{count}")
    for suffix in SIDE_FILES:
        _move(Path(f"{database}{suffix}"), Path(f"{aside}{suffix}"))
    _move(database, aside)
    kept = [each for each in database.parent.glob(f"{database.name}.corrupt-*") if not each.name.endswith(SIDE_FILES)]
    for old in sorted(kept, key=lambda each: (each.stat().st_mtime, each.name))[:-KEEP_CORRUPT]:
        for suffix in ("", *SIDE_FILES):
            Path(f"{old}{suffix}").unlink(missing_ok=True)
    return aside


def restore_snapshot(database: Path) -> bool:
    """Put the snapshot in the place of a missing database; False when there is none that is whole."""
    source = snapshot_path(database)
    if not source.exists():
        return False
    temporary = database.with_name(database.name + ".restore")
    try:
        shutil.copyfile(source, temporary)
        temporary.chmod(0o600)
        with closing(sqlite3.connect(temporary)) as copy:
            check(copy)
    except sqlite3.Error:
        temporary.unlink(missing_ok=True)
        return False
    for suffix in SIDE_FILES:  # they belong to the lost file and would damage this one
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    _sync_file(temporary)
    temporary.replace(database)
    sync_folder(database.parent)
    return True


def _move(source: Path, target: Path) -> None:
    with suppress(FileNotFoundError):
        source.rename(target)


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
