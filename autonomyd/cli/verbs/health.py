"""`autonomyctl health`: every subject with its reason."""

from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb


@verb("health", codes=exits.HEALTH)
@click.pass_obj
def command(app: App) -> None:
    """The health of the machine and of every subject, with the reason."""
    health = app.get("/v1/health")
    app.put(health, lambda: _view(health))
    click.get_current_context().exit(exits.of_health(health["status"]))


def _view(health: Any) -> Any:
    from autonomyd.cli.views.health import health_view

    return health_view(health)
