"""The state of one path, taken whole and put back whole: content, mode, owner, times, extended attributes, or a link.

A write is a temporary file in the same folder, synced, renamed, and the folder synced. No symbolic link on the way is
followed, so that nobody can turn a write elsewhere. Everything here blocks: call it within `aio.offload.in_thread`."""

import array
import base64
import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from autonomyd.host.failure import FileRefused
from autonomyd.host.objects import LIMIT_BYTES, ObjectStore
from autonomyd.host.sandbox import why_read_only
from autonomyd.model.change import ABSENT, NO_XATTRS, FileKind, FileState, alike

_WORDS = {
    errno.EPERM: "it is immutable (`lsattr` shows the flag), or this is not allowed here",
    errno.EACCES: "there is no permission",
    errno.ENOSPC: "the disk is full: free space first",
    errno.EDQUOT: "the quota is used up: free space first",
    errno.EBUSY: "something is mounted on it",
}
_GETFLAGS = 0x80086601
_FIXED = 0x10 | 0x20
"""Linux: the ioctl that reads the flags of a file, and its flags immutable and append-only."""


def look(path: str) -> FileState:
    """What is at `path` now, its content only as the hash. Raises FileRefused."""
    return _taken(path)[0]


def capture(path: str, objects: ObjectStore) -> FileState:
    """The same, with the content in the object store. Raises FileRefused, ObjectError, and OSError when the store
    itself can't be written."""
    state, content = _taken(path)
    if state.kind is FileKind.FILE:
        objects.put(content)
    return state


def replaceable(path: str) -> None:
    """Raises FileRefused when what is at `path` can't be replaced, before anything depends on it."""
    with _folder(path) as (folder, name), _told(path):
        if os.fstatvfs(folder).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, "")
        if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder, effective_ids=os.access in os.supports_effective_ids):
            raise OSError(errno.EACCES, "")
        if _fixed(folder):
            raise OSError(errno.EPERM, "")
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):
                return
            raise
        try:
            _no_hard_links(os.fstat(handle), path)
            if _fixed(handle):
                raise OSError(errno.EPERM, "")
        finally:
            os.close(handle)


def put(path: str, state: FileState, *, expected: FileState, objects: ObjectStore, mark: str, times: bool) -> None:
    """Bring `path` to `state` when it is as `expected`; on the disk, and looked at again, when it returns. `mark` names
    the temporary file (what a crash left under it is removed), `times` sets those of `state` too. Raises FileRefused
    and ObjectError; then `path` is as it was."""
    content = objects.get(state.sha256 or "") if state.kind is FileKind.FILE else b""
    with _folder(path) as (folder, name), _told(path):
        temporary = _temporary(name, mark)
        _drop(folder, temporary)
        try:
            if state.kind is FileKind.FILE:
                _make_file(folder, temporary, content, state, times=times)
            elif state.kind is FileKind.LINK:
                _make_link(folder, temporary, state, times=times)
            _expect(folder, name, path, expected)
            if state.kind is FileKind.ABSENT:
                if expected.kind is not FileKind.ABSENT:
                    os.unlink(name, dir_fd=folder)
            else:
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            _drop(folder, temporary)
            raise
        os.fsync(folder)
        _expect(folder, name, path, state)


def drop_leftover(path: str, mark: str) -> None:
    """Remove the temporary file that a crash in the middle of `put` left. Raises FileRefused."""
    with _folder(path) as (folder, name), _told(path):
        _drop(folder, _temporary(name, mark))


def folder_owner(path: str) -> tuple[int, int]:
    """(uid, gid) of the folder that holds `path`. Raises FileRefused."""
    with _folder(path) as (folder, _):
        found = os.fstat(folder)
        return found.st_uid, found.st_gid


# --- private ---------------------------------------------------------------------------------------------------------


@contextmanager
def _folder(path: str) -> Iterator[tuple[int, str]]:
    """(descriptor of the folder, last name), every part of the way opened by itself and no link followed."""
    parts = path.split("/")
    if parts[0] or not parts[-1] or any(part in ("", ".", "..") for part in parts[1:]) or "\0" in path:
        raise FileRefused(f"{path!r} is no absolute, plain path")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open("/", flags)
    try:
        for depth, part in enumerate(parts[1:-1], start=2):
            try:
                deeper = os.open(part, flags, dir_fd=handle)
            except OSError as error:
                raise FileRefused(_no_way(path, "/".join(parts[:depth]), error)) from error
            os.close(handle)
            handle = deeper
        yield handle, parts[-1]
    finally:
        os.close(handle)


