"""Regular expressions that people write: they must compile, stay short, and never take forever on a hostile text.

Python's engine backtracks: a repeat inside a repeat, or alternatives inside one, can take time that is exponential in
the length of the text, and nothing can interrupt it. Such a pattern is refused; what is left takes time that is a power
of the length, the power being the number of its open repeats (and one more for where a match may begin), which bounds
how long a text it may be given.
Source: Cox, "Regular Expression Matching Can Be Simple And Fast" (2007), section "Caching & NFA, backtracking"."""

import re
from collections.abc import Iterable
from typing import Any

MAX_PATTERN_CHARS = 500
MAX_OPEN_REPEATS = 4
LONG_REPEAT = 32
"""A repeat of at most so many times counts as a fixed one."""
TEXT_CHARS = (65_536, 8_192, 768, 256, 96)
"""How many characters a pattern with 0, 1, 2, 3, 4 open repeats may be held against."""
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


def checked_pattern(pattern: str) -> str:
    """`pattern` itself. Raises ValueError when it is too long, does not compile, or could take forever."""
    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern of {len(pattern)} characters; at most {MAX_PATTERN_CHARS} are allowed")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    if open_repeats(pattern) > MAX_OPEN_REPEATS:
        raise ValueError(f"more than {MAX_OPEN_REPEATS} open repeats (* or +): on a long text it could take forever")
    return pattern


def text_limit(pattern: str) -> int:
    """How many characters of a text a checked `pattern` may be held against, so that the worst text takes well under a
    second."""
    return TEXT_CHARS[min(open_repeats(pattern), MAX_OPEN_REPEATS)]


def open_repeats(pattern: str) -> int:
    """How many repeats without a small bound follow one another. Raises ValueError where one lies in another, or holds
    alternatives."""
    return _open_repeats(re._parser.parse(pattern), inside=False)  # type: ignore[attr-defined]


def _open_repeats(parsed: Iterable[tuple[Any, Any]], *, inside: bool) -> int:
    count = 0
    for operation, given in parsed:
        name = str(operation)
        if name in _REPEATS:
            _, most, inner = given
            is_open = int(most) > LONG_REPEAT
            if is_open and inside:
                raise ValueError("a repeat inside a repeat, like (a+)+, could take forever; bound one: a{1,9}")
            count += is_open + _open_repeats(inner, inside=inside or is_open)
        elif name == "BRANCH":
            if inside:
                raise ValueError("alternatives inside a repeat, like (a|b)*, could take forever; write [ab]*")
            count += max(_open_repeats(branch, inside=False) for branch in given[1])
        else:
            count += sum(_open_repeats(inner, inside=inside) for inner in _inner(name, given))
    return count


def _inner(name: str, given: Any) -> tuple[Iterable[tuple[Any, Any]], ...]:
    """The patterns that lie in one operation that is no repeat and no choice."""
    if name in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
        return (given[-1],)
    if name == "ATOMIC_GROUP":
        return (given,)
    if name == "GROUPREF_EXISTS":
        return tuple(each for each in given[1:] if each is not None)
    return ()
