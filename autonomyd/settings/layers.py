"""Merges what file, environment and command line say, and validates it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from autonomyd.settings.document import Document
from autonomyd.settings.environment import Environment
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings

Checks = Mapping[str, type[CheckSettings]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The three things that speak, weakest first."""

    document: Document
    environment: Environment
    overrides: Mapping[str, Any]

    def merged(self) -> dict[str, Any]:
        """One tree: the command line over the environment over the file."""
        return _over(_over(dict(self.document.data), self.environment.tables), self.overrides)


def validated(data: Mapping[str, Any], checks: Checks) -> tuple[Settings | None, list[ErrorDetails]]:
    """Settings, or what pydantic found wrong."""
    # BaseSettings.__init__ would read the environment again and takes no validation context, through which the
    # checks' own options come in; so this does what BaseModel.__init__ does.
    settings = Settings.__new__(Settings)
    try:
        Settings.__pydantic_validator__.validate_python(dict(data), self_instance=settings, context={"checks": checks})
    except ValidationError as error:
        return None, error.errors(include_url=False)
    return settings, []


def _over(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: tables key by key, everything else whole."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, Mapping) else value
    return merged
