"""`autonomyctl issues`: the open problems, or all of them."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.words import listed

MOST = 1000


@verb("issues")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@click.pass_obj
def command(app: App, everything: bool) -> None:
    """The open problems: what is wrong, what is being done, what you should do."""
    answer = app.get("/v1/issues", all=1 if everything else None)
    app.put(answer, lambda: _view(answer, everything))


def _view(answer: Any, everything: bool) -> Any:
    from autonomyd.cli.screen import FINE, OLD, line, stack, text
    from autonomyd.cli.views.problems import problems

    items = listed(answer, "issues")
    if not items:
        return line(("No problem was ever seen." if everything else "No open problems.", FINE))
    shown = problems(items, time.time(), most=MOST)
    return stack([shown, text(""), text("`autonomyctl explain NUMBER` tells the whole story of one.", OLD)])
