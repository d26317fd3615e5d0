"""Where each key of a TOML text stands. tomllib tells no positions, so this scans the text once more.

It expects text that tomllib accepts: it finds places and does not judge.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

from autonomyd.settings.problem import KeyPath

_BLANK = " \t\r\n"
_BARE_END = ",]}#\n"


class Position(NamedTuple):
    """Line and column, both from 1; the column counts characters."""

    line: int
    column: int


def locate(text: str) -> Mapping[KeyPath, Position]:
    """The position of every key, table header and array element of valid TOML, by key path.

    Elements of arrays, and of arrays of tables, are named by their index: ("cleanup", 0, "root")."""
    scanner = _Scanner(text)
    scanner.document()
    starts = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]
    found: dict[KeyPath, Position] = {}
    for path, offset in scanner.found.items():
        line = bisect_right(starts, offset)
        found[path] = Position(line, offset - starts[line - 1] + 1)
    return found


def spans(text: str) -> Mapping[KeyPath, tuple[int, int]]:
    """Where the text of every scalar value of valid TOML begins and ends (characters, quotes included), by key path."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.spans


def nearest(positions: Mapping[KeyPath, Position], path: KeyPath) -> Position | None:
    """The position of `path`, or of the innermost thing around it that stands in the text."""
    for length in range(len(path), 0, -1):
        if position := positions.get(path[:length]):
            return position
    return None


class _Scanner:
    """A cursor over the text; `found` maps key paths to offsets, `spans` those of scalars to their value's."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[KeyPath, int] = {}
        self.spans: dict[KeyPath, tuple[int, int]] = {}
        self.newest: dict[KeyPath, int] = {}  # the index of the newest table of each array of tables

    def document(self) -> None:
        prefix: KeyPath = ()
        while self.blank():
            prefix = self.header() if self.text[self.at] == "[" else self.pair(prefix)

    def header(self) -> KeyPath:
        start = self.at
        is_array = self.text.startswith("[[", start)
        self.at += 2 if is_array else 1
        keys = self.dotted()
        self.at += 2 if is_array else 1
        path: KeyPath = ()
        for index, key in enumerate(keys):
            path += (key,)
            if is_array and index == len(keys) - 1:
                self.newest[path] = self.newest.get(path, -1) + 1
            self.found.setdefault(path, start)
            if path in self.newest:
                path += (self.newest[path],)
                self.found.setdefault(path, start)
        return path

    def pair(self, prefix: KeyPath) -> KeyPath:
        """key = value; answers `prefix` unchanged."""
        start = self.at
        path = prefix
        for key in self.dotted():
            path += (key,)
            self.found.setdefault(path, start)
        self.at += 1  # the equals sign
        self.blank()
        self.value(path)
        return prefix

    def dotted(self) -> list[str]:
        keys = []
        while True:
            self.blank()
            keys.append(self.key())
            self.blank()
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def key(self) -> str:
        start = self.at
        if self.text[start] in "\"'":
            self.string()
            raw = self.text[start : self.at]
            return str(tomllib.loads(f"key = {raw}")["key"])
        while self.text[self.at] not in " \t.=]":
            self.at += 1
        return self.text[start : self.at]

    def value(self, path: KeyPath) -> None:
        start = self.at
        char = self.text[start]
        if char == "[":
            self.array(path)
        elif char == "{":
            self.inline(path)
        else:
            if char in "\"'":
                self.string()
            else:
                while self.at < len(self.text) and self.text[self.at] not in _BARE_END:
                    self.at += 1
            self.spans[path] = (start, start + len(self.text[start : self.at].rstrip(_BLANK)))

    def array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while self.blank() and self.text[self.at] != "]":
            element = (*path, index)
            self.found.setdefault(element, self.at)
            self.value(element)
            index += 1
            self.comma()
        self.at += 1

    def inline(self, path: KeyPath) -> None:
        self.at += 1
        while self.blank() and self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        if self.blank() and self.text[self.at] == ",":
            self.at += 1

    def string(self) -> None:
        """Go behind the string that begins here, of any of the four kinds."""
        quote = self.text[self.at]
        ending = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(ending)
        while not self.text.startswith(ending, self.at):
            self.at += 2 if quote == '"' and self.text[self.at] == "\\" else 1
        self.at += len(ending)
        while len(ending) == 3 and self.text.startswith(quote, self.at):  # up to two quotes may stand before the end
            self.at += 1

    def blank(self) -> bool:
        """Go to the next thing that is no blank and no comment. False at the end of the text."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in _BLANK:
                self.at += 1
            else:
                return True
        return False
