"""Which lines of a log tell of an error: rules, and the one quick way to hold a block of lines against all of them.

A line is held against a rule's pattern only when it contains one of the rule's `hints`, which are looked for in the
whole block at once. Pure: reading logs and rules is other people's work."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.health import Severity
from autonomyd.model.secrets import masked

EXAMPLE_CHARS = 300
PIECE_CHARS = 65_536
"""A block is gone through in pieces that stay in the processor's cache."""
_HARMLESS = re.compile(
    r"""\b(?:INFO|DEBUG|TRACE|NOTICE)\b|\b(?:level|lvl|severity)["']?\s?[=:]\s?["']?(?:info|debug|trace|notice)\b"""
)
"""A level that a line gives itself, below a warning."""
_HARMLESS_WITHIN = 160
"""The level stands near the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRule:
    """`hints` are in small letters, one of them is in every line that matches (none: every line is tried). `limit` is
    how many characters of a line are looked at. `any_level`: also lines that call themselves information count."""

    name: str
    pattern: re.Pattern[str]
    hints: tuple[str, ...] = ()
    category: str = ""
    severity: Severity = Severity.WARNING
    cause: Cause | None = None
    fix: str = ""
    limit: int = 4096
    any_level: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMatch:
    """What one rule found in a block: how many lines, and one of them, short and without secrets."""

    rule: LogRule
    count: int
    example: str


class LogRules:
    """All rules, ready to be held against blocks of text. A line counts for the first rule that it fits."""

    def __init__(self, rules: Sequence[LogRule], *, ignore: Sequence[tuple[re.Pattern[str], int]] = ()) -> None:
        """`ignore` are patterns, each with the characters of a line that it may see; a line that fits one is none."""
        self._ignore = tuple(ignore)
        self._always = tuple((order, rule) for order, rule in enumerate(rules) if not rule.hints)
        hints = {hint for rule in rules for hint in rule.hints}
        # looking for "error" also finds every "importerror": only the shortest are looked for in the whole block
        self._by_gate: dict[str, list[tuple[str, int, LogRule]]] = {
            gate: [(hint, order, rule) for order, rule in enumerate(rules) for hint in rule.hints if gate in hint]
            for gate in sorted(hints)
            if not any(other in gate for other in hints if other != gate)
        }

    def found(self, block: str, *, expired: Callable[[], bool] = lambda: False) -> tuple[LogMatch, ...]:
        """What is in `block` (lines, each ended by a line break), most frequent rule first. `expired` is asked now and
        then; once it says yes, TimeoutError is raised."""
        counts: dict[str, tuple[LogRule, int, str]] = {}
        for line, rules in self._candidates(block):
            if expired():
                raise TimeoutError("the lines take too long to be held against the patterns")
            rule = self._first(line, rules)
            if rule is not None:
                _, count, example = counts.get(rule.name, (rule, 0, line))
                counts[rule.name] = (rule, count + 1, example)
        return tuple(
            LogMatch(rule=rule, count=count, example=masked(shortened(example)))
            for rule, count, example in sorted(counts.values(), key=lambda each: -each[1])
        )

    def _candidates(self, block: str) -> Iterator[tuple[str, list[tuple[int, LogRule]]]]:
        """Each line that some rule could fit, with those rules in their order."""
        for start in range(0, len(block), PIECE_CHARS) if not self._always else ():
            # a line that a border cuts is seen whole in the piece in which it begins
            begin = 0 if start == 0 else block.find("\n", start - 1) + 1
            end = block.find("\n", start + PIECE_CHARS - 1) + 1 or len(block)
            if begin or start == 0:
                yield from self._gated(block[begin:end])
        for line in block.split("\n") if self._always else ():
            if line:
                yield line, sorted([*self._always, *self._hinted(line.lower(), self._by_gate)], key=_order)

    def _gated(self, piece: str) -> Iterator[tuple[str, list[tuple[int, LogRule]]]]:
        # the one letter whose small form is two: places would not agree
        lower = piece.replace("\u0130", "I").lower()
        gates: dict[int, list[str]] = {}
        for gate in self._by_gate:
            at = lower.find(gate)
            while at >= 0:
                gates.setdefault(lower.rfind("\n", 0, at) + 1, []).append(gate)
                end = lower.find("\n", at)
                at = lower.find(gate, end) if end >= 0 else -1
        for start in sorted(gates):
            end = lower.find("\n", start)
            end = end if end >= 0 else len(lower)
            rules = self._hinted(lower[start:end], gates[start])
            if rules:
                yield piece[start:end], rules

    def _hinted(self, lower: str, gates: Iterable[str]) -> list[tuple[int, LogRule]]:
        found = {order: rule for gate in gates for hint, order, rule in self._by_gate[gate] if hint in lower}
        return sorted(found.items())

    def _first(self, line: str, rules: list[tuple[int, LogRule]]) -> LogRule | None:
        harmless: bool | None = None
        for _, rule in rules:
            if rule.pattern.search(line[: rule.limit]) is None:
                continue
            if not rule.any_level:
                if harmless is None:
                    harmless = _HARMLESS.search(line[:_HARMLESS_WITHIN]) is not None
                if harmless:
                    continue
            if any(pattern.search(line[:limit]) for pattern, limit in self._ignore):
                return None
            return rule
        return None


def shortened(line: str) -> str:
    """One line for people: no control characters, at most 300 characters."""
    plain = "".join(char if char.isprintable() else " " for char in line[: 2 * EXAMPLE_CHARS]).strip()
    return plain if len(plain) <= EXAMPLE_CHARS else f"{plain[:EXAMPLE_CHARS]}..."


def _order(entry: tuple[int, LogRule]) -> int:
    return entry[0]
