"""Other levels of thresholds in the text of a configuration file; every other byte stays. Pure: it writes no file."""

import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple

from autonomyd.settings.locate import locate, spans

TABLE = "thresholds"


class NotRewritten(ValueError):  # noqa: N818 - a person has to do it
    """The text is written in a way that can't be changed safely; says what to do."""


class Levels(NamedTuple):
    """The new levels of one threshold."""

    enter: float
    clear: float


def with_levels(text: str, levels: Mapping[str, Levels]) -> str:
    """`text` (valid TOML) with the `levels` of thresholds by name. A plain number stays one: its clear level follows
    from it. Raises NotRewritten."""
    changed = text
    for name, level in reversed(list(levels.items())):  # new lines go to the top of a table
        changed = _with(changed, name, level)
    _prove(text, changed, levels)
    return changed


def _with(text: str, name: str, level: Levels) -> str:
    found = spans(text)
    for base in ((TABLE, name), (TABLE, "custom", name)):
        if base in found:
            return _spliced(text, {found[base]: level.enter})
        enter, clear = found.get((*base, "enter")), found.get((*base, "clear"))
        if enter is not None:
            return _spliced(text, {enter: level.enter} | ({clear: level.clear} if clear is not None else {}))
    return _inserted(text, name, level)


def _spliced(text: str, values: Mapping[tuple[int, int], float]) -> str:
    for (start, end), value in sorted(values.items(), reverse=True):
        text = f"{text[:start]}{_written(value)}{text[end:]}"
    return text


def _inserted(text: str, name: str, level: Levels) -> str:
    """A new line below the header of the threshold's own table, else of all thresholds, else at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    starts = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]
    places = locate(text)
    for path, key in (((TABLE, name), "enter"), ((TABLE,), name)):
        place = places.get(path)
        if place is not None and text[starts[place.line - 1] :].lstrip().startswith("["):
            after = next((start for start in starts[place.line :]), len(text))
            before = "" if text[:after].endswith("\n") else newline
            return f"{text[:after]}{before}{key} = {_written(level.enter)}{newline}{text[after:]}"
    gap = "" if not text else newline if text.endswith("\n") else 2 * newline
    return f"{text}{gap}[{TABLE}]{newline}{name} = {_written(level.enter)}{newline}"


def _prove(before: str, after: str, levels: Mapping[str, Levels]) -> None:
    """Nothing but the levels differs."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
    except ValueError as error:
        raise NotRewritten(f"set them by hand: {_words(levels)} ({error})") from None
    for name, level in levels.items():
        if _taken(new, name) != level.enter:
            raise NotRewritten(f"set it by hand: {_words({name: level})}")
        _taken(old, name)
    for tables in (old, new):
        if not tables.get(TABLE):
            tables.pop(TABLE, None)
    if old != new:
        raise NotRewritten(f"set them by hand: {_words(levels)}")


def _taken(tables: dict[str, Any], name: str) -> object:
    """Remove the levels of a threshold, and return the entering one."""
    thresholds = tables.get(TABLE, {})
    custom = thresholds.get("custom")
    for table in (thresholds, custom if isinstance(custom, dict) else {}):
        value = table.get(name)
        if isinstance(value, dict):
            value.pop("clear", None)
            enter = value.pop("enter", None)
            if not value:
                del table[name]
            return enter
        if value is not None:
            return table.pop(name)
    return None


def _written(value: float) -> str:
    return f"{value:.12g}"


def _words(levels: Mapping[str, Levels]) -> str:
    return ", ".join(f"{name} = {_written(level.enter)}" for name, level in levels.items())
