"""The SQL, which lives in files: named statements (queries/*.sql) and numbered migrations (migrations/*.sql)."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements() -> Mapping[str, str]:
    """Every named statement by its name. Raises ValueError when two carry one name."""
    found: dict[str, str] = {}
    for file in sorted(files("autonomyd.knowledge").joinpath("queries").iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".sql"):
            continue
        _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"two statements are named {name}")
            found[name] = text.strip().removesuffix(";")
    return MappingProxyType(found)


@cache
def migrations() -> tuple[tuple[int, str], ...]:
    """(number, SQL script) of each migration, in order; the number becomes the database's `user_version`."""
    folder = files("autonomyd.knowledge").joinpath("migrations")
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".sql")}
    return tuple((int(name.partition("_")[0]), texts[name]) for name in sorted(texts))
