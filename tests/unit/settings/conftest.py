"""Check types made up for the tests, and a configuration file that is written and loaded in one go."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from autonomyd.settings.load import load_settings
from autonomyd.settings.problem import ConfigError, ConfigProblem
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings


class HttpOptions(CheckSettings):
    """Asks for a URL."""

    url: Annotated[str, Field(pattern="^https?://")]
    """What to ask for."""
    status: int | tuple[int, ...] = 200
    """Status of a good answer."""
    latency_ms: float | None = None
    """A slower answer is an issue."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent along."""


class TcpOptions(CheckSettings):
    """Connects."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)]


class HeartbeatOptions(CheckSettings):
    """Looks at a file's age."""

    file: str
    max_age_s: float = 30.0


class CommandOptions(CheckSettings):
    """Runs a program."""

    argv: Annotated[tuple[str, ...], Field(min_length=1)]


@pytest.fixture(scope="session")
def kinds() -> Mapping[str, type[CheckSettings]]:
    return {"http": HttpOptions, "tcp": TcpOptions, "heartbeat": HeartbeatOptions, "command": CommandOptions}


@pytest.fixture
def load(tmp_path: Path, kinds: Mapping[str, type[CheckSettings]]) -> Callable[..., Settings]:
    """load(text, environ=..., overrides=...): the settings of a file with that text."""

    def _load(text: str, **more: Mapping[str, object]) -> Settings:
        path = tmp_path / "autonomyd.toml"
        path.write_text(text, encoding="utf-8")
        return load_settings(path, checks=kinds, **{"environ": {}, **more})

    return _load


@pytest.fixture
def problems(load: Callable[..., Settings]) -> Callable[..., tuple[ConfigProblem, ...]]:
    """The faults that loading such a file tells; none when it loads."""

    def _problems(text: str, **more: Mapping[str, object]) -> tuple[ConfigProblem, ...]:
        try:
            load(text, **more)
        except ConfigError as error:
            return error.problems
        return ()

    return _problems
