"""A text as words, where what is a value whatever the program is <*>: numbers, addresses, dates, paths, sizes.

Only words decide about a line's group. Punctuation is left out, so that `a=1`, `a = 1` and `a: 1` look alike, and
variables in a row are one, so that lists of any length do. A word with a number at its end keeps its letters
(`eth<*>`), because they may tell two templates apart; whether they vary is found out later (`merging`)."""

import enum
import re

VARIABLE = "<*>"
TEXT_CHARS = 1_024
"""What is looked at of a text: templates that differ only later are one."""
MAX_WORDS = 64

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,15}://[^\s\"'<>|)\]}]+")
_PATH = re.compile(r"(?<![^\s=,;:|(\[{\"'<>])(?:~?/|\.{1,2}/|[A-Za-z]:\\)[^\s,;:|()\[\]{}\"'<>=]+")
_SIZE_AGAIN = re.compile(r"\s?\(\d+(?:\.\d+)?\s?[kKMGTP]?i?B\)")
"""A size told once more for people, where it is big enough: 4096 bytes (4 KB)."""
_THING = re.compile(r"(?<==)\w{0,40}+[({\[][^\s(){}\[\]\d]{0,60}+\d[^\s(){}\[\]]{0,60}+[)}\]]")
"""x=Thing{17}: the whole is the value."""
_LETTERS_FIRST = re.compile(r"\b[A-Fa-f]{2,4}(?=(?::[0-9A-Fa-f]{1,4}){4})")
"""An address of a network card or IPv6 whose first part has no digit."""
_QUOTED = re.compile(r"([\w.-]{1,40})=(?:\"([^\"]{0,200})\"|'([^']{0,200})')")
_FILLING = re.compile(r"\.{3,}")
VALUE = "0"
"""Stands for any value in a text."""
_SIGNS = frozenset("=,;|()[]{}\"'<>:#")
_APART = r"\s=,;|()\[\]{}\"'<>:#"
_PART = re.compile(rf"[^{_APART}]+|[=,;|()\[\]{{}}\"'<>:#]+")
WORD = re.compile(rf"[^{_APART}]+")
_BETWEEN = re.compile(rf"[{_APART}]+")
_HAS_DIGIT = re.compile(r"\d")
_HEX = re.compile(r"[0-9a-fA-F]+")
_NUMBERED = re.compile(r"([A-Za-z][A-Za-z_-]*[A-Za-z])-?\d{1,3}\W*")
_QUANTITY = re.compile(r"(?:[kKMGTP]i?)?B|[mun]?s|m?secs?|seconds?|mins?|minutes?|hours?|[kMG]?Hz")
_LETTERS = re.compile(r"[^\W\d]+")
_EDGE = ".-*!?+~^"
_DATES = frozenset(
    (
        "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
        "Oct", "Nov", "Dec", "UTC", "GMT", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "CET", "CEST", "BST",
        "IST", "JST", "MSK",
    )
)  # fmt: skip
_NAMING = frozenset(("user", "host", "account", "username", "hostname", "login"))
_TELLING = frozenset(
    (
        "msg",
        "message",
        "event",
        "error",
        "err",
        "level",
        "lvl",
        "severity",
        "reason",
        "status",
        "state",
        "cause",
        "result",
    )
)


class Kind(enum.IntEnum):
    """How likely a word is somebody's value rather than the program's text: from how it looks and where it stands."""

    PLAIN = 0
    STATE = 1
    """ALL CAPITALS: one of few, each a fact of its own."""
    TRUTH = 2
    """true or false: never a variable."""
    NAMED = 3
    """Behind a word like user or host."""
    VALUE = 4
    """Behind = or a quotation mark (but not of what tells what happened: msg, reason, status)."""
    DOTTED = 5
    """Host name, mail address, class name: dots, slashes or @ inside."""
    NUMBERED = 6
    """Letters and a number."""
    VARIABLE = 7


Words = tuple[str, ...]
Kinds = tuple[Kind, ...]


def words_of(text: str, kinds: list[Kind] | None = None) -> Words:
    """The words of `text`, at most 64; none only for a text without letters and digits. Their kinds are added to
    `kinds`."""
    words: list[str] = []
    sign = last = ""
    text = simplified(text)
    for part in _PART.findall(text):
        if part[0] in _SIGNS:
            sign = part
            continue
        word = (part if len(part) < 8 else _or_hex(part)) if part.isalpha() else word_of(part)
        if word is VARIABLE or (sign == ":" and last is VARIABLE and len(part) <= 4 and _HEX.fullmatch(part)):
            while words and words[-1] in _DATES:
                words.pop()
                if kinds is not None:
                    kinds.pop()
            if not words or words[-1] is not VARIABLE:
                words.append(VARIABLE)
                if kinds is not None:
                    kinds.append(Kind.VARIABLE)
            last = VARIABLE
        else:
            bare = word.strip(_EDGE)
            if bare and not (last is VARIABLE and _QUANTITY.fullmatch(bare)):
                words.append(word)
                if kinds is not None:
                    kinds.append(_kind(word, sign, last))
                last = bare
        sign = ""
    if len(words) == 1 and words[0] is VARIABLE:
        # nothing but values: the letters in them are all there is to go by
        return ("".join(_LETTERS.findall(text))[:80] + VARIABLE,)
    if kinds is not None:
        del kinds[MAX_WORDS:]
    return tuple(words[:MAX_WORDS])


def parsed(text: str) -> tuple[Words, Kinds]:
    """The words of `text` and their kinds."""
    kinds: list[Kind] = []
    return words_of(text, kinds), tuple(kinds)


def simplified(text: str) -> str:
    """`text`, shortened, with 0 for values that signs would cut into pieces."""
    text = text[:TEXT_CHARS]
    if "/" in text or "\\" in text:
        if "://" in text:
            text = _URL.sub(VALUE, text)
        text = _PATH.sub(VALUE, text)
    if "B)" in text:
        text = _SIZE_AGAIN.sub("", text)
    if "=" in text and ("{" in text or "(" in text or "[" in text):
        text = _THING.sub(VALUE, text)
    if '="' in text or "='" in text:
        text = _QUOTED.sub(_one_word, text)
    if text.count(":") > 4:
        text = _LETTERS_FIRST.sub(VALUE, text)
    if "..." in text:
        text = _FILLING.sub(" ", text)
    return text


def _one_word(match: re.Match[str]) -> str:
    """name="two words": one value, unless it is the message."""
    if match[1].lower() in _TELLING:
        return match[0]
    return f"{match[1]}={_BETWEEN.sub('_', match[2] or match[3] or '')} "


def word_of(part: str) -> str:
    """What stands for a part without white space and signs: itself, <*>, or letters with <*>."""
    if _HAS_DIGIT.search(part):
        numbered = _NUMBERED.fullmatch(part)
        return numbered[1] + VARIABLE if numbered and not _HEX.fullmatch(part) else VARIABLE
    return _or_hex(part) if len(part) >= 8 else part


def _or_hex(part: str) -> str:
    return VARIABLE if _HEX.fullmatch(part) else part


def _kind(word: str, sign: str, before: str) -> Kind:
    if word[-1] == ">":
        return Kind.NUMBERED
    if word in ("true", "false"):
        return Kind.TRUTH
    if sign and sign[-1] in "=\"'" and before.lower() not in _TELLING:
        return Kind.VALUE
    if "/" in word or "@" in word or "\\" in word or "." in word.strip("."):
        return Kind.DOTTED
    if before.lower() in _NAMING:
        return Kind.NAMED
    return Kind.STATE if word.isupper() and len(word) > 1 else Kind.PLAIN
