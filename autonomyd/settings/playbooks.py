"""Reads `playbooks.d/*.toml`: a bad file is refused with its line, the others stay."""

import os
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from autonomyd.settings.document import Document, read_document
from autonomyd.settings.locate import nearest
from autonomyd.settings.playbook import NumberStep, Playbook
from autonomyd.settings.problem import ConfigError, ConfigProblem, KeyPath, key_text

MOST_FILES = 200

CheckNumber = Callable[[NumberStep], str]
"""Why the number of a step can't be found exactly once in its file; "" when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookFile:
    """A playbook in force, and where it stands."""

    file: str
    playbook: Playbook


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPlaybook:
    """A file that is not used, with every fault in it."""

    file: str
    problems: tuple[ConfigProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbooks:
    """What the folder holds, by file name."""

    files: tuple[PlaybookFile, ...] = ()
    refused: tuple[RefusedPlaybook, ...] = ()


def load_playbooks(folder: Path, *, taken: Collection[str], check_number: CheckNumber) -> Playbooks:
    """The playbooks of `folder`; none when it is not there. `taken` are names that others have. Reads files: for a
    thread."""
    try:
        paths = sorted(each for each in folder.iterdir() if each.name.endswith(".toml") and each.name[0] != ".")
    except FileNotFoundError:
        return Playbooks()
    except OSError as error:
        return Playbooks(refused=(_refused(folder, f"can't be read: {error.strerror or error}"),))
    names = dict.fromkeys(taken, "a bundled playbook")
    files: list[PlaybookFile] = []
    refused: list[RefusedPlaybook] = []
    for path in paths[:MOST_FILES]:
        try:
            playbook = _read(path, names, check_number)
        except ConfigError as error:
            refused.append(RefusedPlaybook(file=str(path), problems=error.problems))
            continue
        names[playbook.name] = str(path)
        files.append(PlaybookFile(file=str(path), playbook=playbook))
    refused += [_refused(path, f"more than {MOST_FILES} files: this one is not read") for path in paths[MOST_FILES:]]
    return Playbooks(files=tuple(files), refused=tuple(refused))


def _read(path: Path, names: dict[str, str], check_number: CheckNumber) -> Playbook:
    """Raises ConfigError."""
    document = read_document(path)
    if os.stat(path).st_mode & stat.S_IWOTH:
        raise ConfigError([ConfigProblem(file=str(path), message="everybody may write this file", hint="chmod o-w it")])
    try:
        playbook = Playbook.model_validate(dict(document.data))
    except ValidationError as error:
        raise ConfigError(_problems(document, error.errors(include_url=False))) from None
    faults = [_placed(document, key, words) for key, words in _faults(playbook, names, check_number)]
    if faults:
        raise ConfigError(faults)
    return playbook


def _faults(playbook: Playbook, names: dict[str, str], check_number: CheckNumber) -> Iterator[tuple[KeyPath, str]]:
    if playbook.name in names:
        yield ("name",), f"the name {playbook.name!r} is taken by {names[playbook.name]}"
    yield from playbook.faults()
    for index, step in enumerate(playbook.steps):
        if isinstance(step, NumberStep) and (words := check_number(step)):
            yield ("steps", index, "key" if step.pattern is None else "pattern"), words


def _problems(document: Document, errors: list[ErrorDetails]) -> list[ConfigProblem]:
    from autonomyd.settings.suggest import did_you_mean, keys_at  # needed only for a bad file
    from autonomyd.settings.wording import message_of

    found = []
    paths = [_true_path(error, document) for error in errors]
    for error, path in zip(errors, paths, strict=True):
        if error["type"] == "too_short" and any(each[: len(path)] == path != each for each in paths):
            continue  # not empty: what is in it is wrong
        hint = ""
        if error["type"] == "extra_forbidden":
            hint = did_you_mean(str(path[-1]), keys_at(Playbook, path[:-1], document.data, {}))
        found.append(_placed(document, path, message_of(error, path), hint))
    return sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0))


def _true_path(error: ErrorDetails, document: Document) -> KeyPath:
    """Without the tag of the union's member, which pydantic adds."""
    path: list[str | int] = []
    data: object = document.data
    for part in error["loc"]:
        if isinstance(data, dict) and "type" in data and part == data["type"] and part not in data:
            continue
        path.append(part)
        try:
            data = data[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            data = None
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        path.append("type")
    return tuple(path)


def _placed(document: Document, path: KeyPath, message: str, hint: str = "") -> ConfigProblem:
    line, column = nearest(document.positions(), path) or (None, None)
    return ConfigProblem(file=document.file, line=line, column=column, key=key_text(path), message=message, hint=hint)


def _refused(path: Path, message: str) -> RefusedPlaybook:
    return RefusedPlaybook(file=str(path), problems=(ConfigProblem(file=str(path), message=message),))
