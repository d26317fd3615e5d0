"""A number in program text, found by a pattern that matches exactly once and has one group around it."""

import re
import warnings
from collections.abc import Iterator

from autonomyd.host.editing.place import EditRefused, Place


def check(text: str, path: str) -> None:
    """Raises EditRefused when it is a Python file that does not compile. Other languages have no check here."""
    if not path.endswith(".py"):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise EditRefused(f"no valid Python: {getattr(error, 'msg', error)}{where}") from None


def places(text: str, pattern: str) -> Iterator[Place]:
    """Where the one group of each match of `pattern` (multi-line) stands. Raises EditRefused for a pattern that does
    not compile or has not one group."""
    try:
        found = re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise EditRefused(f"the pattern {pattern} is no regular expression: {error}") from None
    if found.groups != 1:
        raise EditRefused(f"the pattern {pattern} has {found.groups} groups; exactly one must stand around the number")
    for match in found.finditer(text):
        if match[1] is not None:
            yield Place(path=(pattern,), start=match.start(1), end=match.end(1))
