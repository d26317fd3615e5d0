"""Which lines of a log tell of an error: rules, and the one quick way to hold a block of lines against all of them.

A line is held against a rule's pattern only when it contains one of the rule's `hints`, which are looked for in the
whole block at once. Pure: reading logs and rules is other people's work."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.health import Severity
from autonomyd.model.log_entries import LogEntry, entry_at, harmless
from autonomyd.model.secrets import masked

EXAMPLE_CHARS = 300
PIECE_CHARS = 65_536
"""A block is gone through in pieces that stay in the processor's cache."""

INNOCENT_SHAPES = 1_024
SHAPE_BYTES = 512
"""So many lines, each without its digits and no longer than this, are remembered as having none of the hints: most
lines of a log differ in digits only."""
_DIGITS = b"0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRule:
    """`hints` are in small letters, one of them is in every line that matches (none: every line is tried). `limit` is
    how many characters of a line are looked at. `any_level`: also lines that call themselves information count.
    `confidence` (0 to 100) is how surely a match means `cause`; `playbooks` are remedies that are worth a look;
    `true` and `false` are a line that matches and one that must not."""

    name: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    category: str = ""
    severity: Severity = Severity.WARNING
    cause: Cause | None = None
    confidence: float = 0.0
    playbooks: tuple[str, ...] = ()
    fix: str = ""
    limit: int = 4096
    any_level: bool = False
    true: str = ""
    false: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMatch:
    """What one rule found in a block: how many entries, and the telling line of one, short and without secrets."""

    rule: LogRule
    count: int
    example: str


