"""Contents of files by their SHA-256: what backups and known good snapshots name. An object is never overwritten."""

import contextlib
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Collection
from pathlib import Path

from autonomyd.host.files import open_regular
from autonomyd.host.paths import ensure_private_dir

LEAST_FREE_BYTES = 65_536
LIMIT_BYTES = 64 * 1024 * 1024
"""Largest file that is kept."""
YOUNG_S = 3600.0
"""An object is not collected so soon: whoever put it may be about to name it."""
_NAME = re.compile(r"[0-9a-f]{64}")
_TEMPORARY = ".put-"


class ObjectError(Exception):
    """An object that is missing or damaged, or content that is too large to keep; the message says which."""


class ObjectStore:
    """All methods block (call them within `aio.offload.in_thread`) and may be called from several threads at once."""

    def __init__(self, folder: Path, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def expect_room(self) -> None:
        """Raises OSError (ENOSPC) when the disk is as good as full. Before anything is planned on its contents: what
        could not be kept would only be missing later."""
        room = os.statvfs(self.folder if self.folder.is_dir() else self.folder.parent.parent)
        if room.f_bfree * room.f_frsize < LEAST_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def put(self, content: bytes) -> str:
        """Keep `content`; on the disk when its SHA-256 (hex) is returned. Raises ObjectError when it is too large, and
        OSError (a full disk: nothing is left behind)."""
        if len(content) > self.limit_bytes:
            raise ObjectError(f"more than {self.limit_bytes / 1048576:.0f} MB can't be kept")
        digest = name_of(content)
        path = self.folder / digest
        if self._whole(digest):
            os.utime(path)  # young again: it is about to be named anew
            return digest
        ensure_private_dir(self.folder, 0o700)
        replace_durably(path, content, prefix=_TEMPORARY)
        return digest

    def has(self, sha256: str) -> bool:
        """Whether something is kept under that name."""
        return (self.folder / sha256).is_file()

    def get(self, sha256: str) -> bytes:
        """The content. Raises ObjectError when it is missing or is not what it was."""
        if not _NAME.fullmatch(sha256):
            raise ObjectError(f"{sha256!r} is no SHA-256")
        try:
            content = read_bounded(self.folder / sha256, self.limit_bytes)
        except FileNotFoundError:
            raise ObjectError(f"the kept content {sha256[:12]} is missing from {self.folder}") from None
        except OSError as error:
            raise ObjectError(f"the kept content {sha256[:12]} can't be read: {error.strerror or error}") from error
        if name_of(content) != sha256:
            raise ObjectError(f"the kept content {sha256[:12]} in {self.folder} is damaged")
        return content

    def collect(self, named: Collection[str], *, wall: float) -> int:
        """Remove what is not in `named` and has not been put within the last hour; the bytes that this freed."""
        freed = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                ours = _NAME.fullmatch(entry.name) or entry.name.startswith(_TEMPORARY)
                if not ours or entry.name in named:
                    continue
                with contextlib.suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    if wall - found.st_mtime > YOUNG_S:
                        os.unlink(entry.path)
                        freed += found.st_size
        return freed

    def _whole(self, digest: str) -> bool:
        """A damaged object is put anew: only its own content can be named by its name."""
        try:
            self.get(digest)
        except ObjectError:
            return False
        return True


def read_bounded(path: str | os.PathLike[str], limit_bytes: int) -> bytes:
    """A regular file's content. Raises OSError, and ObjectError for more than `limit_bytes`."""
    handle = open_regular(os.fspath(path))
    with open(handle, "rb") as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise ObjectError(f"{os.fspath(path)} has more than {limit_bytes / 1048576:.0f} MB, that can't be kept")
    return content


def name_of(content: bytes) -> str:
    """What `content` is kept under: its SHA-256 (hex)."""
    return hashlib.sha256(content).hexdigest()


def replace_durably(path: Path, content: bytes, *, prefix: str) -> None:
    """Put `content` (mode 0600) in place of whatever is at `path`; on the disk when it returns. Raises OSError, and
    then nothing is changed."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Names in `folder` are on the disk when it returns. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
