"""Where a value stands in a text, what a number looks like there, and why an edit is refused."""

import re
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]

MAX_BYTES = 4_000_000
"""Larger files are no configuration."""
SIGNIFICANT_DIGITS = 6

_NUMBER = re.compile(r"[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+(?:_\d+)*")


class EditRefused(Exception):  # noqa: N818 - it is an answer: nothing was changed
    """The file can't be changed as asked; the message says why, with the line where there is one."""


class NoParser(EditRefused):
    """What reads this format is not installed: nothing is known of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One scalar value: its path of keys and indexes, and where its text begins and ends (characters; for a quoted one
    the quotes are outside)."""

    path: KeyPath
    start: int
    end: int


def is_number(text: str) -> bool:
    """Whether `text` is a plain decimal number; hexadecimal ones, infinity and units are none."""
    return _NUMBER.fullmatch(text) is not None


def number_of(text: str) -> float:
    """The number that `text` is. Raises EditRefused."""
    if not is_number(text):
        raise EditRefused(f"{text[:40]!r} is no plain number")
    return float(text.replace("_", ""))


def is_whole(text: str) -> bool:
    """Whether the number is written without a fraction: what reads it may expect an integer."""
    return _WHOLE.fullmatch(text) is not None


def written(value: float, *, like: str) -> str:
    """`value` in the manner of the number that stands there now: whole stays whole. Raises EditRefused when a whole
    number would get a fraction."""
    if is_whole(like):
        if value != int(value):
            raise EditRefused(f"{like} is a whole number, {value:g} is not")
        return str(int(value))
    short = f"{value:.{SIGNIFICANT_DIGITS}g}"
    text = short if float(short) == value and "e" not in short else repr(value)
    return text if "." in text or "e" in text or "n" in text else f"{text}.0"


def line_of(text: str, at: int) -> int:
    """The line, from 1, of the character `at`."""
    return text.count("\n", 0, at) + 1


def without_quotes(text: str, start: int, end: int) -> tuple[int, int]:
    """The span inside a pair of equal quotes; the same span when there is none."""
    if end - start >= 2 and text[start] == text[end - 1] and text[start] in "\"'":
        return start + 1, end - 1
    return start, end
