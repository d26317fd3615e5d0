"""Lines in, numbers of their templates out: streaming, in bounded memory, quick for shapes that were seen before.

While it is young, the miner keeps one line of each shape (a line without its digits) and learns from them what the
header of the log's lines looks like. Then a line without its header is parsed into words, which are looked up among
the groups, also with one place or all that look like values left open; what is not found becomes a group. After a good
number of new groups those that are one are merged (`merging`)."""

from collections.abc import Mapping
from typing import Any

from autonomyd.analyze.templates.group import Group, Groups
from autonomyd.analyze.templates.header import HEADER_CHARS, Header, learned
from autonomyd.analyze.templates.template import with_values
from autonomyd.analyze.templates.words import TEXT_CHARS, parsed, words_of

MAX_TEMPLATES = 1_000
LINE_CHARS = HEADER_CHARS + TEXT_CHARS
"""What is looked at of a line."""
YOUNG_SHAPES = 200
"""Different shapes from which the header is learned."""
KNOWN_SHAPES = 1_024
"""Shapes whose group is remembered; all are forgotten when there are more."""
DUMPED_GROUPS = 500
DUMPED_CHARS = 300
"""Of an example."""
VERSION = 1
_DIGITS = b"0123456789"


class TemplateMiner:
    """Groups the lines of one log; one configuration for all logs. A number that `add` gave stays good: `final` tells
    the group that it is part of by now."""

    def __init__(self, *, max_templates: int = MAX_TEMPLATES) -> None:
        """At most `max_templates` groups are kept (200 at least, while the header is learned)."""
        self.lines = 0
        self._most = max_templates
        self._groups = Groups(most=max_templates)
        self._header = Header()
        self._young: list[Group] | None = []
        self._unfit: list[str] = []
        self._known: dict[bytes, Group] = {}
        self._next = 0
        self._settled_at = 0
        self._learned_from = 0

    @property
    def evicted(self) -> int:
        """Groups that were dropped because there were too many."""
        return self._groups.evicted

    def add(self, line: str) -> int:
        """The number of the line's group. Any text will do; what is beyond 1.5 kB is not looked at."""
        if len(line) > LINE_CHARS:
            line = line[:LINE_CHARS]
        shape = _shape(line)
        group = self._known.get(shape)
        if group is None:
            group = self._group_of(line)
            if len(self._known) >= KNOWN_SHAPES:
                self._known.clear()
            self._known[shape] = group
        self.lines += 1
        group.count += 1
        group.weight += 1
        group.last = self.lines
        group.example = line
        return group.number

    def settle(self) -> None:
        """Merge what is one by now. What shows groups does it by itself."""
        if self._settled_at == self.lines:
            return
        self._settled_at = self.lines
        if self._young is not None:
            if self._learned_from != len(self._young):
                self._learn(self._young)
            self._groups.recount(self._young)
        elif self._groups.fresh:
            self._merge()

    def final(self, number: int) -> int:
        """The number of the group that `number` is part of by now."""
        self.settle()
        return self._groups.final(number)

    def counts(self) -> dict[int, int]:
        """How many lines each group has had."""
        self.settle()
        return {group.number: group.count for group in self._groups}

    def groups(self) -> list[int]:
        """The numbers of all groups, the one with the most lines first."""
        self.settle()
        return [group.number for group in sorted(self._groups, key=lambda group: (-group.count, group.number))]

    def template(self, number: int) -> str:
        """The message with <*> for what varies, without the header, control characters escaped; "" for a group that
        was evicted. Secrets are not masked."""
        group = self._find(number)
        return "" if group is None else group.template

    def example(self, number: int) -> str:
        """The group's newest line as it came, at most 1.5 kB of it; "" for a group that was evicted."""
        group = self._find(number)
        return "" if group is None else group.example

    def count(self, number: int) -> int:
        """How many lines the group has had; 0 for a group that was evicted."""
        group = self._find(number)
        return 0 if group is None else group.count

    def dump(self) -> dict[str, Any]:
        """JSON values for `load`: the header and the 500 groups with the most lines. Secrets in the texts may be masked
        before it is stored."""
        self.settle()
        young = self._young is not None
        groups = self._young or sorted(self._groups, key=lambda group: (-group.count, group.number))[:DUMPED_GROUPS]
        return {
            "version": VERSION,
            "lines": self.lines,
            "next": self._next,
            "young": young,
            "header": [self._header.columns, self._header.tail],
            "groups": [self._row(each) for each in groups],
        }

    def _row(self, group: Group) -> list[object]:
        if self._young is not None:
            return [group.number, group.count, "", group.example]
        return [group.number, group.count, group.template, group.example[:DUMPED_CHARS]]

    @classmethod
    def load(cls, data: Mapping[str, Any], *, max_templates: int = MAX_TEMPLATES) -> "TemplateMiner":
        """The miner that was dumped, with the same numbers. Raises ValueError for what `dump` did not make."""
        miner = cls(max_templates=max_templates)
        try:
            if data["version"] != VERSION:
                raise ValueError(f"templates of version {data['version']!r}, not {VERSION}")
            miner.lines, miner._next = int(data["lines"]), int(data["next"])
            miner._header = Header(int(data["header"][0]), str(data["header"][1]))
            rows = [(int(row[0]), int(row[1]), str(row[2]), str(row[3])[:LINE_CHARS]) for row in data["groups"]]
        except (KeyError, IndexError, TypeError, OverflowError) as error:
            raise ValueError(f"these are no dumped templates: {error!r}") from error
        groups = [Group(number=n, count=count, weight=count, example=example) for n, count, _, example in rows]
        if data["young"]:
            miner._young = groups[:YOUNG_SHAPES]
            miner._known = {_shape(group.example): group for group in miner._young}
            return miner
        miner._young = None
        for group, (_, _, template, _) in zip(groups, rows, strict=True):
            miner._groups.put(group.number, with_values(template))
        miner._groups.recount(groups)
        return miner

    def _find(self, number: int) -> Group | None:
        self.settle()
        return self._groups.numbered(number)

    def _group_of(self, line: str) -> Group:
        """The group of a line whose shape is not known."""
        if self._young is not None:
            if len(self._young) < YOUNG_SHAPES:
                group = self._new(line)
                self._young.append(group)
                return group
            self._grow_up(self._young)
        text = self._message(line)
        known = self._groups.exact(words_of(text))
        if known is not None:
            return known
        words, kinds = parsed(text)
        known = self._groups.wider(words, kinds)
        if known is not None:
            return known
        if self._groups.full:
            self._merge()
            return self._group_of(line)
        group = self._new(line)
        group.words, group.kinds, group.text = words, kinds, text
        if self._groups.add(group):
            self._remember()
        return group

    def _message(self, line: str) -> str:
        text = self._header.without(line)
        if text is not line:
            self._unfit.clear()
        elif self._header.columns or self._header.tail:
            self._unfit.append(line)
            if len(self._unfit) >= YOUNG_SHAPES:
                # the program writes another header now, as after an upgrade
                self._header = learned(self._unfit)
                self._unfit.clear()
                self._known.clear()
                text = self._header.without(line)
        return text

    def _new(self, line: str) -> Group:
        self._next += 1
        return Group(number=self._next - 1, example=line)

    def _learn(self, young: list[Group]) -> None:
        """Learn the header anew from what was seen, and group that. The young ones stay as they are, one a shape."""
        self._header = learned([group.example for group in young])
        self._groups = Groups(most=max(self._most, YOUNG_SHAPES))
        for each in young:
            self._groups.put(each.number, self._header.without(each.example))
        self._groups.merge()
        self._learned_from = len(young)

    def _grow_up(self, young: list[Group]) -> None:
        self._learn(young)
        self._groups.recount(young)
        self._young = None
        self._remember()

    def _merge(self) -> None:
        self._groups.merge()
        self._remember()

    def _remember(self) -> None:
        """Point the known shapes to where their groups went."""
        found = ((shape, self._groups.numbered(group.number)) for shape, group in self._known.items())
        self._known = {shape: group for shape, group in found if group is not None}


def _shape(line: str) -> bytes:
    # as bytes, because that is five times as quick; any text has some, also one that was no good UTF-8
    return line.encode("utf-8", "surrogatepass").translate(None, _DIGITS)
