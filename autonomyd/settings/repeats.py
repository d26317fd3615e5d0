"""How free a regular expression is: in how many ways it can be held against a text, seen from its parsed form.

What is repeated must be deterministic in the sense of Glushkov: after each character at most one place of the
expression goes on with the next one, and it gets there in one way only. Then every text is cut into repeats in one way.
Source: Brueggemann-Klein and Wood, "One-Unambiguous Regular Languages" (Information and Computation 140, 1998), the
automaton of positions, with ways counted so that a repeat of a repeat is seen too. Letters of both cases are one."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Parsed = Iterable[tuple[Any, Any]]

LONG_REPEAT = 32
"""A repeat of at most so many times counts as a bounded one."""
MOST_PLACES = 600
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_VARIES = frozenset({"BRANCH", "GROUPREF", "GROUPREF_EXISTS"})
_NOTHING_WIDE = frozenset({"AT", "ASSERT", "ASSERT_NOT"})
_FURTHER = ("\xe9", "\u0663", "\u2003", "\u20ac")
"""One for all letters, digits, spaces and other signs beyond ASCII."""
_ALL = frozenset((*map(chr, range(128)), *_FURTHER))
_EMPTY = "a repeat of what may be empty, as in (a*)* or (a*)?, could take forever"
_AMBIGUOUS = (
    "what is repeated, as in (a+)+ or (a|ab)*, could be read in several ways, and take forever: "
    "let each part of it begin with characters that the part before can't go on with"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freedom:
    """`open` repeats without a small bound follow one another; `bits` is the logarithm of the other choices."""

    open: int = 0
    bits: float = 0.0

    def then(self, other: "Freedom") -> "Freedom":
        return Freedom(open=self.open + other.open, bits=self.bits + other.bits)

    @property
    def fixed(self) -> bool:
        return not self.open and not self.bits


def freedom_of(parsed: Parsed) -> Freedom:
    """The choices of a whole expression. Raises ValueError where one of its repeats can be read in several ways."""
    found = Freedom()
    for operation, given in parsed:
        found = found.then(_freedom(str(operation), given))
    return found


def pumped_words(parsed: Parsed) -> Iterator[str]:
    """Texts that the repeats and alternatives of the expression are made for, to be held against it many times over."""
    words: dict[str, None] = {}
    items = list(parsed)
    _collect(items, words)
    whole = _sample(items)
    return (word for word in (*words, whole) if word)


def _freedom(name: str, given: Any) -> Freedom:
    if name in _REPEATS:
        return _of_repeat(int(given[0]), int(given[1]), list(given[2]))
    if name == "BRANCH":
        branches = [list(branch) for branch in given[1]]
        each = [freedom_of(branch) for branch in branches]
        firsts = [_first_of(branch) for branch in branches]
        bits = 0.0 if _apart(firsts) else math.log2(len(branches))
        return Freedom(open=max(one.open for one in each), bits=bits + max(one.bits for one in each))
    found = Freedom()
    for inner in _inner(name, given):
        found = found.then(freedom_of(inner))
    return found


def _of_repeat(least: int, most: int, body: list[Any]) -> Freedom:
    inner = freedom_of(body)
    if most <= 1:
        return inner.then(Freedom(bits=1.0 if least == 0 else 0.0))
    if not inner.fixed or _has_choice(body):
        places = _Places()
        part = places.sequence(body)
        if part.empty:
            raise ValueError(_EMPTY)
        places.connect(part.last, part.first)
        if not places.deterministic(part.first):
            raise ValueError(_AMBIGUOUS)
        inner = Freedom(open=1)  # one way to read it, and a costly one
    if most > LONG_REPEAT:
        return inner.then(Freedom(open=1))
    return inner.then(Freedom(bits=math.log2(most - least + 1)))


def _has_choice(body: Parsed) -> bool:
    for operation, given in body:
        name = str(operation)
        if name in _VARIES or (name in _REPEATS and given[0] != given[1]):
            return True
        if name in _REPEATS and _has_choice(given[2]):
            return True
        if any(_has_choice(inner) for inner in _inner(name, given)):
            return True
    return False


def _inner(name: str, given: Any) -> tuple[Parsed, ...]:
    """The patterns that lie in one operation that is no repeat and no choice."""
    if name in {"SUBPATTERN", "ASSERT", "ASSERT_NOT"}:
        return (given[-1],)
    if name == "ATOMIC_GROUP":
        return (given,)
    if name == "GROUPREF_EXISTS":
        return tuple(each for each in given[1:] if each is not None)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A piece of an expression: the places that it may begin and end with, and whether it may be empty."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    empty: bool = True


class _Places:
    """The places (characters) of what is repeated, and which may follow which."""

    def __init__(self) -> None:
        self._chars: list[frozenset[str]] = []
        self._follow: list[list[int]] = []

    def connect(self, before: Iterable[int], after: Iterable[int]) -> None:
        followers = tuple(after)
        for place in before:
            self._follow[place] += followers

    def deterministic(self, first: tuple[int, ...]) -> bool:
        ways = [list(first), *self._follow]
        return all(_apart([self._chars[place] for place in each]) for each in ways)

    def sequence(self, parsed: Parsed) -> _Part:
        whole = _Part()
        for operation, given in parsed:
            part = self._part(str(operation), given)
            self.connect(whole.last, part.first)
            whole = _Part(
                first=(*whole.first, *part.first) if whole.empty else whole.first,
                last=(*whole.last, *part.last) if part.empty else part.last,
                empty=whole.empty and part.empty,
            )
        return whole

    def _part(self, name: str, given: Any) -> _Part:
        if name in _REPEATS:
            return self._repeat(int(given[0]), int(given[1]), list(given[2]))
        if name == "BRANCH":
            parts = [self.sequence(branch) for branch in given[1]]
            if sum(part.empty for part in parts) > 1:
                raise ValueError(_AMBIGUOUS)  # as `a|a` is parsed: an a, and then nothing in two ways
            return _Part(
                first=tuple(place for part in parts for place in part.first),
                last=tuple(place for part in parts for place in part.last),
                empty=any(part.empty for part in parts),
            )
        if name in _NOTHING_WIDE:
            if any(not freedom_of(inner).fixed for inner in _inner(name, given)):
                raise ValueError("a look ahead or behind with a choice of its own inside a repeat could take forever")
            return _Part()
        if name in {"SUBPATTERN", "ATOMIC_GROUP"}:
            return self.sequence(_inner(name, given)[0])
        if name in {"GROUPREF", "GROUPREF_EXISTS"}:
            raise ValueError("a reference to a group inside a repeat could take forever")
        return self._place(_chars(name, given))

    def _repeat(self, least: int, most: int, body: list[Any]) -> _Part:
        if most > LONG_REPEAT:
            part = self.sequence(body)
            if part.empty:
                raise ValueError(_EMPTY)
            self.connect(part.last, part.first)
            return _Part(first=part.first, last=part.last, empty=least == 0)
        first: tuple[int, ...] = ()
        last: tuple[int, ...] = ()
        before: tuple[int, ...] = ()
        for number in range(most):
            part = self.sequence(body)
            if part.empty and (most > 1 or least == 0):
                raise ValueError(_EMPTY)
            first = first or part.first
            self.connect(before, part.first)
            before = part.last
            last = (*last, *part.last) if number + 1 >= least else ()
            least = 0 if part.empty else least
        return _Part(first=first, last=last, empty=least == 0)

    def _place(self, chars: frozenset[str]) -> _Part:
        if len(self._chars) >= MOST_PLACES:
            raise ValueError("what is repeated is too large to be judged")
        self._chars.append(chars)
        self._follow.append([])
        place = (len(self._chars) - 1,)
        return _Part(first=place, last=place, empty=False)


def _first_of(branch: Parsed) -> frozenset[str]:
    """The characters that an alternative may begin with; all of them for one that may be empty or can't be judged."""
    places = _Places()
    try:
        part = places.sequence(branch)
    except ValueError:
        return _ALL
    return _ALL if part.empty else frozenset().union(*(places._chars[place] for place in part.first))


