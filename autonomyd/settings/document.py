"""One TOML file: its values, and on demand the place of each key."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autonomyd.settings.problem import ConfigError, ConfigProblem, KeyPath

if TYPE_CHECKING:
    from autonomyd.settings.locate import Position

MAX_FILE_BYTES = 1_000_000

_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The values of a file. Without arguments: no file."""

    file: str = ""
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def positions(self) -> "Mapping[KeyPath, Position]":
        """Where each key stands. Scans the whole text: for the case of a fault only."""
        from autonomyd.settings.locate import locate  # not needed by a good file

        try:
            return locate(self.text)
        except (RecursionError, IndexError):  # deeper than the scanner goes, or stranger: a fault without its line
            return {}


def read_document(path: Path) -> Document:
    """The file's values. Raises ConfigError when it can't be read, is too large, no UTF-8, or no TOML."""
    text = _decoded(path, _read(path))
    try:
        return Document(file=str(path), text=text, data=tomllib.loads(text))
    except RecursionError:
        raise ConfigError([ConfigProblem(file=str(path), message="lists or tables are nested too deeply")]) from None
    except ValueError as error:
        raise ConfigError([_syntax_problem(path, text, str(error))]) from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([ConfigProblem(file=str(path), message=f"can't be read: {reason}")]) from None
    if len(content) > MAX_FILE_BYTES:
        message = f"larger than {MAX_FILE_BYTES // 1_000_000} MB; that is no configuration"
        raise ConfigError([ConfigProblem(file=str(path), message=message)])
    return content


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        problem = ConfigProblem(
            file=str(path),
            line=before.count(b"\n") + 1,
            column=len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1,
            message=f"not UTF-8 (byte 0x{content[error.start]:02x})",
        )
        raise ConfigError([problem]) from None


def _syntax_problem(path: Path, text: str, message: str) -> ConfigProblem:
    from autonomyd.settings.wording import syntax_message  # not needed by a good file

    match = _PLACE.fullmatch(message)
    if match is None:
        return ConfigProblem(file=str(path), message=syntax_message(message))
    lines = text.split("\n")
    line, column = (int(match[2]), int(match[3])) if match[2] else (len(lines), len(lines[-1]) + 1)
    return ConfigProblem(file=str(path), line=line, column=column, message=syntax_message(match[1]))
