"""`autonomyctl timeline [SUBJECT]`: what changed, what moved, what broke and what was done, in order of time."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, suggest, verb
from autonomyd.cli.complete import service_names
from autonomyd.cli.spans import span
from autonomyd.cli.words import listed
from autonomyd.control.client import ApiError, ClientError


@verb("timeline")
@click.argument("subject", required=False, shell_complete=service_names)
@click.option("--since", callback=span, default="24h", metavar="SPAN", help="How far back: 1h, 24h (default), 7d.")
@click.pass_obj
def command(app: App, subject: str | None, since: float) -> None:
    """Changes, shifts of level, problems and fixes in order of time; an arrow names the change that something is likely
    due to. SUBJECT is a service's name, host, or a subject as `autonomyctl health` shows it."""
    try:
        answer = app.get("/v1/timeline", subject=subject, since_s=since)
    except ApiError as error:
        raise suggest(error, subject or "", _known(app)) from None
    app.put(answer, lambda: _view(answer))


def _known(app: App) -> list[str]:
    try:
        return [str(each["name"]) for each in listed(app.get("/v1/services"), "services")] + ["host"]
    except ClientError:
        return []


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.timeline import timeline_view

    return timeline_view(listed(answer), time.time())
