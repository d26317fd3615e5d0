"""`[logs]`: the rules for log lines, and what is learned from the logs of services."""

from typing import Annotated

from pydantic import Field

from autonomyd.settings.base import Table


class LogsSettings(Table):
    """The rules for log lines, and what is learned from the logs of services."""

    rules: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """Folder of your own rules (*.toml), relative to the configuration file; default: rules.d beside it."""
    learn: bool = True
    """Read the logs of all services, learn what they ordinarily say, and tell what is new, surging or gone."""
    max_templates: int = Field(default=500, ge=10, le=10_000)
    """Kinds of lines that are remembered of one log; the rarest are forgotten first."""
