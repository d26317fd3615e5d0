"""Reads and changes one number of a file's content; every other byte stays. Bytes in, bytes out: it writes no file."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from types import ModuleType

from autonomyd.host.editing import source
from autonomyd.host.editing.place import MAX_BYTES, EditRefused, NoParser, Place, is_whole, number_of, written
from autonomyd.host.editing.place import line_of as _line_of

_BOM = "\ufeff"
_STRICT = frozenset({"toml", "yaml", "json"})
"""Formats that are UTF-8 by definition."""
STRUCTURED = ("toml", "yaml", "json", "ini", "env")
_BY_SUFFIX: Mapping[str, str] = {
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".ini": "ini",
    ".cfg": "ini",
    ".env": "env",
    ".py": "source",
}


def format_of(path: str) -> str | None:
    """The format that a file's name tells; None when it tells none."""
    name = path.rpartition("/")[2]
    return next((kind for suffix, kind in _BY_SUFFIX.items() if name.endswith(suffix)), None)


def problem_of(content: bytes, path: str) -> str:
    """Why the content does not parse as what the file's name says; "" when it does, or when nothing can tell."""
    kind = format_of(path)
    if kind is None or len(content) > MAX_BYTES:
        return ""
    try:
        _check(_text(content, kind), kind, path)
    except NoParser:
        return ""
    except EditRefused as refused:
        return str(refused)
    return ""


def keys_changed(before: bytes, after: bytes, path: str) -> tuple[str, ...] | None:
    """The dotted keys whose value differs, in the order of the newer text; None when either does not parse or the
    format is not known. No values: they may be secrets."""
    kind = format_of(path)
    if kind not in STRUCTURED:
        return None
    try:
        old, new = (_values(_text(content, kind), kind) for content in (before, after))
    except EditRefused:
        return None
    return tuple(key for key in dict.fromkeys((*new, *old)) if old.get(key) != new.get(key))


def read_number(content: bytes, *, path: str, kind: str, key: str) -> tuple[float, bool]:
    """The number at `key` (for `source`: the group of the pattern), and whether it is written as a whole one.

    Raises EditRefused when it is not there exactly once, is no plain number, or the file does not parse."""
    text = _text(content, kind)
    _check(text, kind, path)
    place = _only(text, kind, key)
    literal = text[place.start : place.end]
    return number_of(literal), is_whole(literal)


def with_number(content: bytes, value: float, *, path: str, kind: str, key: str) -> bytes:
    """The content with `value` at `key`, parsed again and the number read back. Raises EditRefused."""
    text = _text(content, kind)
    _check(text, kind, path)
    place = _only(text, kind, key)
    literal = written(value, like=text[place.start : place.end])
    number_of(text[place.start : place.end])
    changed = text[: place.start] + literal + text[place.end :]
    edited = (_BOM if content.startswith(_BOM.encode()) else "") + changed
    made = edited.encode("utf-8", "surrogateescape")
    found, _ = read_number(made, path=path, kind=kind, key=key)
    if found != value:
        raise EditRefused(f"after the change {key} would read {found:g} and not {value:g}")
    return made


def _text(content: bytes, kind: str) -> str:
    """Undecodable bytes survive as lone surrogates, so that they come back as they were."""
    if len(content) > MAX_BYTES:
        raise EditRefused(f"larger than {MAX_BYTES // 1_000_000} MB; that is no configuration")
    try:
        text = content.decode("utf-8", "strict" if kind in _STRICT else "surrogateescape")
    except UnicodeDecodeError as error:
        raise EditRefused(f"not UTF-8 at byte {error.start}") from None
    if "\0" in text:
        raise EditRefused("it holds NUL bytes; that is no text")
    return text.removeprefix(_BOM)


def _module(kind: str) -> ModuleType:
    if kind not in STRUCTURED:
        raise EditRefused(f"the format {kind!r} is not known; known are {', '.join((*STRUCTURED, 'source'))}")
    return import_module(f"autonomyd.host.editing.{kind}")


def _check(text: str, kind: str, path: str) -> None:
    check: Callable[[str], None] = partial(source.check, path=path) if kind == "source" else _module(kind).check
    check(text)


def _places(text: str, kind: str, key: str) -> Iterator[Place]:
    if kind == "source":
        return source.places(text, key)
    found: Iterator[Place] = _module(kind).places(text)
    return found


def _values(text: str, kind: str) -> dict[str, list[str]]:
    _check(text, kind, "")
    found: dict[str, list[str]] = {}
    for place in _places(text, kind, ""):
        found.setdefault(_dotted(place), []).append(text[place.start : place.end])
    return found


def _only(text: str, kind: str, key: str) -> Place:
    """The one place of `key`, which no other path shares. Raises EditRefused."""
    everywhere = list(_places(text, kind, key))
    found = [place for place in everywhere if kind == "source" or _dotted(place) == key]
    name = f"the pattern {key}" if kind == "source" else f"the key {key!r}"
    if not found:
        raise EditRefused(f"{name} is not there" if kind != "source" else f"{name} matches nowhere")
    if len(found) > 1:
        lines = ", ".join(str(_line_of(text, place.start)) for place in found[:5])
        verb = "matches" if kind == "source" else "is there"
        raise EditRefused(f"{name} {verb} {len(found)} times (lines {lines}); it must be exactly once")
    if sum(place.start == found[0].start for place in everywhere) > 1:
        raise EditRefused(f"{name} shares its value with another one (an alias); changing it would change both")
    return found[0]


def _dotted(place: Place) -> str:
    return ".".join(str(part) for part in place.path)
