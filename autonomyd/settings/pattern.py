"""Regular expressions that people write: they must compile, stay short, and never take forever on a hostile text.

Python's engine backtracks, and nothing can interrupt it. Three things are asked of a pattern:

- What is repeated can be read in one way only: at no place of it are there two ways to go on with one character. Else a
  text can be cut into repeats in exponentially many ways. (settings/repeats.py)
- The few choices that are left (open repeats that follow one another, optional parts, alternatives) multiply. The power
  of the length that they make bounds how long a text the pattern may be given; bounded choices are counted in bits.
- Held against pumped texts (each of its own repeats, many times, then something that fits nothing) up to that length,
  it must be quick. That is measured, in steps so small that the measuring itself is bounded.

Sources: Cox, "Regular Expression Matching Can Be Simple And Fast" (2007); Weideman et al., "Analyzing Matching Time
Behavior of Backtracking Regular Expression Matchers by Using Ambiguity of NFA" (CIAA 2016)."""

import math
import re
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

from autonomyd.settings.repeats import Freedom, freedom_of, pumped_words

MAX_PATTERN_CHARS = 500
MAX_OPEN_REPEATS = 4
MAX_CHOICE_BITS = 12.0
TEXT_CHARS = (65_536, 8_192, 512, 160, 64)
"""How many characters a pattern with 0, 1, 2, 3, 4 open repeats may be held against at most."""
STEPS = 5e7
"""What the engine does in about a second. The ways to read a text are its cuts, times its choices: both count."""
LEAST_CHARS = 32
"""A pattern that may see less is of no use."""
TRIAL_S = 0.5
"""A pumped text that takes longer is one that takes too long: a look holds many lines against many patterns."""
TRIAL_CHARS = 2_048
TRIAL_WORDS = 8
TRIALS_S = 0.1
"""Enough for all trials of one pattern together."""
_SMALL_STEPS = 40
_BAD_END = "\x00"


@lru_cache(maxsize=1024)
def checked_pattern(pattern: str) -> str:
    """`pattern` itself. Raises ValueError when it is too long, does not compile, or could take forever."""
    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern of {len(pattern)} characters; at most {MAX_PATTERN_CHARS} are allowed")
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    free = freedom(pattern)
    if free.open > MAX_OPEN_REPEATS:
        raise ValueError(f"more than {MAX_OPEN_REPEATS} open repeats (* or +): on a long text it could take forever")
    if free.bits > MAX_CHOICE_BITS:
        raise ValueError("too many optional parts and alternatives in a row: on some texts it could take forever")
    limit = text_limit(pattern)
    if limit < LEAST_CHARS:
        raise ValueError("too many choices between its open repeats: on some texts it could take forever")
    _try(compiled, min(TRIAL_CHARS, limit))
    return pattern


def text_limit(pattern: str) -> int:
    """How many characters of a text a checked `pattern` may see, so that the worst text takes about a second.

    Formula: the largest n with C(n, k) * 2^b <= STEPS, with k - 1 open repeats (and the place to begin) and b bits of
    choices; C(n, k) as n^k / k!."""
    free = freedom(pattern)
    cuts = min(free.open, MAX_OPEN_REPEATS) + 1
    most = (STEPS * math.factorial(cuts) / 2.0**free.bits) ** (1.0 / cuts)
    return min(TEXT_CHARS[cuts - 1], int(most))


@lru_cache(maxsize=1024)
def freedom(pattern: str) -> Freedom:
    """In how many ways `pattern` can be held against a text. Raises ValueError where what is repeated could be read in
    several ways."""
    return freedom_of(re._parser.parse(pattern))  # type: ignore[attr-defined]


def _try(pattern: re.Pattern[str], most: int) -> None:
    """Raises ValueError when a pumped text of at most `most` characters takes too long."""
    words = list(pumped_words(re._parser.parse(pattern.pattern)))[:TRIAL_WORDS]  # type: ignore[attr-defined]
    began = time.thread_time()
    for word, chars in product(words, _lengths(most)):
        text = (word * (chars // len(word) + 1))[: chars - 1] + _BAD_END
        before = time.thread_time()
        pattern.search(text)
        after = time.thread_time()
        if after - before > TRIAL_S:
            took = f"{(after - before) * 1000:.0f} ms"
            raise ValueError(f"on a text of {chars} characters it took {took}: it could take forever")
        if after - began > TRIALS_S:
            break


def _lengths(most: int) -> Iterator[int]:
    """Small steps first: what grows exponentially is caught before one step takes seconds."""
    chars = 16
    while chars < most:
        yield chars
        chars += 2 if chars < _SMALL_STEPS else chars
    yield most
