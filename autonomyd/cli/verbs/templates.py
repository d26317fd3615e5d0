"""`autonomyctl templates SERVICE`: what its logs ordinarily say."""

from typing import Any
from urllib.parse import quote

import click

from autonomyd.cli.app import App, suggest, verb
from autonomyd.cli.complete import service_names
from autonomyd.cli.words import listed
from autonomyd.control.client import ApiError, ClientError


@verb("templates")
@click.argument("service", shell_complete=service_names)
@click.option("-n", "--lines", type=click.IntRange(1, 200), default=20, show_default=True, help="How many of each log.")
@click.option("--examples", is_flag=True, help="With the newest line of each.")
@click.pass_obj
def command(app: App, service: str, lines: int, examples: bool) -> None:
    """The kinds of lines in the logs of SERVICE with their counts; what is new or surging is marked."""
    try:
        answer = app.get(f"/v1/templates/{quote(service, safe='')}")
    except ApiError as error:
        raise suggest(error, service, _known(app)) from None
    app.put(answer, lambda: _view(answer, lines, examples))


def _view(answer: Any, lines: int, examples: bool) -> Any:
    from autonomyd.cli.views.templates import templates_view

    return templates_view(answer, most=lines, examples=examples)


def _known(app: App) -> list[str]:
    try:
        return [str(each["name"]) for each in listed(app.get("/v1/services"), "services")]
    except ClientError:
        return []
