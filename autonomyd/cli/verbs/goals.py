"""`autonomyctl goals`: the wished states, and how far they are."""

from typing import Any

import click

from autonomyd.cli.app import App, verb


@verb("goals")
@click.pass_obj
def command(app: App) -> None:
    """What the daemon works toward, with progress measured from the targets."""
    goals = app.get("/v1/goals")
    app.put(goals, lambda: _view(goals))


def _view(goals: Any) -> Any:
    from autonomyd.cli.views.aims import goals_view

    return goals_view(goals)
