"""`autonomyctl events`: the daemon's diary."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.words import clean, listed, moment, person, whose


@verb("events")
@click.option("-n", "--limit", type=click.IntRange(1, 10000), default=30, show_default=True, help="How many.")
@click.pass_obj
def command(app: App, limit: int) -> None:
    """What happened, to whom, and who caused it; the newest last."""
    answer = app.get("/v1/events", limit=limit)
    app.put(answer, lambda: _view(listed(answer, "events")))


def _view(events: list[dict[str, Any]]) -> Any:
    from autonomyd.cli.screen import OLD, row, table, text

    if not events:
        return text("Nothing happened yet.")
    now = time.time()
    made = table("WHEN", "WHO", "WHAT", "MESSAGE", "BY", fold="MESSAGE")
    for each in reversed(events):  # the wire has the newest first
        by = person(each["actor"])
        row(
            made,
            text(moment(each["at"], now), OLD),
            text(whose(each["subject"])),
            text(clean(each["kind"]).replace("_", " ")),
            text(each["message"]),
            text("" if by == "autonomyd" else by, OLD),
        )
    return made