class LogRules:
    """All rules, ready to be held against blocks of text. An entry (a line, or a stack trace) counts once, for the
    first rule that one of its lines fits."""

    def __init__(self, rules: Sequence[LogRule], *, ignore: Sequence[tuple[re.Pattern[str], int]] = ()) -> None:
        """`ignore` are patterns, each with the characters of a line that it may see; a line that fits one is none."""
        self.rules = tuple(rules)
        self._ignore = tuple(ignore)
        self._always = tuple((order, rule) for order, rule in enumerate(rules) if not rule.hints)
        hints = {hint for rule in rules for hint in rule.hints}
        # looking for "error" also finds every "importerror": only the shortest are looked for in the whole block
        self._by_gate: dict[str, list[tuple[str, int, LogRule]]] = {
            gate: [(hint, order, rule) for order, rule in enumerate(rules) for hint in rule.hints if gate in hint]
            for gate in sorted(hints)
            if not any(other in gate for other in hints if other != gate)
        }
        self._with_digits = tuple(gate for gate in self._by_gate if any(char.isdigit() for char in gate))
        self._without_digits = tuple(gate for gate in self._by_gate if gate not in self._with_digits)
        self._innocent: set[bytes] = set()

    def found(self, block: str, *, expired: Callable[[], bool] = lambda: False) -> tuple[LogMatch, ...]:
        """What is in `block` (lines, each ended by a line break), most frequent rule first. `expired` is asked now and
        then; once it says yes, TimeoutError is raised."""
        counts: dict[str, tuple[_Hit, int]] = {}
        for hit in self._hits(block, expired):
            first, count = counts.get(hit.rule.name, (hit, 0))
            counts[hit.rule.name] = (first, count + 1)
        return tuple(
            LogMatch(rule=hit.rule, count=count, example=masked(shortened(self._telling(hit))))
            for hit, count in sorted(counts.values(), key=lambda each: -each[1])
        )

    def of_line(self, line: str) -> LogRule | None:
        """The rule that this one line fits, None when none does."""
        return self._first(line, sorted([*self._always, *self._hinted(line.lower(), self._by_gate)], key=_order))[1]

    def _hits(self, block: str, expired: Callable[[], bool]) -> "Iterator[_Hit]":
        """One for each entry with a line that fits a rule, the first such rule in their order."""
        best: _Hit | None = None
        for start, line, rules in self._candidates(block):
            if expired():
                raise TimeoutError("the lines take too long to be held against the patterns")
            order, rule = self._first(line, rules)
            if rule is None:
                continue
            if best is None or start >= best.entry.end:
                entry = entry_at(block, start)
                if entry.begin != start and not rule.any_level and harmless(entry.first):
                    continue
                if best is not None:
                    yield best
                best = _Hit(entry=entry, order=order, rule=rule, line=line)
            elif order < best.order:
                best = _Hit(entry=best.entry, order=order, rule=rule, line=line)
        if best is not None:
            yield best

    def _telling(self, hit: "_Hit") -> str:
        """The line that shows best what was found: the one that says what is wrong, unless only another one fits."""
        telling = hit.entry.telling
        bare = hit.line.startswith("Traceback (most recent")
        return telling if bare or hit.rule.pattern.search(telling[: hit.rule.limit]) else hit.line

    def _candidates(self, block: str) -> Iterator[tuple[int, str, list[tuple[int, LogRule]]]]:
        """Each line that some rule could fit: where it begins, the line, and those rules in their order."""
        for start in range(0, len(block), PIECE_CHARS) if not self._always else ():
            # a line that a border cuts is seen whole in the piece in which it begins
            begin = 0 if start == 0 else block.find("\n", start - 1) + 1
            end = block.find("\n", start + PIECE_CHARS - 1) + 1 or len(block)
            if begin or start == 0:
                for at, line, rules in self._gated(block[begin:end]):
                    yield begin + at, line, rules
        at = 0
        for line in block.split("\n") if self._always else ():
            if line:
                yield at, line, sorted([*self._always, *self._hinted(line.lower(), self._by_gate)], key=_order)
            at += len(line) + 1

    def _gated(self, piece: str) -> Iterator[tuple[int, str, list[tuple[int, LogRule]]]]:
        # the one letter whose small form is two: places would not agree
        lower = piece.replace("\u0130", "I").lower()
        gates: dict[int, list[str]] = {}
        _look(lower, self._with_digits, lambda start: gates.setdefault(start, []))
        self._look_at_strange(lower, gates)
        for start in sorted(gates):
            end = lower.find("\n", start)
            end = end if end >= 0 else len(lower)
            rules = self._hinted(lower[start:end], gates[start])
            if rules:
                yield start, piece[start:end], rules

    def _look_at_strange(self, lower: str, gates: dict[int, list[str]]) -> None:
        """Look for the gates without digits in the lines that, but for their digits, are not known to have none."""
        shapes = lower.encode("utf-8", "replace").translate(None, _DIGITS).split(b"\n")
        known = self._innocent
        strange: list[str] = []
        shape_at: dict[int, bytes] = {}
        origin: dict[int, int] = {}
        at = size = 0
        for line, shape in zip(lower.split("\n"), shapes, strict=True):
            if shape not in known:
                origin[size] = at
                shape_at[size] = shape
                strange.append(line)
                size += len(line) + 1
            at += len(line) + 1
        if not strange:
            return
        guilty: set[int] = set()

        def place(start: int) -> list[str]:
            guilty.add(start)
            return gates.setdefault(origin[start], [])

        _look("\n".join(strange), self._without_digits, place)
        if len(known) > INNOCENT_SHAPES:
            known.clear()
        known.update(shape for start, shape in shape_at.items() if start not in guilty and len(shape) <= SHAPE_BYTES)

    def _hinted(self, lower: str, gates: Iterable[str]) -> list[tuple[int, LogRule]]:
        found = {order: rule for gate in gates for hint, order, rule in self._by_gate[gate] if hint in lower}
        return sorted(found.items())

    def _first(self, line: str, rules: list[tuple[int, LogRule]]) -> tuple[int, LogRule | None]:
        below: bool | None = None
        for order, rule in rules:
            if rule.pattern.search(line[: rule.limit]) is None:
                continue
            if not rule.any_level:
                if below is None:
                    below = harmless(line)
                if below:
                    continue
            if any(pattern.search(line[:limit]) for pattern, limit in self._ignore):
                break
            return order, rule
        return -1, None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """An entry, and the line of it that fits a rule."""

    entry: LogEntry
    order: int
    rule: LogRule
    line: str


def shortened(line: str) -> str:
    """One line for people: no control characters, at most 300 characters."""
    plain = "".join(char if char.isprintable() else " " for char in line[: 2 * EXAMPLE_CHARS]).strip()
    return plain if len(plain) <= EXAMPLE_CHARS else f"{plain[:EXAMPLE_CHARS]}..."


def _look(text: str, gates: Iterable[str], place: Callable[[int], list[str]]) -> None:
    """Add each gate to the `place` of every line (by its beginning) that has it."""
    for gate in gates:
        at = text.find(gate)
        while at >= 0:
            place(text.rfind("\n", 0, at) + 1).append(gate)
            end = text.find("\n", at)
            at = text.find(gate, end) if end >= 0 else -1


def _order(entry: tuple[int, LogRule]) -> int:
    return entry[0]
