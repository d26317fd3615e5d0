"""`autonomyctl graph`: who needs whom."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb


@verb("graph")
@click.pass_obj
def command(app: App) -> None:
    """The services and what they need, as a tree: declared, and as it was seen, with how it is known.

    What was only seen explains and groups problems; the daemon never restarts anything because of it.
    """
    graph = app.get("/v1/graph")
    app.put(graph, lambda: _view(graph))


def _view(graph: Any) -> Any:
    from autonomyd.cli.views.graph import graph_view

    return graph_view(graph, time.time())
