"""What is wrong with a configuration, for people: where, which key, what was expected."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autonomyd.model.secrets import masked

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SECRET_KEY = re.compile(r"pass|pwd|secret|token|api_?key|credential|auth|dsn|private|cookie|ping_url", re.IGNORECASE)
_SECRET_TABLES = frozenset({"env", "headers", "targets", "escalation"})
"""Their values are secrets whatever the keys: the URL of a target of alerts is made of tokens."""
_QUERY = re.compile(r"(://[^?\s]*\?)\S+")
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigProblem:
    """One fault. `file` is the path, or what else the value came from ("environment variable X", "command line");
    `line` and `column` count from 1 and are None where there are none; `key` is the full dotted key, or empty."""

    file: str
    line: int | None = None
    column: int | None = None
    key: str = ""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        if self.line is not None and self.column is not None and not self.key:
            place = f"{place}:{self.column}"
        words = f"{self.message}; {self.hint}" if self.hint else self.message
        return ": ".join(part for part in (place, self.key, words) if part)


class ConfigError(Exception):
    """The configuration can't be used. `problems` holds all faults, str() one line for each."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def key_text(path: KeyPath) -> str:
    """("services", "web", "checks", 0, "port") to services.web.checks[0].port; odd keys are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else json.dumps(part))
    return text


def shown(value: Any, path: KeyPath) -> str:
    """`value` for a message, on one line, short, and without what looks like a secret."""
    if is_secret(path):
        return "a value that is not shown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _cut(json.dumps(_QUERY.sub(r"\1***", masked(value)), ensure_ascii=False))
    if isinstance(value, int | float):
        return _cut(f"{value}")
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else "a date or time"


def is_secret(path: KeyPath) -> bool:
    """Whether the value at `path` is likely a secret, by the names of its key and of the tables around it."""
    names = [part for part in path if isinstance(part, str)]
    return any(name in _SECRET_TABLES for name in names[:-1]) or bool(names and _SECRET_KEY.search(names[-1]))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
