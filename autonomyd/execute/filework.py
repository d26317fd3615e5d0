"""What the runner does to files: save what is there, write what was worked out, put back only what it wrote itself."""

import os
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from autonomyd.aio.offload import in_thread
from autonomyd.execute.handlers import StepFailure, Unfit
from autonomyd.host.failure import FileRefused
from autonomyd.host.filestate import capture, drop_leftover, folder_owner, look, put, replaceable
from autonomyd.host.objects import ObjectError
from autonomyd.knowledge.backups import Backups, UnknownBackupError
from autonomyd.model.change import Backup, FileChange, FileKind, FileState, alike

NEW_FILE_MODE = 0o600

T = TypeVar("T")


class Whose(StrEnum):
    """Who wrote what is at a path now: nobody (it is as before), the fix, or somebody else meanwhile."""

    NOBODYS = "nobodys"
    OURS = "ours"
    FOREIGN = "foreign"


class FileWork:
    """All methods raise StepFailure with words for people, Unfit where the reason says nothing about the remedy."""

    def __init__(self, backups: Backups) -> None:
        self.backups = backups

    # --- for the handlers of file steps ----------------------------------------------------------------------------

    async def state_of(self, path: str) -> FileState:
        """What is at `path` now, its content in the object store. A path that can't be replaced later is refused."""

        def work() -> FileState:
            replaceable(path)
            return capture(path, self.backups.objects)

        return await _told(work, room=f"a copy of {path}")

    async def rewritten(self, before: FileState, content: bytes) -> FileState:
        """`before` (of a file) with `content` instead; the rest stays."""
        sha256 = await _told(lambda: self.backups.objects.put(content), room="the new content")
        return replace(before, kind=FileKind.FILE, sha256=sha256, atime_ns=0, mtime_ns=0)

    async def content(self, sha256: str) -> bytes:
        """What the object store holds."""
        return await _told(lambda: self.backups.objects.get(sha256), room="nothing")

    async def owner_of_folder(self, path: str) -> tuple[int, int]:
        """(uid, gid) of the folder of `path`."""
        return await _told(lambda: folder_owner(path), room="nothing")

    async def exists(self, path: str) -> bool:
        """Whether something is at `path`, links followed."""
        return await in_thread(lambda: os.path.exists(path))

    # --- for the runner --------------------------------------------------------------------------------------------

    async def expect_room(self) -> None:
        """Raises Unfit when the disk of the backups is full."""
        await _told(self.backups.objects.expect_room, room="the backup")

    async def save(self, backup: Backup) -> None:
        """The manifest is on the disk when it returns."""
        await _told(lambda: self.backups.save(backup), room="the backup")

    async def new_id(self, fix_id: int, wall: float) -> str:
        return await _told(lambda: self.backups.new_id(fix_id, wall), room="nothing")

    async def load(self, backup_id: str) -> Backup:
        return await _told(lambda: self.backups.load(backup_id), room="nothing")

    async def mark_rolled_back(self, backup_id: str, at: float) -> None:
        await _told(lambda: self.backups.mark_rolled_back(backup_id, at), room="the backup")

    async def write(self, change: FileChange, mark: str, *, times: bool) -> None:
        """Bring the path from `before` to `after`, with the times of `after` when `times`."""
        assert change.after is not None
        after, objects = change.after, self.backups.objects
        await _told(
            lambda: put(change.path, after, expected=change.before, objects=objects, mark=mark, times=times),
            room=f"writing {change.path}",
        )

    async def whose(self, change: FileChange, mark: str) -> Whose:
        """Who wrote what is there now. A change whose `after` was never learned was in the hands of its command."""

        def work() -> Whose:
            drop_leftover(change.path, mark)
            now = look(change.path)
            if alike(now, change.before):
                return Whose.NOBODYS
            return Whose.OURS if change.after is None or alike(now, change.after) else Whose.FOREIGN

        return await _told(work, room="nothing")

    async def put_back(self, change: FileChange, mark: str) -> bool:
        """Bring the path to `before`, whatever is there; that is kept in the object store. False: it is so already."""

        def work() -> bool:
            objects = self.backups.objects
            now = capture(change.path, objects)
            if alike(now, change.before):
                return False
            put(change.path, change.before, expected=now, objects=objects, mark=mark, times=True)
            return True

        return await _told(work, room=f"putting {change.path} back")


async def _told(work: Callable[[], T], *, room: str) -> T:
    try:
        return await in_thread(work)
    except FileRefused as error:
        raise (Unfit if error.unfit else StepFailure)(error.message) from error
    except UnknownBackupError as error:
        raise StepFailure(f"there is no backup {error} any more") from error
    except ObjectError as error:
        raise StepFailure(str(error)) from error
    except OSError as error:
        raise Unfit(
            f"there is no place for {room}: {(error.strerror or str(error)).lower()}: free space first"
        ) from error
