"""What belongs together in a log: a stack trace and the lines that go on with a message are one entry, with a first
line and a telling one. Shapes of Python, Java, Go, Ruby, Node, Rust, .NET and PHP; whatever is indented goes on with
what stands before it. Pure, bounded in lines and characters."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ENTRY_LINES = 200
ENTRY_CHARS = 65_536
"""An entry that is longer is cut: what follows is another one."""
LEVEL_CHARS = 160
"""The level stands near the beginning of a line."""

_HARMLESS = re.compile(
    r"""\b(?:INFO|DEBUG|TRACE|NOTICE)\b|\b(?:level|lvl|severity)["']?\s?[=:]\s?["']?(?:info|debug|trace|notice)\b"""
)
_RECORD = re.compile(
    r"[\s\[(]*(?:\d{4}[-/]\d\d|\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:|"
    r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b)"
)
"""How a message of its own begins: with a time or a level."""
_GOES_ON = re.compile(
    r"Caused by: |\.\.\. \d{1,9} |goroutine \d{1,9} \[|created by |Stack trace:|stack backtrace:|\[stacktrace\]|"
    r"#\d{1,5} |note: run with `RUST_BACKTRACE|exit status \d|During handling of the above exception|"
    r"The above exception was the direct cause|[}\])]+[,;]?$"
)
_GOES_ON_FIRST = frozenset(" \tC.gcSs[#neDT})]")
"""The first characters of whatever goes on with an entry."""
_TRACEBACK = "Traceback (most recent call last)"
_CHAIN = ("During handling of", "The above exception")
_FAULT = re.compile(
    r"(?:[A-Za-z_][\w$]{0,120}\.){0,12}[A-Za-z_]\w{0,120}(?:Exception|Error|Throwable|Exit|Interrupt)\b(?::|$)"
)
"""The line on which an exception stands by itself: its name, and what it says."""
_LAST = re.compile(r"[A-Za-z_][\w.]{0,200}(?:: |:?$)")
"""What ends Python's traceback."""
_FRAME = re.compile(r"[\w./*()\[\]-]{1,300}\(.{0,300}\)$|\[signal ")
"""Go's name of a function in a stack."""
_PANICKED = re.compile(r"panicked at .{1,300}:$")
_GO = ("panic: ", "fatal error: ", "goroutine ")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """Where it stands in its block (characters), its first line, and the one that says what is wrong: the same one when
    nothing else does. `unfinished`: its last line is surely still to come."""

    begin: int
    end: int
    first: str
    telling: str
    unfinished: bool = False


def harmless(line: str) -> bool:
    """Whether a line gives itself a level below a warning."""
    return _HARMLESS.search(line[:LEVEL_CHARS]) is not None


def entry_at(block: str, start: int) -> LogEntry:
    """The entry of which the line that begins at `start` is part."""
    at = _somewhere_before(block, start)
    while True:
        reader, begin = _Reader(_line(block, at)), at
        while (at := _next(block, at)) < len(block) and reader.takes(_line(block, at)):
            pass
        if at > start or at >= len(block):
            return reader.entry(begin, min(at, len(block)))


def unfinished_from(block: str) -> int:
    """Where the last entry of `block` begins when its end is surely still to come, else the end of the block."""
    if not block:
        return 0
    last = block.rfind("\n", 0, len(block) - 1) + 1
    entry = entry_at(block, last)
    return entry.begin if entry.unfinished else len(block)


def told_lines(lines: Iterable[str]) -> list[str]:
    """Of each entry its first line, and its telling one where that is another: what templates are learned from."""
    told: list[str] = []
    reader: _Reader | None = None
    for line in lines:
        if reader is not None and (line[:1] in _GOES_ON_FIRST or not line or reader.awaits) and reader.takes(line):
            continue
        if reader is not None and reader.telling is not reader.first:
            told.append(reader.telling)
        if line:
            told.append(line)
        reader = _Reader(line)
    if reader is not None and reader.telling is not reader.first:
        told.append(reader.telling)
    return told


class _Reader:
    """One entry while its lines come."""

    __slots__ = ("_chained", "_chars", "_frames", "_lines", "_panicked", "_stack", "_traced", "first", "telling")

    def __init__(self, first: str) -> None:
        self.first = self.telling = first
        self._lines = 1
        self._chars = len(first)
        self._traced = first.startswith(_TRACEBACK)
        self._panicked = first.endswith(":") and _PANICKED.search(first) is not None
        self._frames = first.startswith(_GO)
        self._stack = self._traced or self._panicked or self._frames
        self._chained = False

    @property
    def awaits(self) -> bool:
        """Whether a line that looks like any other may still be part of it."""
        return self._stack or self._lines == 1

    def entry(self, begin: int, end: int) -> LogEntry:
        unfinished = self._traced or self._panicked
        return LogEntry(begin=begin, end=end, first=self.first, telling=self.telling, unfinished=unfinished)

    def takes(self, line: str) -> bool:
        """Whether `line` goes on with this entry; then it is part of it."""
        if self._lines >= ENTRY_LINES or self._chars + len(line) > ENTRY_CHARS or not self._fits(line):
            return False
        self._lines += 1
        self._chars += len(line)
        return True

    def _fits(self, line: str) -> bool:
        if not line or line == "\r":
            return self._stack
        if line[0] in " \t":
            return _RECORD.match(line) is None
        if line.startswith(_TRACEBACK):
            return self._traceback()
        if line[0] in _GOES_ON_FIRST and _GOES_ON.match(line):
            self._stack = True
            self._chained = line.startswith(_CHAIN)
            self._frames = self._frames or line.startswith(_GO)
            if line.startswith("Caused by: "):
                self.telling = line
            return True
        return self._ends(line)

    def _traceback(self) -> bool:
        if not self._chained and (self._stack or harmless(self.first)):
            return False
        self._traced = self._stack = True
        return True

    def _ends(self, line: str) -> bool:
        """Lines that are part of it only because of what stands before them."""
        if self._traced or self._panicked:
            fits = _RECORD.match(line) is None and (self._panicked or _LAST.match(line) is not None)
            self._traced = self._panicked = False
            if fits:
                self.telling = line
            return fits
        if self._frames and _FRAME.match(line):
            return True
        if self._lines == 1 and not self._stack and _FAULT.match(line) and _RECORD.match(self.first):
            if harmless(self.first):
                return False
            self._stack = True
            self.telling = line
            return True
        return False


def _somewhere_before(block: str, start: int) -> int:
    """The beginning of a line, at `start` or before it, that is surely the first of an entry."""
    at = start
    for _ in range(ENTRY_LINES):
        if at == 0 or start - at > ENTRY_CHARS:
            break
        before = block.rfind("\n", 0, at - 1) + 1
        if not (_may_go_on(_line(block, at)) or _may_be_followed(_line(block, before))):
            break
        at = before
    return at


def _may_go_on(line: str) -> bool:
    return not line or line[0] in _GOES_ON_FIRST or line.startswith(_TRACEBACK) or _FAULT.match(line) is not None


def _may_be_followed(line: str) -> bool:
    return not line or line[0] in " \t" or line.endswith(")") or line.startswith(_GO) or "panicked at" in line


def _line(block: str, at: int) -> str:
    end = block.find("\n", at)
    line = block[at : end if end >= 0 else len(block)]
    return line.removesuffix("\r")


def _next(block: str, at: int) -> int:
    end = block.find("\n", at)
    return end + 1 if end >= 0 else len(block)
