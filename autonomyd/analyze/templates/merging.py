"""Which templates are one: those that differ in a place where many different words are seen.

A place is a variable when enough different words stand in it while everything else is the same; how many are enough
depends on what they look like (`ENOUGH`). Three steps, again and again until nothing changes: all places that look
like values at once, one place at a time, and several places whose words no other template has. That frequency decides
about constants is the idea of Logram (Dai et al., TSE 2020) and Brain (Yu et al., TSC 2023); the places are taken one
at a time as in iterative partitioning (IPLoM, Makanju et al., KDD 2009)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from autonomyd.analyze.templates.template import opened_at
from autonomyd.analyze.templates.words import VARIABLE, Kind, Kinds, Words

NEVER = 1 << 30
ENOUGH = {
    Kind.PLAIN: 8,
    Kind.STATE: 12,
    Kind.TRUTH: NEVER,
    Kind.NAMED: 3,
    Kind.VALUE: 4,
    Kind.DOTTED: 3,
    Kind.NUMBERED: 3,
    Kind.VARIABLE: 2,
}
"""Different words in one place that make it a variable."""
ENOUGH_LONG = 5
"""Plain words, when at least four others are the same."""
ENOUGH_SHORT = 12
"""Plain words, when only one other is the same."""
FAMILY = 4
"""Templates that differ only in places that look like values, to be one."""
RARE = 2
"""A word is rare that no more templates of the length have in its place."""
ENOUGH_RARE = 12
"""Templates that differ only in rare words, to be one."""


@dataclass(slots=True, kw_only=True)
class Cluster:
    """Templates that are one: their words with <*> where they differ, and the numbers of their groups."""

    words: Words
    kinds: Kinds
    members: list[int]


def merged(leaves: Iterable[tuple[int, Words, Kinds]]) -> list[Cluster]:
    """The groups that `leaves` (number, words, kinds; all words different) are. Deterministic in their order."""
    clusters = {words: Cluster(words=words, kinds=kinds, members=[number]) for number, words, kinds in leaves}
    while _families(clusters) + _places(clusters) + _rare(clusters):
        pass
    return list(clusters.values())


def enough_constants(length: int) -> int:
    """Words that must be the same in a template of `length` words, where several places vary at once."""
    return max(2, length // 2)


def _places(clusters: dict[Words, Cluster]) -> int:
    """Merge what differs in one place."""
    # hashes for keys, because the texts would be many times the memory of the templates; so it is looked twice
    rests: dict[tuple[int, int], list[Words]] = {}
    for words in clusters:
        for place in range(len(words)):
            rests.setdefault((place, hash((words[:place], words[place + 1 :]))), []).append(words)
    found = []
    for (place, _), same_hash in rests.items():
        alike = [words for words in same_hash if _differ_only_at(place, words, same_hash[0])]
        if _beside_variable(alike[0], place) and (into := opened_at(alike[0], place)) in clusters:
            alike.append(into)
        if len(alike) > 1:
            beyond = len(alike) - _enough(clusters, alike, place)
            if beyond >= 0:
                found.append((beyond, place, alike))
    found.sort(key=lambda each: -each[0])
    return sum(_join(clusters, [words for words in alike if words in clusters], {place}) for _, place, alike in found)


def _differ_only_at(place: int, words: Words, other: Words) -> bool:
    return words[:place] == other[:place] and words[place + 1 :] == other[place + 1 :]


def _beside_variable(words: Words, place: int) -> bool:
    return words[place] != VARIABLE and VARIABLE in (words[place - 1 : place] + words[place + 1 : place + 2])


def _enough(clusters: dict[Words, Cluster], alike: list[Words], place: int) -> int:
    kinds = [clusters[words].kinds[place] for words in alike if len(words) == len(alike[0])]
    known = [kind for kind in kinds if kind is not Kind.VARIABLE]
    same = sum(word != VARIABLE for word in alike[0]) - (alike[0][place] != VARIABLE)
    if not same or Kind.TRUTH in known:
        return NEVER
    if len(known) < len(alike) and (same > 1 or Kind.PLAIN not in known):
        return ENOUGH[Kind.VARIABLE] + (Kind.PLAIN in known and len(alike[-1]) < len(alike[0]))
    kind = max(set(known), key=lambda each: (known.count(each), -each))
    if kind is Kind.PLAIN and same >= 4:
        return ENOUGH_LONG
    return ENOUGH_SHORT if kind is Kind.PLAIN and same == 1 else ENOUGH[kind]


def _families(clusters: dict[Words, Cluster]) -> int:
    """Merge what differs only in places that look like values."""
    families: dict[Words, list[Words]] = {}
    for words, cluster in clusters.items():
        soft = tuple(
            "" if Kind.NAMED <= kind < Kind.VARIABLE else word for word, kind in zip(words, cluster.kinds, strict=True)
        )
        if "" in soft:
            families.setdefault(soft, []).append(words)
    joined = 0
    for soft, alike in families.items():
        if len(alike) < FAMILY or sum(word not in ("", VARIABLE) for word in soft) < 2:
            continue
        places = {place for place, word in enumerate(soft) if not word and len({words[place] for words in alike}) >= 3}
        parts: dict[Words, list[Words]] = {}
        for words in alike if places else ():
            parts.setdefault(tuple("" if n in places else w for n, w in enumerate(words)), []).append(words)
        joined += sum(_join(clusters, part, places) for part in parts.values())
    return joined


def _rare(clusters: dict[Words, Cluster]) -> int:
    """Merge what differs only in words that hardly any other template of the length has in their place: several places
    with names in them, none of which ever come twice."""
    seen = Counter((len(words), *each) for words in clusters for each in enumerate(words))
    alike: dict[Words, list[Words]] = {}
    for words, cluster in clusters.items():
        open_ = {
            place
            for place, word in enumerate(words)
            if cluster.kinds[place] not in (Kind.TRUTH, Kind.STATE, Kind.VARIABLE)
            and seen[len(words), place, word] <= RARE
        }
        if len(open_) > 1 and len(words) - words.count(VARIABLE) - len(open_) >= enough_constants(len(words)):
            alike.setdefault(tuple("" if n in open_ else word for n, word in enumerate(words)), []).append(words)
    return sum(
        _join(clusters, each, {place for place, word in enumerate(key) if not word})
        for key, each in alike.items()
        if len(each) >= ENOUGH_RARE
    )


def _join(clusters: dict[Words, Cluster], alike: list[Words], places: set[int]) -> int:
    """Make one of `alike`, which differ only in `places`; 0 when there is nothing to be made."""
    if len(alike) < 2:
        return 0
    new = _joined(clusters, alike[0], places)
    for words in (*alike, new.words):
        if words in clusters:
            new.members += clusters.pop(words).members
    clusters[new.words] = new
    return 1


def _joined(clusters: dict[Words, Cluster], words: Words, places: set[int]) -> Cluster:
    """What becomes of `words` with variables in `places`; without members."""
    kept: list[tuple[str, Kind]] = []
    for place, (word, kind) in enumerate(zip(words, clusters[words].kinds, strict=True)):
        if word != VARIABLE and place not in places:
            kept.append((word, kind))
        elif not kept or kept[-1][0] != VARIABLE:
            kept.append((VARIABLE, Kind.VARIABLE))
    return Cluster(words=tuple(word for word, _ in kept), kinds=tuple(kind for _, kind in kept), members=[])
