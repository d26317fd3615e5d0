"""`autonomyctl approvals`: what waits for a person's word."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.words import listed


@verb("approvals")
@click.option("--all", "everything", is_flag=True, help="Those that are decided or over, too.")
@click.pass_obj
def command(app: App, everything: bool) -> None:
    """The plans that wait for you: what would be done, why, until when. Without an answer nothing is done."""
    answer = app.get("/v1/approvals", all=1 if everything else None)
    app.put(answer, lambda: _view(answer, everything))


def _view(answer: Any, everything: bool) -> Any:
    from autonomyd.cli.screen import FINE, OLD, line, stack, text
    from autonomyd.cli.views.trust import approval_table

    items = listed(answer, "approvals")
    if not items:
        return line(("Nothing was ever asked." if everything else "Nothing waits for you.", FINE))
    hint = "`autonomyctl approve NUMBER`, `deny NUMBER`, or `always NUMBER` for good."
    return stack([approval_table(items, time.time()), text(""), text(hint, OLD)])
