"""JSON: the standard parser judges, a small scanner tells where each value stands (the parser tells no places)."""

import json
import re
from collections.abc import Iterator
from typing import Any

from autonomyd.host.editing.place import EditRefused, KeyPath, Place

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def check(text: str) -> None:
    """Raises EditRefused when it does not parse."""
    try:
        json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise EditRefused(f"no valid JSON: {error.msg}, line {error.lineno}") from None
    except RecursionError:
        raise EditRefused("no usable JSON: nested too deeply") from None


def places(text: str) -> Iterator[Place]:
    """Every scalar of a text that `check` accepts."""
    # one entry for each open object or array: its path, and the key or index of the value that comes next
    outer: list[list[Any]] = []
    expects_key = False
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece in "{[":
            outer.append([_path(outer), None if piece == "{" else 0])
            expects_key = piece == "{"
        elif piece in "}]":
            outer.pop()
            expects_key = False
        elif piece == ",":
            expects_key = not isinstance(outer[-1][1], int)
            if not expects_key:
                outer[-1][1] += 1
        elif piece == ":":
            expects_key = False
        elif expects_key:
            outer[-1][1] = json.loads(piece)
        else:
            inner = int(piece[0] == '"')
            yield Place(path=_path(outer), start=match.start() + inner, end=match.end() - inner)


def _path(outer: list[list[Any]]) -> KeyPath:
    return () if not outer else (*outer[-1][0], outer[-1][1])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a key that occurs twice: parsers differ in which one counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise EditRefused(f"the key {twice!r} occurs twice in one object")
    return found
