"""Reads what is new in a log file, wherever its rotation has put it: renamed away, emptied in place, deleted. Holds no
descriptor between two looks, so that it keeps no disk from being unmounted and no log from being seen as closed."""

import contextlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autonomyd.host.files import open_regular

LOOK_BYTES = 4 * 1024 * 1024
"""Most that one look reads; of a log that grows faster only the newest is seen."""
LINE_BYTES = 65_536
"""A longer line is judged by its beginning."""
MARK_BYTES = 64
"""So much before the position is remembered: a file that does not have it there is another one."""
SIBLINGS = 4096
"""Most names in the folder that are looked at for the file that was renamed."""
ROTATIONS = 8
"""Most rotated files that are gone through for the one that was read last."""
_ROTATED = re.compile(r"[.-]\d[\dT_.:-]{0,40}")
"""What a rotation appends to the name: .1, -20260504, .2026-05-04T10:11. A copy made by a person is named otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Whole lines that are new. `skipped` bytes were passed over; `gap`: what followed on the last look can't be found
    any more; `missing`: there is no such file (now)."""

    text: str = ""
    skipped: int = 0
    gap: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where reading stopped: the file, the position in it, what stands before that, and when it was written last."""

    device: int
    inode: int
    position: int
    mark: bytes = b""
    changed_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A stretch of an open file that is still to be read."""

    handle: int
    found: os.stat_result
    start: int

    @property
    def bytes(self) -> int:
        return max(0, self.found.st_size - self.start)


class FileTail:
    """Begins at the end of the file as it is at the first look, or where an earlier tail has stopped (`take_up`); a
    file that appears later is read from its start."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._begun = False
        self._size = -1
        self.place: Place | None = None

    def kept(self) -> dict[str, Any]:
        """What `take_up` needs to go on from here, as JSON values; empty before the first look."""
        place = self.place
        if place is None:
            return {}
        return {
            "device": place.device,
            "inode": place.inode,
            "position": place.position,
            "mark": place.mark.hex(),
            "changed_ns": place.changed_ns,
        }

    def take_up(self, kept: Mapping[str, Any]) -> None:
        """Go on where the tail stopped that said `kept`; what it did not say is no place, and is passed over."""
        try:
            place = Place(
                device=int(kept["device"]),
                inode=int(kept["inode"]),
                position=int(kept["position"]),
                mark=bytes.fromhex(kept["mark"])[:MARK_BYTES],
                changed_ns=int(kept["changed_ns"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return
        if place.position >= len(place.mark):
            self._begun, self._size, self.place = True, -1, place

    def to_end(self) -> None:
        """Pass over everything that is there now. Raises OSError."""
        self._begun, self._size, self.place = True, -1, None
        with contextlib.ExitStack() as opened, contextlib.suppress(FileNotFoundError):
            handle, found = _opened(self._path, opened)
            self.place = _place(handle, found, found.st_size)

    def waiting(self) -> int:
        """About how many bytes are new: one stat. Raises OSError."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return 0
        place = self.place
        if place is None:
            return found.st_size if self._begun else 0
        if not _same(place, found) or found.st_size < place.position:
            return LOOK_BYTES  # rotated: how much was left behind is not known before it is found
        return 0 if found.st_size == self._size else found.st_size - place.position

    def read(self) -> News:
        """What is new since the last look. Raises OSError."""
        if not self._begun:
            self.to_end()
            return News(missing=self.place is None)
        with contextlib.ExitStack() as opened:
            current = None
            with contextlib.suppress(FileNotFoundError):
                current = _opened(self._path, opened)
            parts, gap = self._parts(current, opened)
            over = max(0, sum(part.bytes for part in parts) - LOOK_BYTES)
            texts, skipped = [], 0
            last = self._size
            self.place, self._size = None, -1
            for part in parts:
                is_log = current is not None and part.handle == current[0]
                text, passed, end = _lines(part, over, settled=not is_log or part.found.st_size == last)
                over -= min(over, part.bytes)
                skipped += passed
                texts.append(text)
                if is_log:
                    self.place, self._size = _place(part.handle, part.found, end), part.found.st_size
        return News(text="".join(texts), skipped=skipped, gap=gap, missing=current is None)

    def _parts(
        self, current: tuple[int, os.stat_result] | None, opened: contextlib.ExitStack
    ) -> tuple[list[_Part], bool]:
        """(what is to be read, oldest first; whether something between is lost)."""
        place = self.place
        if current is not None and place is not None and _continues(*current, place):
            return [_Part(handle=current[0], found=current[1], start=place.position)], False
        fresh = [] if current is None else [_Part(handle=current[0], found=current[1], start=0)]
        if place is None:
            return fresh, False
        behind = self._left_behind(place, opened)
        if behind or current is None:
            return [*behind, *fresh], not behind
        start = _moved_to(*current, place)
        return [_Part(handle=current[0], found=current[1], start=start or 0)], start is None

    def _left_behind(self, place: Place, opened: contextlib.ExitStack) -> list[_Part]:
        """The rest of the file that was read last, wherever rotation has put it, and the files that were rotated after
        it; empty when it is not to be found."""
        younger: list[_Part] = []
        for path in self._elsewhere(place)[:ROTATIONS]:
            try:
                handle, found = _opened(path, opened)
            except OSError:
                continue
            same = found.st_ino == place.inode or len(place.mark) > 0
            if same and found.st_size >= place.position and _has_mark(handle, place):
                return [_Part(handle=handle, found=found, start=place.position), *reversed(younger)]
            younger.append(_Part(handle=handle, found=found, start=0))
        return []

    def _elsewhere(self, place: Place) -> list[str]:
        """Where it may be now, newest first: under another name in its folder, or in a copy named as rotations do,
        written since it was read."""
        folder, name = os.path.split(self._path)
        found: list[tuple[int, str]] = []
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= SIBLINGS:
                    break
                named = entry.name.startswith(name) and _ROTATED.fullmatch(entry.name[len(name) :])
                if entry.name == name or not (named or entry.inode() == place.inode):
                    continue
                with contextlib.suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(about.st_mode) and about.st_mtime_ns >= place.changed_ns:
                        found.append((about.st_mtime_ns, entry.path))
        return [path for _, path in sorted(found, reverse=True)]


