"""`autonomyctl fixes`: what was done, and what it did."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.words import listed


@verb("fixes")
@click.option(
    "-n", "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first."
)
@click.pass_obj
def command(app: App, limit: int) -> None:
    """The fixes: when, what was done, what validation observed, who asked for it."""
    answer = app.get("/v1/fixes", limit=limit)
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.acts import fix_table

    return fix_table(listed(answer, "fixes"), time.time())
