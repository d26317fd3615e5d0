"""`autonomyctl optimization`: the daemon's own cost and what it changes about it."""

from typing import Any

import click

from autonomyd.cli.app import App, verb


@verb("optimization")
@click.pass_obj
def command(app: App) -> None:
    """What the daemon costs, and the changes to it that were proposed, applied, verified or undone."""
    answer = app.get("/v1/optimization")
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.aims import optimization_view

    return optimization_view(answer)
