"""`autonomyctl predictions`: what was foretold, and whether it came true."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb


@verb("predictions")
@click.option("--all", "everything", is_flag=True, help="Every verdict that is kept, not only the newest ten.")
@click.pass_obj
def command(app: App, everything: bool) -> None:
    """What is foretold now, how earlier predictions came out, and how good they are as a whole."""
    answer = app.get("/v1/predictions", all=1 if everything else None)
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.predictions import predictions_view

    return predictions_view(answer, time.time())
