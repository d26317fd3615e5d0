"""Reads `playbooks.d/*.toml`: a bad file is refused with its line, the others stay."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from autonomyd.settings.folder import RefusedFile, own_document, own_files, placed, problems_of
from autonomyd.settings.playbook import NumberStep, Playbook
from autonomyd.settings.problem import ConfigError, KeyPath

CheckNumber = Callable[[NumberStep], str]
"""Why the number of a step can't be found exactly once in its file; "" when it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookFile:
    """A playbook in force, and where it stands."""

    file: str
    playbook: Playbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbooks:
    """What the folder holds, by file name."""

    files: tuple[PlaybookFile, ...] = ()
    refused: tuple[RefusedFile, ...] = ()


def load_playbooks(folder: Path, *, taken: Collection[str], check_number: CheckNumber) -> Playbooks:
    """The playbooks of `folder`; none when it is not there. `taken` are names that others have. Reads files: for a
    thread."""
    paths, unread = own_files(folder)
    names = dict.fromkeys(taken, "a bundled playbook")
    files: list[PlaybookFile] = []
    refused: list[RefusedFile] = []
    for path in paths:
        try:
            playbook = _read(path, names, check_number)
        except ConfigError as error:
            refused.append(RefusedFile(file=str(path), problems=error.problems))
            continue
        names[playbook.name] = str(path)
        files.append(PlaybookFile(file=str(path), playbook=playbook))
    refused += [RefusedFile(file=problem.file, problems=(problem,)) for problem in unread]
    return Playbooks(files=tuple(files), refused=tuple(refused))


def _read(path: Path, names: dict[str, str], check_number: CheckNumber) -> Playbook:
    """Raises ConfigError."""
    document = own_document(path)
    try:
        playbook = Playbook.model_validate(dict(document.data))
    except ValidationError as error:
        raise ConfigError(problems_of(Playbook, document, error.errors(include_url=False))) from None
    faults = [placed(document, key, words) for key, words in _faults(playbook, names, check_number)]
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
