"""What stands before the message of each line of one log: time, level, process, component. Learned from its lines.

A column is part of the header when nearly every line has a number, a time, a level or something in brackets there;
what stands before the last such column belongs to it, if it looks like names. After it may come a label that ends in a
colon (`sshd[123]:`) and a dash between spaces. The fewer different messages a sample shows, the less can be told: give
lines that differ.
Columns of a fixed kind as the mark of a header: Zhu et al., "Tools and benchmarks for automated log parsing"
(ICSE-SEIP 2019) has them written by hand for each log; here they are found."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_COLUMNS = 12
MAX_BETWEEN = 2
"""Columns in a row that may be names."""
FEW = 3
FEW_SHARE = 0.25
"""Different names in a column at most; or this part of the lines."""
SHARE = 0.95
"""Of the sample's lines that must agree."""
MIN_LINES = 3
HEADER_CHARS = 512

_FIXED = frozenset(
    (
        "trace", "debug", "info", "information", "notice", "warn", "warning", "error", "err", "critical", "crit",
        "fatal", "alert", "emerg", "emergency", "panic", "severe", "failure", "verbose", "fine", "finer", "finest",
        "config", "audit", "log", "hint", "statement", "detail",
        "mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
        "oct", "nov", "dec",
    )
)  # fmt: skip
_COLUMN_PATTERN = r"(?![\"'{])(?:\[(?:[^\[\]]++|\[[^\[\]]{0,80}+\]){0,40}+\]|[^\s|\[]++|\[)++"
"""Up to white space or a bar, with white space inside brackets. Possessive: a match is never tried again in another
way, so that no line can make it slow."""
_COLUMN = re.compile(_COLUMN_PATTERN)
_GAP = re.compile(r"[\s|]+")
_INSIDE = re.compile(r"\w[._:/$@-]\w")
_HAS_DIGIT = re.compile(r"\d")
_LABEL = rf"(?:{_COLUMN_PATTERN}\s+){{0,3}}?{_COLUMN_PATTERN}(?<=:)(?:\s+|$)"
_DASH = rf"(?:{_COLUMN_PATTERN}\s+){{0,3}}?[-\u2013\u2014]+\s+"
_TAILS = {":": _LABEL, "-": _DASH}


@dataclass(frozen=True, slots=True)
class Header:
    """`columns` columns, then for each sign of `tail` what ends in it: a label (:) or anything short before a dash (-).
    Raises ValueError for what cannot be."""

    columns: int = 0
    tail: str = ""
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.columns <= MAX_COLUMNS or len(self.tail) > 3 or not set(self.tail) <= set(_TAILS):
            raise ValueError(f"no header has {self.columns} columns and {self.tail!r}")
        columns = rf"(?:{_COLUMN_PATTERN}[\s|]+){{{self.columns}}}" if self.columns else ""
        pattern = re.compile(rf"\s*{columns}{''.join(_TAILS[sign] for sign in self.tail)}")
        object.__setattr__(self, "pattern", pattern)

    def fits(self, line: str) -> bool:
        """Whether `line` has this header."""
        return self.pattern.match(line[:HEADER_CHARS]) is not None

    def without(self, line: str) -> str:
        """`line` without its header; the whole line when it has another one, or nothing else."""
        match = self.pattern.match(line[:HEADER_CHARS])
        return line if match is None else line[match.end() :] or line


def learned(lines: Sequence[str]) -> Header:
    """The header that nearly all `lines` have; an empty one when there is none, or too few lines to tell."""
    if len(lines) < MIN_LINES:
        return Header()
    need = SHARE * len(lines)
    found = Header(_marked([_columns(line) for line in lines], need))
    while found.columns and sum(len(found.without(line)) < len(line) for line in lines) < need:
        found = Header(found.columns - 1)
    for sign in "-:-":
        longer = Header(found.columns, found.tail + sign)
        if sum(longer.fits(line) for line in lines) >= need:
            found = longer
    return found


def _marked(rows: list[list[str]], need: float) -> int:
    """How many columns there are until the last one that is of the header by its looks in `need` rows. What stands
    before it must look like names of hosts or components: few of them, and mostly one at the very beginning."""
    count = 0
    for place in range(MAX_COLUMNS):
        column = [row[place] for row in rows if len(row) > place]
        if sum(map(_is_mark, column)) >= need:
            count = place + 1
        elif place - count >= MAX_BETWEEN or not _names(column, need, first=count == 0):
            break
    return count


def _names(column: list[str], need: float, *, first: bool) -> bool:
    counts = Counter(column)
    if first:
        return max(counts.values(), default=0) >= need / 2
    inside = sum(_INSIDE.search(each) is not None for each in column)
    return inside >= need or len(counts) <= max(FEW, FEW_SHARE * len(column))


def _columns(line: str) -> list[str]:
    found: list[str] = []
    at = 0
    line = line[:HEADER_CHARS].lstrip()
    while len(found) < MAX_COLUMNS and (match := _COLUMN.match(line, at)) is not None:
        found.append(match[0])
        gap = _GAP.match(line, match.end())
        at = gap.end() if gap is not None else len(line)
    return found


def _is_mark(column: str) -> bool:
    if _HAS_DIGIT.search(column) or column[0] == "[":
        return True
    bare = column.strip("<>():,=*").lower().removeprefix("level=")
    return bare in _FIXED or (len(column) == 1 and column.isupper())
