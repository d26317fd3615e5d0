"""`autonomyctl outcomes`: what was learned from; `--export` writes it as JSON Lines."""

import json
import time
from typing import Any, TextIO

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.words import listed

EXPORTED = 100_000
TIMEOUT_S = 60.0


@verb("outcomes")
@click.option(
    "-n", "--limit", type=click.IntRange(1, EXPORTED), default=20, show_default=True, help="How many, newest first."
)
@click.option(
    "--export",
    "target",
    type=click.File("w", encoding="utf-8"),
    metavar="FILE",
    help="Write all of them as JSON Lines, oldest first; - is stdout.",
)
@click.pass_obj
def command(app: App, limit: int, target: TextIO | None) -> None:
    """Every outcome that was learned from, and every word of a person about one."""
    if target is None:
        answer = app.get("/v1/outcomes", limit=limit)
        app.put(answer, lambda: _view(answer))
        return
    lessons = listed(app.client(TIMEOUT_S).get("/v1/outcomes", limit=EXPORTED), "outcomes")
    for each in reversed(lessons):
        target.write(json.dumps(each, separators=(",", ":")) + "\n")


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.trust import outcome_table

    return outcome_table(listed(answer, "outcomes"), time.time())
