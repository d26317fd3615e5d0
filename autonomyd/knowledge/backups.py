"""The manifests of backups: one JSON file each, beside the contents that they name. They outlive a lost database, so
that what a fix changed can always be put back."""

import contextlib
import json
import os
import re
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import structlog

from autonomyd.host.objects import ObjectError, ObjectStore, read_bounded, replace_durably, sync_folder
from autonomyd.host.paths import ensure_private_dir
from autonomyd.knowledge.decode import DecodeError, decode
from autonomyd.model.change import Backup, FileChange
from autonomyd.model.wire import plain

MANIFEST_BYTES = 4 * 1024 * 1024
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_TEMPORARY = ".manifest-"

log = structlog.get_logger(__name__)


class UnknownBackupError(LookupError):
    """No backup of that id is kept."""


class Backups:
    """All methods block (call them within `aio.offload.in_thread`). `objects` holds the contents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "manifests"
        self.objects = ObjectStore(folder / "objects")

    def new_id(self, fix_id: int, wall: float) -> str:
        """A name that sorts by time, and that no backup has."""
        name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(wall))}-{fix_id}"
        taken = 1
        while self._path(found := name if taken == 1 else f"{name}-{taken}").exists():
            taken += 1
        return found

    def save(self, backup: Backup) -> None:
        """On the disk when it returns. Raises OSError."""
        if not self._folder.is_dir():
            ensure_private_dir(self._folder.parent, 0o700)
            ensure_private_dir(self._folder, 0o700)
            sync_folder(self._folder.parent)
            sync_folder(self._folder.parent.parent)
        text = json.dumps(plain(backup), separators=(",", ":"))
        replace_durably(self._path(backup.id), text.encode(), prefix=_TEMPORARY)

    def load(self, backup_id: str) -> Backup:
        """Raises UnknownBackupError, and ObjectError for a manifest that can't be read."""
        if not _ID.fullmatch(backup_id):
            raise UnknownBackupError(backup_id)
        try:
            return decode(Backup, json.loads(read_bounded(self._path(backup_id), MANIFEST_BYTES)))
        except FileNotFoundError:
            raise UnknownBackupError(backup_id) from None
        except (OSError, ValueError, DecodeError) as error:
            raise ObjectError(f"the manifest of the backup {backup_id} can't be read: {error}") from error

    def all(self) -> tuple[Backup, ...]:
        """Newest first; one that can't be read is logged and left out."""
        found = []
        for backup_id in sorted(self._ids(), reverse=True):
            try:
                found.append(self.load(backup_id))
            except UnknownBackupError:
                continue
            except ObjectError as error:
                log.error("backup_unreadable", backup=backup_id, reason=str(error))
        return tuple(sorted(found, key=lambda each: each.at, reverse=True))

    def mark_rolled_back(self, backup_id: str, at: float) -> None:
        """What it saved was put back. Raises as `load` and `save`."""
        self.save(replace(self.load(backup_id), rolled_back_at=at))

    def size(self, backup: Backup) -> int:
        """Bytes of the saved contents."""
        total = 0
        for sha256 in {change.before.sha256 for change in backup.changes if change.before.sha256}:
            with contextlib.suppress(OSError):
                total += os.stat(self.objects.folder / sha256).st_size
        return total

    def forget(self, *, before: float, keep: Collection[str], named: Collection[str], wall: float) -> int:
        """Remove the backups made before `before` (epoch seconds) save those in `keep`, then the contents that neither
        a backup nor `named` names; the bytes freed. Nothing is collected while a manifest can't be read: it may name
        what would go."""
        left = set(named)
        for backup_id in self._ids():
            try:
                backup = self.load(backup_id)
            except (UnknownBackupError, ObjectError) as error:
                log.error("backup_unreadable", backup=backup_id, reason=str(error))
                return 0
            if backup.at < before and backup_id not in keep:
                self._path(backup_id).unlink(missing_ok=True)
                continue
            left.update(sha256 for change in backup.changes for sha256 in _contents(change))
        return self.objects.collect(left, wall=wall)

    def _path(self, backup_id: str) -> Path:
        return self._folder / f"{backup_id}.json"

    def _ids(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        return [name.removesuffix(".json") for name in names if name.endswith(".json") and name[0] != "."]


def _contents(change: FileChange) -> tuple[str, ...]:
    states = (change.before, change.after or change.before)
    return tuple(state.sha256 for state in states if state.sha256)
