"""Reads what is new in a log file, wherever its rotation has put it: renamed away, emptied in place, deleted. Holds no
descriptor between two looks, so that it keeps no disk from being unmounted and no log from being seen as closed."""

import contextlib
import os
import stat
from dataclasses import dataclass

from autonomyd.host.files import open_regular

LOOK_BYTES = 4 * 1024 * 1024
"""Most that one look reads; of a log that grows faster only the newest is seen."""
LINE_BYTES = 65_536
"""A longer line is judged by its beginning."""
MARK_BYTES = 64
"""So much before the position is remembered: a file that does not have it there is another one."""
SIBLINGS = 4096
"""Most names in the folder that are looked at for the file that was renamed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Whole lines that are new. `skipped` bytes were passed over; `missing`: there is no such file (now)."""

    text: str = ""
    skipped: int = 0
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where reading stopped: the file, the position in it, and what stands before that."""

    device: int
    inode: int
    position: int
    mark: bytes = b""


class FileTail:
    """Begins at the end of the file as it is at the first look; a file that appears later is read from its start."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._begun = False
        self._size = -1
        self.place: Place | None = None

    def to_end(self) -> None:
        """Pass over everything that is there now. Raises OSError."""
        self._begun, self._size, self.place = True, -1, None
        try:
            handle = open_regular(self._path)
        except FileNotFoundError:
            return
        try:
            found = os.fstat(handle)
            self.place = _place(handle, found, found.st_size)
        finally:
            os.close(handle)

    def waiting(self) -> int:
        """About how many bytes are new: one stat. Raises OSError."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return 0
        place = self.place
        if place is None or not _same(place, found) or found.st_size < place.position:
            return found.st_size if self._begun else 0
        return 0 if found.st_size == self._size else found.st_size - place.position

    def read(self) -> News:
        """What is new since the last look. Raises OSError."""
        if not self._begun:
            self.to_end()
            return News(missing=self.place is None)
        rest, lost = self._left_behind()
        try:
            handle = open_regular(self._path)
        except FileNotFoundError:
            return News(text=rest, skipped=lost, missing=True)
        try:
            found = os.fstat(handle)
            place = self.place
            if place is None or not _continues(handle, place, found):
                place = Place(device=found.st_dev, inode=found.st_ino, position=0)
            text, skipped, end = _lines(handle, place.position, found.st_size, settled=found.st_size == self._size)
            self._size = found.st_size
            self.place = _place(handle, found, end)
        finally:
            os.close(handle)
        return News(text=rest + text, skipped=lost + skipped)

    def _left_behind(self) -> tuple[str, int]:
        """The end of the file that was read last, where rotation has renamed or copied and emptied it; (text, bytes
        passed over)."""
        place = self.place
        if place is None:
            return "", 0
        with contextlib.suppress(FileNotFoundError):
            handle = open_regular(self._path)
            try:
                if _continues(handle, place, os.fstat(handle)):
                    return "", 0
            finally:
                os.close(handle)
        self.place, self._size = None, -1
        for path in self._elsewhere(place):
            with contextlib.suppress(OSError):
                handle = open_regular(path)
                try:
                    found = os.fstat(handle)
                    if found.st_size >= place.position and _has_mark(handle, place):
                        text, skipped, _ = _lines(handle, place.position, found.st_size, settled=True)
                        return text, skipped
                finally:
                    os.close(handle)
        return "", 0

    def _elsewhere(self, place: Place) -> list[str]:
        """Where the file may be now: under another name in its folder, else as the copy .1."""
        folder = os.path.dirname(self._path)
        renamed = []
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= SIBLINGS:
                    break
                if entry.inode() == place.inode and entry.is_file(follow_symlinks=False):
                    renamed.append(entry.path)
        return [path for path in renamed if path != self._path] or [f"{self._path}.1"]


def _lines(handle: int, start: int, size: int, *, settled: bool) -> tuple[str, int, int]:
    """(whole lines from `start` on, bytes passed over, where the next look begins). What has no line break yet waits
    for it, unless nothing was added since the last look (`settled`) or it is too long."""
    skipped = max(0, size - start - LOOK_BYTES)
    start += skipped
    raw = bytearray()
    while start + len(raw) < size and (chunk := os.pread(handle, size - start - len(raw), start + len(raw))):
        raw += chunk
    if skipped:  # from the beginning of a line on
        cut = raw.find(b"\n") + 1
        skipped, start = skipped + cut, start + cut
        del raw[:cut]
    whole = raw.rfind(b"\n") + 1
    end = len(raw) if settled or len(raw) - whole > LINE_BYTES else whole
    return bytes(raw[:end]).decode("utf-8", "replace"), skipped, start + end


def _place(handle: int, found: os.stat_result, position: int) -> Place:
    begin = max(0, position - MARK_BYTES)
    mark = os.pread(handle, position - begin, begin)
    return Place(device=found.st_dev, inode=found.st_ino, position=position, mark=mark)


def _same(place: Place, found: os.stat_result) -> bool:
    return (found.st_dev, found.st_ino) == (place.device, place.inode) and stat.S_ISREG(found.st_mode)


def _continues(handle: int, place: Place, found: os.stat_result) -> bool:
    """Whether this is the file that was read, with what was read still before the position: one that was emptied and
    has grown past the position again is told by the mark."""
    return _same(place, found) and found.st_size >= place.position and _has_mark(handle, place)


def _has_mark(handle: int, place: Place) -> bool:
    return os.pread(handle, len(place.mark), place.position - len(place.mark)) == place.mark