def _no_way(path: str, folder: str, error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR) and os.path.islink(folder):
        return f"{path} leads through the symbolic link {folder}: name the real path"
    return f"{path}: {folder}: {(error.strerror or str(error)).lower()}"


@contextmanager
def _told(path: str) -> Iterator[None]:
    """What the system says, in words that tell what to do."""
    try:
        yield
    except OSError as error:
        known = why_read_only(os.path.dirname(path)) if error.errno == errno.EROFS else _WORDS.get(error.errno or 0)
        words = known or (error.strerror or str(error)).lower()
        raise FileRefused(f"{path}: {words}", unfit=error.errno in (errno.ENOSPC, errno.EDQUOT)) from error


def _taken(path: str) -> tuple[FileState, bytes]:
    with _folder(path) as (folder, name), _told(path):
        return _look(folder, name, path)


def _look(folder: int, name: str, path: str) -> tuple[FileState, bytes]:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return ABSENT, b""
    if stat.S_ISLNK(found.st_mode):
        return _state(found, FileKind.LINK, target=os.readlink(name, dir_fd=folder)), b""
    if not stat.S_ISREG(found.st_mode):
        raise FileRefused(f"{path} is neither a file nor a link")
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(handle, "rb") as file:
        found = os.fstat(handle)
        content = file.read(LIMIT_BYTES + 1)
        if len(content) > LIMIT_BYTES:
            raise FileRefused(f"{path} has more than {LIMIT_BYTES / 1048576:.0f} MB, that can't be kept")
        digest = hashlib.sha256(content).hexdigest()
        return _state(found, FileKind.FILE, sha256=digest, xattrs=_xattrs(handle)), content


def _state(found: os.stat_result, kind: FileKind, **more: Any) -> FileState:
    return FileState(
        kind=kind,
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        atime_ns=found.st_atime_ns,
        mtime_ns=found.st_mtime_ns,
        **more,
    )


def _xattrs(handle: int) -> Mapping[str, str]:
    if sys.platform != "linux":
        return NO_XATTRS
    try:
        names = os.listxattr(handle)
        found = {name: base64.b64encode(os.getxattr(handle, name)).decode() for name in names}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENODATA):
            return NO_XATTRS
        raise
    return MappingProxyType(found)


def _expect(folder: int, name: str, path: str, state: FileState) -> None:
    found, _ = _look(folder, name, path)
    if not alike(found, state):
        raise FileRefused(f"{path} is not what it was: somebody changes it at the same time", unfit=True)
    if found.kind is FileKind.FILE:
        _no_hard_links(os.stat(name, dir_fd=folder, follow_symlinks=False), path)


def _no_hard_links(found: os.stat_result, path: str) -> None:
    if found.st_nlink > 1:
        raise FileRefused(f"{path} has {found.st_nlink} names (hard links); to replace one would part it from the rest")


def _temporary(name: str, mark: str) -> str:
    """Of bounded length, whatever the name, and never another fix's."""
    return f".autonomyd-{mark}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}.tmp"


def _make_file(folder: int, name: str, content: bytes, state: FileState, *, times: bool) -> None:
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    with open(handle, "wb") as file:
        file.write(content)
        file.flush()
        made = os.fstat(handle)
        if (made.st_uid, made.st_gid) != (state.uid, state.gid):
            os.fchown(handle, state.uid, state.gid)
        os.fchmod(handle, state.mode)  # after the owner: to change that takes set-user-id bits away
        _set_xattrs(handle, state.xattrs)
        if times:
            os.utime(handle, ns=(state.atime_ns, state.mtime_ns))
        os.fsync(handle)


def _set_xattrs(handle: int, wanted: Mapping[str, str]) -> None:
    held = _xattrs(handle)
    for name in held.keys() - wanted.keys():
        os.removexattr(handle, name)
    for name, value in wanted.items():
        if held.get(name) != value:
            os.setxattr(handle, name, base64.b64decode(value))


def _make_link(folder: int, name: str, state: FileState, *, times: bool) -> None:
    os.symlink(state.target or "", name, dir_fd=folder)
    made = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if (made.st_uid, made.st_gid) != (state.uid, state.gid):
        os.chown(name, state.uid, state.gid, dir_fd=folder, follow_symlinks=False)
    if times:
        os.utime(name, ns=(state.atime_ns, state.mtime_ns), dir_fd=folder, follow_symlinks=False)


def _drop(folder: int, temporary: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)


def _fixed(handle: int) -> bool:
    if sys.platform != "linux":
        return False
    flags = array.array("I", [0])
    try:
        fcntl.ioctl(handle, _GETFLAGS, flags, True)
    except OSError:
        return False  # this filesystem has no such flags
    return bool(flags[0] & _FIXED)