def _lines(part: _Part, over: int, *, settled: bool) -> tuple[str, int, int]:
    """(whole lines of `part` without the first `over` bytes, bytes passed over, where the next look begins). What has
    no line break yet waits for it, unless nothing was added since the last look (`settled`) or it is too long."""
    size = part.found.st_size
    skipped = min(over, part.bytes)
    start = part.start + skipped
    raw = bytearray()
    while start + len(raw) < size and (chunk := os.pread(part.handle, size - start - len(raw), start + len(raw))):
        raw += chunk
    if skipped:  # from the beginning of a line on
        cut = raw.find(b"\n") + 1
        skipped, start = skipped + cut, start + cut
        del raw[:cut]
    whole = raw.rfind(b"\n") + 1
    end = len(raw) if settled or len(raw) - whole > LINE_BYTES else whole
    return bytes(raw[:end]).decode("utf-8", "replace"), skipped, start + end


def _opened(path: str, opened: contextlib.ExitStack) -> tuple[int, os.stat_result]:
    """Raises OSError, also for what is no regular file."""
    handle = open_regular(path)
    opened.callback(os.close, handle)
    return handle, os.fstat(handle)


def _place(handle: int, found: os.stat_result, position: int) -> Place:
    begin = max(0, position - MARK_BYTES)
    mark = os.pread(handle, position - begin, begin)
    return Place(device=found.st_dev, inode=found.st_ino, position=position, mark=mark, changed_ns=found.st_mtime_ns)


def _same(place: Place, found: os.stat_result) -> bool:
    """The number of a device may be another one after the machine has started anew: with a mark the inode is enough."""
    return found.st_ino == place.inode and (found.st_dev == place.device or bool(place.mark))


def _continues(handle: int, found: os.stat_result, place: Place) -> bool:
    """Whether this is the file that was read, with what was read still before the position: one that was emptied and
    has grown past the position again is told by the mark."""
    return _same(place, found) and found.st_size >= place.position and _has_mark(handle, place)


def _moved_to(handle: int, found: os.stat_result, place: Place) -> int | None:
    """Where reading goes on in a file that was cut to its newest lines, which are at its beginning now; None when that
    is not certain: what was read last is not there, or stands there twice."""
    if not _same(place, found) or len(place.mark) < MARK_BYTES:
        return None
    text = os.pread(handle, min(found.st_size, LOOK_BYTES), 0)
    at = text.find(place.mark)
    return at + MARK_BYTES if at >= 0 and text.find(place.mark, at + 1) < 0 else None


def _has_mark(handle: int, place: Place) -> bool:
    return os.pread(handle, len(place.mark), place.position - len(place.mark)) == place.mark
