"""`autonomyctl services`: every service with its checks and figures."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.words import listed


@verb("services")
@click.pass_obj
def command(app: App) -> None:
    """The services with their state, every check, and what their processes use."""
    answer = app.get("/v1/services")
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.services import service_details

    return service_details(listed(answer, "services"), time.time())
