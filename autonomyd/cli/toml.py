"""Plain values as TOML, for reading: tables first to last, what is not set as a comment. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_lines(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """The lines of the table `path`: its own values, then its tables (no deeper than two names; below, inline)."""
    inner = {key: value for key, value in values.items() if _is_table(value, path)}
    own = {key: value for key, value in values.items() if key not in inner}
    if path and (own or not inner):
        yield ""
        yield f"[{'.'.join(_key(part) for part in path)}]"
    for key, value in own.items():
        yield f"# {_key(key)} is not set" if value is None else f"{_key(key)} = {inline(value)}"
    for key, value in inner.items():
        yield from toml_lines(value, (*path, key))


def inline(value: Any) -> str:
    """One value on one line; what is not set in a table is left out."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {inline(each)}" for key, each in value.items() if each is not None)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(inline(each) for each in value if each is not None)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _is_table(value: Any, path: tuple[str, ...]) -> bool:
    return isinstance(value, Mapping) and (not path or (path == ("services",) and bool(value)))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
