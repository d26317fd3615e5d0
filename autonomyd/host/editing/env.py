"""Environment files: `KEY=value` or `export KEY=value`, the value plain or in quotes (these may span lines)."""

import re
from collections.abc import Iterator

from autonomyd.host.editing.place import EditRefused, Place, line_of

_LINE = re.compile(
    r"""[ \t]*(?:\#[^\n]*
    |(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*
     (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>[^"'\n][^\n]*?)?)
     (?:[ \t]+\#[^\n]*)?
    )?[ \t]*\r?(?:\n|\Z)""",
    re.VERBOSE | re.DOTALL,
)


def check(text: str) -> None:
    """Raises EditRefused for a line that is neither KEY=value nor a comment, and for an open quote."""
    for _ in _matches(text):
        pass


def places(text: str) -> Iterator[Place]:
    """Every value by its (KEY,)."""
    for match in _matches(text):
        kind = next((each for each in ("double", "single", "bare") if match[each] is not None), None)
        if match["key"] is not None and kind is not None:
            yield Place(path=(match["key"],), start=match.start(kind), end=match.end(kind))


def _matches(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        match = _LINE.match(text, at)
        if match is None:
            raise EditRefused(
                f"no valid environment file: line {line_of(text, at)} is no KEY=value, or a quote is open"
            )
        yield match
        at = match.end()
