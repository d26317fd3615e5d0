"""`autonomyctl forecast`: when what is bounded will be full."""

from typing import Any

import click

from autonomyd.cli.app import App, verb


@verb("forecast")
@click.pass_obj
def command(app: App) -> None:
    """When disks, inodes, memory, descriptors, connections and quotas will be full: soonest first, between when and
    when (80 of 100 such intervals hold the truth), how fast, and how earlier forecasts of the same series fared."""
    answer = app.get("/v1/forecast")
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.forecast import forecast_view

    return forecast_view(answer)
