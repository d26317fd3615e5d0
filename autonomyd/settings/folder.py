"""Folders of a person's own files (playbooks.d, rules.d): which are read, and where in a file a fault stands."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from autonomyd.settings.document import Document, read_document
from autonomyd.settings.locate import nearest
from autonomyd.settings.problem import ConfigError, ConfigProblem, KeyPath, key_text

MOST_FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFile:
    """What of a file is not used, with every fault in it."""

    file: str
    problems: tuple[ConfigProblem, ...]


def own_files(folder: Path) -> tuple[list[Path], list[ConfigProblem]]:
    """The *.toml of `folder` by name, none when it is not there; and why some of them are not read. For a thread."""
    try:
        paths = sorted(each for each in folder.iterdir() if each.name.endswith(".toml") and each.name[0] != ".")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [ConfigProblem(file=str(folder), message=f"can't be read: {error.strerror or error}")]
    over = f"more than {MOST_FILES} files: this one is not read"
    return paths[:MOST_FILES], [ConfigProblem(file=str(path), message=over) for path in paths[MOST_FILES:]]


def own_document(path: Path) -> Document:
    """The values of one file. Raises ConfigError, also when everybody may write it."""
    document = read_document(path)
    if os.stat(path).st_mode & stat.S_IWOTH:
        raise ConfigError([ConfigProblem(file=str(path), message="everybody may write this file", hint="chmod o-w it")])
    return document


def problems_of(
    model: type[BaseModel], document: Document, errors: Sequence[ErrorDetails], at: KeyPath = ()
) -> list[ConfigProblem]:
    """What pydantic finds wrong with the values at `at`, each with its line, the first in the file first."""
    from autonomyd.settings.suggest import did_you_mean, keys_at  # needed only for a bad file
    from autonomyd.settings.wording import message_of

    values: Any = document.data
    for part in at:
        values = values[part]
    found = []
    paths = [_true_path(error, values) for error in errors]
    for error, path in zip(errors, paths, strict=True):
        if error["type"] == "too_short" and any(each[: len(path)] == path != each for each in paths):
            continue  # not empty: what is in it is wrong
        hint = ""
        if error["type"] == "extra_forbidden":
            hint = did_you_mean(str(path[-1]), keys_at(model, path[:-1], values, {}))
        found.append(placed(document, (*at, *path), message_of(error, path), hint))
    return sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0))


def placed(document: Document, path: KeyPath, message: str, hint: str = "") -> ConfigProblem:
    """A problem with the key at `path`, or where that would stand."""
    line, column = nearest(document.positions(), path) or (None, None)
    return ConfigProblem(file=document.file, line=line, column=column, key=key_text(path), message=message, hint=hint)


def _true_path(error: ErrorDetails, values: Any) -> KeyPath:
    """Without the tag of the union's member, which pydantic adds."""
    path: list[str | int] = []
    data = values
    for part in error["loc"]:
        if isinstance(data, dict) and "type" in data and part == data["type"] and part not in data:
            continue
        path.append(part)
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            data = None
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        path.append("type")
    return tuple(path)
