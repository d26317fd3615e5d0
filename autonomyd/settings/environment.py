"""AUTONOMYD_SECTION__KEY: settings by environment variable.

A value is text, or a JSON array or object for what is one. Key names are written in capitals; the name of a service
is written in capitals with _ for every other character (`AUTONOMYD_SERVICES__MY_APP__START_GRACE_S`).
Not settings, and left alone: variables without a double underscore, except a whole table in JSON (`AUTONOMYD_CLEANUP`).
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from autonomyd.settings.base import FromEnvironment
from autonomyd.settings.problem import KeyPath

PREFIX = "AUTONOMYD_"
SEPARATOR = "__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the environment says: nested tables, and which variable each key path came from."""

    tables: dict[str, Any]
    variables: Mapping[KeyPath, str]

    def variable_of(self, path: KeyPath, *, inside: bool = False) -> str | None:
        """The variable that set `path` or something around it, or with `inside` something in it, if one did."""
        for length in range(len(path), 0, -1):
            if name := self.variables.get(path[:length]):
                return name
        within = (name for other, name in self.variables.items() if inside and other[: len(path)] == path)
        return next(within, None)


def read_environment(
    environ: Mapping[str, str], *, sections: Iterable[str], services: Iterable[str] = ()
) -> Environment:
    """The settings in `environ`. An empty value means "not set". `sections` are the tables that may be given whole,
    `services` the names that the file knows, so that MY_APP finds my-app."""
    whole = {f"{PREFIX}{section.upper()}" for section in sections}
    by_variable = {_as_variable(name): name for name in services}
    tables: dict[str, Any] = {}
    variables: dict[KeyPath, str] = {}
    for variable in sorted(environ, key=lambda name: (name.count(SEPARATOR), name)):
        text = environ[variable]
        if not text or not (variable in whole or (variable.startswith(PREFIX) and SEPARATOR in variable)):
            continue
        path = _key_path(variable.removeprefix(PREFIX), by_variable)
        _put(tables, path, _value(text))
        variables[path] = variable
    return Environment(tables=tables, variables=variables)


class EnvironmentSource(PydanticBaseSettingsSource):
    """The environment as a source of `Settings()` that is made without a file."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value = self().get(field_name)
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        return read_environment(os.environ, sections=self.settings_cls.model_fields).tables


def _as_variable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _key_path(name: str, services: Mapping[str, str]) -> tuple[str, ...]:
    """DAEMON__LOG_LEVEL to ("daemon", "log_level"); what follows ENV is the name of a variable and keeps its case."""
    path: list[str] = []
    for part in name.split(SEPARATOR):
        if path == ["services"]:
            path.append(services.get(part.upper(), part.lower()))
        else:
            path.append(part if path and path[-1] == "env" else part.lower())
    return tuple(path)


def _value(text: str) -> Any:
    """Arrays and objects are JSON; what is no JSON stays text, and is refused where no text is allowed."""
    if text.lstrip()[:1] in {"[", "{"}:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return FromEnvironment(text)


def _put(tables: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    inner = tables
    for part in path[:-1]:
        if not isinstance(inner.get(part), dict):
            inner[part] = {}
        inner = inner[part]
    inner[path[-1]] = value