def _apart(sets: list[frozenset[str]]) -> bool:
    seen: set[str] = set()
    for each in sets:
        if not seen.isdisjoint(each):
            return False
        seen |= each
    return True


def _chars(name: str, given: Any) -> frozenset[str]:
    """The characters that one place fits, of those that stand for all."""
    if name == "LITERAL":
        return _of_range(given, given)
    if name == "NOT_LITERAL":
        return _ALL - _of_range(given, given)
    if name == "IN":
        negated = any(str(operation) == "NEGATE" for operation, _ in given)
        found: set[str] = set()
        for operation, value in given:
            found |= _of_class(str(operation), value, exact=negated)
        return _ALL - found if negated else frozenset(found)
    return _ALL


def _of_class(name: str, value: Any, *, exact: bool) -> frozenset[str]:
    if name == "LITERAL":
        return _of_range(value, value, exact=exact)
    if name == "RANGE":
        return _of_range(*value, exact=exact)
    if name == "CATEGORY":
        return _of_category(str(value))
    return frozenset()


@lru_cache(maxsize=16)
def _of_category(name: str) -> frozenset[str]:
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    shown = letter.upper() if "_NOT_" in name else letter
    return frozenset(char for char in _ALL if re.match(rf"\{shown}", char))


@lru_cache(maxsize=512)
def _of_range(low: int, high: int, *, exact: bool = False) -> frozenset[str]:
    """Both cases of each; beyond ASCII the sign that stands for all of its kind (`exact`: only where all are meant)."""
    found = {char for char in _ALL if any(low <= ord(each) <= high for each in (char.lower(), char.upper())
             if len(each) == 1) and ord(char) < 128}  # fmt: skip
    if high >= 128 and not exact:
        found |= set(_FURTHER)
    return frozenset(found)


def _collect(parsed: Parsed, words: dict[str, None]) -> None:
    for operation, given in parsed:
        name = str(operation)
        if name in _REPEATS:
            words[_sample(given[2])] = None
            _collect(given[2], words)
        elif name == "BRANCH":
            for branch in given[1]:
                words[_sample(branch)] = None
                _collect(branch, words)
        else:
            for inner in _inner(name, given):
                _collect(inner, words)


def _sample(parsed: Parsed) -> str:
    """One short text that fits, or nearly."""
    found = []
    for operation, given in parsed:
        name = str(operation)
        if name in _REPEATS:
            found.append(_sample(given[2]) * min(max(int(given[0]), 1), 3))
        elif name == "BRANCH":
            found.append(_sample(given[1][0]))
        elif name in {"LITERAL", "NOT_LITERAL", "IN", "ANY"}:
            fitting = _chars(name, given)
            found.append(chr(given) if name == "LITERAL" else min(fitting, key=_plain, default=""))
        elif name in {"SUBPATTERN", "ATOMIC_GROUP"}:
            found.append(_sample(_inner(name, given)[0]))
    return "".join(found)


def _plain(char: str) -> tuple[bool, bool, str]:
    return not char.isalpha(), not char.isprintable(), char
