"""INI: `[section]` and `key = value`. Values that go on in indented lines are passed over."""

import re
from collections.abc import Iterator

from autonomyd.host.editing.place import EditRefused, Place, line_of, without_quotes

_SECTION = re.compile(r"\[(?P<name>[^\]\r\n]+)\][ \t]*(?:[;#].*)?\r?$")
_OPTION = re.compile(r"(?P<key>[^\s=:;#\[][^=:\r\n]*?)[ \t]*[=:][ \t]*(?P<value>.*?)(?P<tail>[ \t]+[;#].*|[ \t]*)\r?$")
_BARE = re.compile(r"[^\s=:;#\[][^=:\r\n]*\r?$")


def check(text: str) -> None:
    """Raises EditRefused for a line that is no section, option, comment, or continuation."""
    offset = 0
    for line in text.split("\n"):
        known = not line.strip() or line[0] in " \t;#!" or any(each.match(line) for each in (_SECTION, _OPTION, _BARE))
        if not known:
            raise EditRefused(f"no valid INI file: line {line_of(text, offset)} is neither a section nor an option")
        offset += len(line) + 1


def places(text: str) -> Iterator[Place]:
    """Every option's value, by (section, key); before the first section by (key,)."""
    section: tuple[str, ...] = ()
    waiting: Place | None = None
    offset = 0
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and line.strip():
            waiting = None  # the option goes on here: its value is no single number
        else:
            if waiting is not None:
                yield waiting
            waiting = None
            if match := _SECTION.match(line):
                section = (match["name"].strip(),)
            elif match := _OPTION.match(line):
                start, end = without_quotes(text, offset + match.start("value"), offset + match.end("value"))
                waiting = Place(path=(*section, match["key"]), start=start, end=end)
        offset += len(line) + 1
    if waiting is not None:
        yield waiting
