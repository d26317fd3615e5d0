"""The settings in force: a reload takes a good file, and keeps the last good one when the file is bad."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autonomyd.settings.load import NOTHING, find_config, load_settings
from autonomyd.settings.problem import ConfigError
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadResult:
    """`settings` are those in force after the reload; `error` is set, and `ok` false, when the old ones stayed."""

    ok: bool
    settings: Settings
    error: ConfigError | None = None


class SettingsSource:
    """Holds the settings in force. Making one loads them; it raises ConfigError as `load_settings` does."""

    def __init__(
        self,
        path: Path | None,
        *,
        checks: Mapping[str, type[CheckSettings]],
        overrides: Mapping[str, Any] = NOTHING,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._checks = checks
        self._overrides = overrides
        self._environ = environ
        self._path = path if path is not None else find_config(environ)
        self._current = self._load()
        self._error: ConfigError | None = None

    @property
    def current(self) -> Settings:
        """The settings in force."""
        return self._current

    @property
    def path(self) -> Path | None:
        """The file they come from; None while there is none."""
        return self._path

    @property
    def error(self) -> ConfigError | None:
        """Why the last reload was refused; None after a good one."""
        return self._error

    def reload(self) -> ReloadResult:
        """Read everything again. A file that was found once must stay: without it, the old ones stay in force."""
        if self._path is None:
            self._path = find_config(self._environ)
        try:
            self._current = self._load()
        except ConfigError as error:
            self._error = error
            return ReloadResult(ok=False, settings=self._current, error=error)
        self._error = None
        return ReloadResult(ok=True, settings=self._current)

    def _load(self) -> Settings:
        # load_settings looks for a file itself when it gets None: the same search that found none a moment ago.
        return load_settings(self._path, checks=self._checks, overrides=self._overrides, environ=self._environ)
