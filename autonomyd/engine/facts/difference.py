"""How two contents of one file differ, for people: bounded in time whatever their size, and without secrets."""

import re
from dataclasses import dataclass

from autonomyd.host.editing.change import keys_changed, problem_of
from autonomyd.model.secrets import masked

CONTEXT = 3
MIDDLE_LINES = 2000
"""More changed lines are not compared one by one: that takes time with their square."""
NAMED_BYTES = 65536
"""In larger files the changed keys are not looked for."""
KEYS_NAMED = 5
_HUNK = re.compile(r"@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """`diff` is unified; `problem` says why the newer does not parse ("" when it does, or nothing can tell)."""

    diff: str
    summary: str
    problem: str


def difference(was: bytes, now: bytes, path: str, *, was_name: str, now_name: str) -> Difference:
    """What does not decode shows as U+FFFD, what looks like a secret as ***."""
    old, new = (content.decode("utf-8", "replace").splitlines() for content in (was, now))
    count, lines = _unified(old, new)
    return Difference(
        diff=masked("\n".join([f"--- {was_name}", f"+++ {now_name}", *lines])) + "\n",
        summary=_summary(count, was, now, path),
        # what did not parse when it was good either is not of the format that its name tells
        problem="" if problem_of(was, path) else problem_of(now, path),
    )


def _summary(count: int, was: bytes, now: bytes, path: str) -> str:
    """How many lines differ, and which keys where the format is known. No values: they may be secrets."""
    words = f"{count} line differs" if count == 1 else f"{count} lines differ"
    keys = keys_changed(was, now, path) if max(len(was), len(now)) <= NAMED_BYTES else None
    if not keys:
        return words
    more = f" and {len(keys) - KEYS_NAMED} more" if len(keys) > KEYS_NAMED else ""
    return f"{words}: {', '.join(keys[:KEYS_NAMED])}{more}"


def _unified(old: list[str], new: list[str]) -> tuple[int, list[str]]:
    """How many lines differ, and the hunks. What is equal at both ends is cut off first."""
    head = _equal(old, new, 0)
    tail = _equal(old[::-1], new[::-1], head)
    start = max(0, head - CONTEXT)
    left, right = (lines[start : min(len(lines), len(lines) - tail + CONTEXT)] for lines in (old, new))
    if max(len(left), len(right)) > MIDDLE_LINES:
        count = max(len(old), len(new)) - head - tail
        return count, [f"(from line {head + 1} on {count} lines differ: too many to compare them one by one)"]
    import difflib  # needed only when a file was changed

    hunks = list(difflib.unified_diff(left, right, lineterm="", n=CONTEXT))[2:]
    gone, come = (sum(line[:1] == sign for line in hunks) for sign in "-+")
    moved = [_HUNK.sub(lambda match: _moved(match, start), line) if line[:2] == "@@" else line for line in hunks]
    return max(gone, come), moved


def _equal(old: list[str], new: list[str], taken: int) -> int:
    """How many lines at the front are equal, when `taken` at the other end are spoken for."""
    most = min(len(old), len(new)) - taken
    return next((index for index in range(most) if old[index] != new[index]), most)


def _moved(match: re.Match[str], by: int) -> str:
    return f"@@ -{int(match[1]) + by}{match[2] or ''} +{int(match[3]) + by}{match[4] or ''} @@"
