"""`autonomyctl surprises [SUBJECT]`: what series did that they never did before."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.complete import service_names
from autonomyd.cli.spans import span


@verb("surprises")
@click.argument("subject", required=False, shell_complete=service_names)
@click.option("--since", callback=span, default="24h", metavar="SPAN", help="How far back: 1h, 24h (default), 7d.")
@click.pass_obj
def command(app: App, subject: str | None, since: float) -> None:
    """The values that their own history did not lead to expect, newest last, and the series that are still learned.
    SUBJECT is a service's name, host, or a subject as `autonomyctl health` shows it: then its metrics are ranked."""
    answer = app.get("/v1/surprises", subject=subject, since_s=since)
    app.put(answer, lambda: _view(answer))


def _view(answer: dict[str, Any]) -> Any:
    from autonomyd.cli.views.surprises import surprises_view

    return surprises_view(answer, time.time())
