"""`[dependencies]`: how calls to things outside (databases, the container API, webhooks) are kept bounded."""

from typing import Annotated

from pydantic import Field

from autonomyd.settings.base import Table


class DependencySettings(Table):
    """Bounds on the calls to one server; each server of a kind is counted on its own."""

    failures: int = Field(default=3, ge=2, le=5)
    """Failures in a row after which it is left alone."""
    recovery_s: Annotated[float, Field(ge=30, le=120)] = 30.0
    """How long it is left alone before one call tries it again."""
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """The longest that one call may take; a check has its own `timeout_s`."""
    concurrent: int = Field(default=4, ge=1, le=100)
    """How many calls may run at once; more wait."""


class DependenciesSettings(Table):
    """How calls to things outside are kept bounded. Checks go on looking at a server that is left alone (they are what
    notices that it works again); everything else leaves it alone."""

    redis: DependencySettings = Field(default_factory=DependencySettings)
    """Redis servers."""
    postgres: DependencySettings = Field(default_factory=DependencySettings)
    """PostgreSQL servers."""
    mysql: DependencySettings = Field(default_factory=DependencySettings)
    """MySQL and MariaDB servers."""
    containers: DependencySettings = Field(default_factory=DependencySettings)
    """The container engine's API."""
    alerts: DependencySettings = Field(default_factory=lambda: DependencySettings(timeout_s=30.0))
    """Each target of alerts; `timeout_s` is for one message."""
