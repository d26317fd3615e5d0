"""Looks at configuration files and release links: have they changed, what is in them, where do they point."""

import os
import stat
from dataclasses import dataclass

from autonomyd.host.objects import ObjectError, read_bounded

LIMIT_BYTES = 4_000_000
"""A larger file is no configuration, and is not kept."""


class UnsteadyFile(Exception):  # noqa: N818 - it is an answer: look again later
    """Somebody is writing the file at this moment, or it can't be kept; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What tells cheaply that a file is the same as before. `changed_at` is epoch seconds of the inode's last change:
    unlike the modification time nobody can set it back."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    uid: int
    gid: int

    @property
    def changed_at(self) -> float:
        return self.ctime_ns / 1e9


def stamp_of(path: str) -> Stamp | None:
    """The file's stamp (links followed), None when there is nothing. Raises OSError when it may not be looked at."""
    try:
        return _stamp(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def link_of(path: str) -> tuple[Stamp, str] | None:
    """A symbolic link's own stamp and its target as written, None when there is none. Raises OSError."""
    try:
        return _stamp(os.lstat(path)), os.readlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OSError(error.errno, f"{path} is no symbolic link") from None


def leads_somewhere(link: str, target: str) -> bool:
    """Whether there is something at `target`, as a link at `link` would find it."""
    return os.path.exists(os.path.join(os.path.dirname(link), target))


def steady_content(path: str, stamp: Stamp) -> bytes:
    """The content that belongs to `stamp`. Raises UnsteadyFile when the file changed meanwhile or is too large, and
    OSError."""
    try:
        content = read_bounded(path, LIMIT_BYTES)
    except ObjectError as error:
        raise UnsteadyFile(str(error)) from None
    if stamp_of(path) != stamp:
        raise UnsteadyFile(f"{path} is being written")
    return content


def real_path(path: str) -> str:
    """`path` with its links resolved."""
    return os.path.realpath(path)


def real_link(path: str) -> str:
    """`path` with the links on the way to it resolved, and not itself."""
    folder, _, name = path.rpartition("/")
    return os.path.join(os.path.realpath(folder or "/"), name)


def free_name(path: str, *, also: str) -> str:
    """`path`, or the first of path-2, path-3, ... such that neither it nor it with `also` behind exists."""
    for number in range(1, 1000):
        name = path if number == 1 else f"{path}-{number}"
        if not os.path.lexists(name) and not os.path.lexists(name + also):
            return name
    raise OSError(f"there are a thousand files like {path}: remove those that are not needed")


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(
        device=found.st_dev,
        inode=found.st_ino,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        ctime_ns=found.st_ctime_ns,
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
    )
