"""`autonomyctl logs [SERVICE]`: the last lines of a log, safe for a terminal."""

import click

from autonomyd.cli.app import App, suggest, verb
from autonomyd.cli.complete import service_names
from autonomyd.cli.words import clean, listed
from autonomyd.control.client import ApiError, ClientError


@verb("logs")
@click.argument("service", required=False, shell_complete=service_names)
@click.option("-n", "--lines", type=click.IntRange(1, 10000), default=50, show_default=True, help="How many lines.")
@click.pass_obj
def command(app: App, service: str | None, lines: int) -> None:
    """The last lines of the log of SERVICE; without SERVICE, the daemon's diary."""
    try:
        answer = app.get("/v1/logs", service=service, lines=lines)
    except ApiError as error:
        raise suggest(error, service or "", _known(app) if service else []) from None
    if app.as_json:
        app.put(answer, lambda: "")
        return
    if answer.get("source"):
        click.echo(f"-- {clean(answer['source'])}", err=True)
    for each in answer.get("lines") or ["(nothing)"]:
        click.echo(clean(each))


def _known(app: App) -> list[str]:
    try:
        return [str(each["name"]) for each in listed(app.get("/v1/services"), "services")]
    except ClientError:
        return []
