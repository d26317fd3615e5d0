"""Arrays of singles: half the memory of doubles; and as text, for what is stored: exact, half the size of figures."""

import math
import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable

_SINGLE = "f"


def singles(values: "Iterable[float]" = ()) -> "array[float]":
    """An array of `values`, none of them beyond 3e38, with 7 digits of each."""
    return array(_SINGLE, values)


def packed(values: "array[float]") -> str:
    """The bytes of `values`, least significant first, in base 64."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return b64encode(values.tobytes()).decode("ascii")


def unpacked(text: str) -> "array[float]":
    """The array that `packed` made `text` of. Raises TypeError or ValueError when it did not, or when a
    figure is not finite."""
    values = singles()
    values.frombytes(b64decode(text, validate=True))
    if sys.byteorder == "big":
        values.byteswap()
    if not all(map(math.isfinite, values)):
        raise ValueError("a figure that is not finite")
    return values
