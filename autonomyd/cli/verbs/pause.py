"""`autonomyctl pause`: automation stops, observation goes on."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.exits import OK
from autonomyd.cli.spans import span


@verb("pause", codes={OK: "paused"})
@click.option("--for", "for_s", callback=span, metavar="SPAN", help="How long: 30m, 1h, 2d; default: until `resume`.")
@click.option("--reason", default="", metavar="TEXT", help="Why; shown in status.")
@click.pass_obj
def command(app: App, for_s: float | None, reason: str) -> None:
    """Stop automation: nothing is healed or changed until it is resumed. Watching goes on."""
    answer = app.post("/v1/pause", {"for_s": for_s, "reason": reason})
    app.put(answer, lambda: _view(for_s))


def _view(for_s: float | None) -> Any:
    from autonomyd.cli.screen import WAITING, line
    from autonomyd.cli.words import duration, moment

    now = time.time()
    until = (
        "until `autonomyctl resume`" if for_s is None else f"for {duration(for_s)}, until {moment(now + for_s, now)}"
    )
    return line((f"Automation is paused {until}.", WAITING), " Watching goes on.")
