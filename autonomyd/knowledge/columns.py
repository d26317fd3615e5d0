"""Points of one step as columns, and as few bytes as they take. Knows nothing of databases.

A column of floats is split into its bytes, the first bytes of all values, then the second, and so on, before zlib gets
it: neighbours of one series share sign, exponent and leading digits, so that equal bytes come together (the "shuffle"
filter of HDF5 and Blosc). A series that does not change is a few bytes, whatever its length."""

import math
import struct
import sys
import zlib
from array import array
from collections.abc import Iterator
from typing import Any

VERSION = 1
LARGEST = 3e38
"""Values are kept as single floats: 7 digits, and nothing beyond this."""
_HEAD = struct.Struct("<BH")
_ROW_BYTES = 2 + 4 * 4
_MOST_SAMPLES = 0xFFFF


class Columns:
    """`slots` places, each empty (no samples) or one point: count, low, high, mean, last."""

    __slots__ = ("count", "floats", "slots")

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.count = array("H", bytes(2 * slots))
        self.floats: tuple[array[float], ...] = tuple(array("f", bytes(4 * slots)) for _ in range(4))

    def add(self, slot: int, values: tuple[int, float, float, float, float]) -> None:
        """Put (count, low, high, mean, last) into `slot`; what is there already is merged with it."""
        count, low, high, mean, last = values
        lows, highs, means, lasts = self.floats
        held = self.count[slot]
        if held:
            low, high = min(low, lows[slot]), max(high, highs[slot])
            mean = (mean * count + means[slot] * held) / (count + held)
        self.count[slot] = min(_MOST_SAMPLES, count + held)
        lows[slot], highs[slot], means[slot], lasts[slot] = low, high, mean, last

    def rows(self) -> Iterator[tuple[int, int, float, float, float, float]]:
        """(slot, count, low, high, mean, last) of those that are not empty."""
        for row in zip(range(self.slots), self.count, *self.floats, strict=True):
            if row[1]:
                yield row

    def whole(self) -> tuple[int, float, float, float, float] | None:
        """Everything as one: (count, low, high, mean, last); None when all is empty."""
        rows = list(self.rows())
        if not rows:
            return None
        count = sum(row[1] for row in rows)
        mean = math.fsum(row[1] * row[4] for row in rows) / count
        return count, min(row[2] for row in rows), max(row[3] for row in rows), mean, rows[-1][5]

    def packed(self) -> bytes:
        """As bytes, for `unpacked`."""
        planes = [_planes(self.count), *(_planes(column) for column in self.floats)]
        return _HEAD.pack(VERSION, self.slots) + zlib.compress(b"".join(planes), 6)


def unpacked(body: bytes) -> Columns:
    """What `packed` made. Raises ValueError for anything else, however it is damaged."""
    try:
        version, slots = _HEAD.unpack_from(body)
        size = slots * _ROW_BYTES
        data = zlib.decompressobj().decompress(body[_HEAD.size :], size + 1)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"no columns: {error}") from None
    if version != VERSION or len(data) != size:
        raise ValueError(f"no columns: version {version}, {len(data)} bytes for {slots} points")
    found = Columns(slots)
    found.count = _joined("H", data[: 2 * slots])
    parts = (data[start : start + 4 * slots] for start in range(2 * slots, size, 4 * slots))
    found.floats = tuple(_joined("f", part) for part in parts)
    return found


def _planes(column: "array[Any]") -> bytes:
    data = _little(column).tobytes()
    return b"".join(data[start :: column.itemsize] for start in range(column.itemsize))


def _joined(code: str, planes: bytes) -> "array[Any]":
    size = array(code).itemsize
    data = bytearray(len(planes))
    length = len(planes) // size
    for start in range(size):
        data[start::size] = planes[start * length : (start + 1) * length]
    return _little(array(code, bytes(data)))


def _little(column: "array[Any]") -> "array[Any]":
    """The same bytes on every machine."""
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column
