"""The groups of one log, found by their words or their number; merged now and then, and never more than so many."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autonomyd.analyze.templates.merging import enough_constants, merged
from autonomyd.analyze.templates.template import opened, opened_at, rendered
from autonomyd.analyze.templates.words import VARIABLE, Kind, Kinds, Words, parsed

MIN_FRESH = 32
"""New groups after which it is looked for those that are one; with many groups it is half of them."""
EVICTED_PART = 8
REMEMBERED_NUMBERS = 8
"""Numbers of merged groups that are remembered, as a multiple of the most groups."""


@dataclass(slots=True, kw_only=True)
class Group:
    """Lines with one template. `text` is the message of one of them, `example` the newest line whole, `last` that
    line's number, `weight` the count with the past fading."""

    number: int
    words: Words = ()
    kinds: Kinds = ()
    count: int = 0
    weight: int = 0
    last: int = 0
    text: str = ""
    example: str = ""

    @property
    def template(self) -> str:
        """The message with <*> for what varies, control characters escaped."""
        return rendered(self.text, self.words)

    def take(self, other: "Group") -> None:
        """`other` is part of this one from now on."""
        self.count += other.count
        self.weight += other.weight
        if other.last >= self.last:
            self.last, self.example = other.last, other.example


class Groups:
    """At most `most` groups; the ones with the fewest lines are dropped first, the longest unseen first among them."""

    def __init__(self, *, most: int) -> None:
        self.evicted = 0
        self.fresh = 0
        """Groups that came since the last `merge`."""
        self._most = max(EVICTED_PART, most)
        self._by_words: dict[Words, Group] = {}
        self._by_number: dict[int, Group] = {}
        self._became: dict[int, int] = {}
        self._open: dict[int, list[Words]] = {}

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._by_number.values())

    def numbered(self, number: int) -> Group | None:
        """The group that `number` is part of by now."""
        return self._by_number.get(self.final(number))

    def final(self, number: int) -> int:
        """Where `number` went; itself when nothing is known of it."""
        while (after := self._became.get(number)) is not None:
            number = after
        return number

    def exact(self, words: Words) -> Group | None:
        """The group with just these words."""
        return self._by_words.get(words)

    def wider(self, words: Words, kinds: Kinds) -> Group | None:
        """The group whose template `words` fit with what looks like values left open, or with one place left open (on
        the same grounds on which `merged` would join the two)."""
        soft = {place for place, kind in enumerate(kinds) if Kind.NAMED <= kind < Kind.VARIABLE}
        if soft and (found := self._by_words.get(opened(words, soft))) is not None:
            return found
        constants = len(words) - words.count(VARIABLE) - 1
        for place, kind in enumerate(kinds):
            if constants and kind not in (Kind.TRUTH, Kind.VARIABLE) and (constants > 1 or kind is not Kind.PLAIN):
                wider = opened_at(words, place)
                if len(wider) == len(words) or kind is not Kind.PLAIN:
                    found = self._by_words.get(wider)
                    if found is not None:
                        return found
        return self._open_everywhere(words, kinds)

    def _open_everywhere(self, words: Words, kinds: Kinds) -> Group | None:
        """The group whose template has variables in several places of `words`, and the same in most others."""
        for template in self._open.get(len(words), ()):
            places = [place for place, word in enumerate(template) if word != words[place]]
            if all(
                template[place] == VARIABLE and kinds[place] not in (Kind.TRUTH, Kind.STATE) for place in places
            ) and len(words) - words.count(VARIABLE) - len(places) >= enough_constants(len(words)):
                return self._by_words.get(template)
        return None

    def add(self, group: Group) -> bool:
        """A group with words of its own. Whether others had to be dropped for it."""
        full = len(self._by_number) >= self._most
        if full:
            self._evict()
        self._by_words[group.words] = self._by_number[group.number] = group
        self.fresh += 1
        return full

    def put(self, number: int, text: str) -> None:
        """A group without lines yet for the words of the message `text`, unless there is one."""
        words, kinds = parsed(text)
        group = self._by_words.get(words)
        if group is None:
            self.add(Group(number=number, words=words, kinds=kinds, text=text))
        else:
            self._became[number] = group.number

    def recount(self, parts: Iterable[Group]) -> None:
        """Count anew: all lines are those of `parts`, whose numbers were `put`."""
        for group in self._by_number.values():
            group.count = group.weight = group.last = 0
        for part in parts:
            group_of = self.numbered(part.number)
            if group_of is not None:
                group_of.take(part)

    @property
    def full(self) -> bool:
        """Whether it is time to `merge`."""
        return self.fresh >= max(MIN_FRESH, len(self._by_number) // 2)

    def merge(self) -> None:
        """Make one of what is one; the lowest number stays."""
        self.fresh = 0
        for cluster in merged((group.number, group.words, group.kinds) for group in self._by_number.values()):
            if len(cluster.members) > 1:
                self._unite(sorted(cluster.members), cluster.words, cluster.kinds)
        self._open.clear()
        for words in self._by_words:
            if words.count(VARIABLE) > 1:
                self._open.setdefault(len(words), []).append(words)
        while len(self._became) > REMEMBERED_NUMBERS * self._most:
            del self._became[next(iter(self._became))]

    def _unite(self, numbers: list[int], words: Words, kinds: Kinds) -> None:
        stays = self._by_number[numbers[0]]
        del self._by_words[stays.words]
        for number in numbers[1:]:
            gone = self._by_number.pop(number)
            del self._by_words[gone.words]
            stays.take(gone)
            self._became[number] = stays.number
        stays.words, stays.kinds = words, kinds
        self._by_words[words] = stays

    def _evict(self) -> None:
        order = sorted(self._by_number.values(), key=lambda group: (group.weight, group.last))
        for group in order[: self._most // EVICTED_PART]:
            del self._by_words[group.words], self._by_number[group.number]
            self.evicted += 1
        for group in self._by_number.values():
            group.weight >>= 1
