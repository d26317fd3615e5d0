"""Words with variables among them as a template: wider ones, and how a template is shown."""

from collections.abc import Collection

from autonomyd.analyze.templates.words import VALUE, VARIABLE, WORD, Words, simplified, word_of

_ONE = (VARIABLE,)


def opened(words: Words, places: Collection[int]) -> Words:
    """`words` with variables in `places`, variables in a row as one."""
    kept: list[str] = []
    for place, each in enumerate(words):
        word = VARIABLE if place in places else each
        if word != VARIABLE or not kept or kept[-1] != VARIABLE:
            kept.append(word)
    return tuple(kept)


def opened_at(words: Words, place: int) -> Words:
    """The same with one place, which is no variable yet."""
    before, after = words[:place], words[place + 1 :]
    if before[-1:] == _ONE:
        return before + (after[1:] if after[:1] == _ONE else after)
    return before + after if after[:1] == _ONE else before + _ONE + after


def rendered(text: str, words: Words) -> str:
    """`text`, one of those that `words` stand for, with <*> where it varies and control characters escaped."""
    shown: list[str] = []
    place = end = 0
    inside = False
    source = simplified(text)
    for match in WORD.finditer(source):
        word = word_of(match[0])
        if place < len(words) and words[place] == VARIABLE:
            if inside and words[place + 1 : place + 2] == (word,):
                place += 2
                inside = False
            else:
                inside = True
                word = VARIABLE
        elif words[place : place + 1] == (word,):
            place += 1
        shown += (source[end : match.start()], word)
        end = match.end()
    shown.append(source[end:])
    if len(words) == 1 and words[0].endswith(VARIABLE):
        shown = [words[0]]
    return "".join(char if char.isprintable() else _escaped(char) for char in "".join(shown))


def with_values(template: str) -> str:
    """A text that `template`, an answer of `rendered`, stands for: its words are the template's."""
    return template.replace(VARIABLE, VALUE)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
