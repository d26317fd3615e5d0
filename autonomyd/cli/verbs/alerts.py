"""`autonomyctl alerts`: what people were told, and whether it reached them."""

import time
from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb
from autonomyd.cli.words import clean

TIMEOUT_S = 120.0
CODES = {exits.OK: "shown; with --test: every target took the message", exits.NOT_DONE: "with --test: one did not"}


@verb("alerts", codes=CODES)
@click.argument("what", type=click.Choice(["digest"]), required=False)
@click.option("--test", is_flag=True, help="Send a test message to every target and say what came of it.")
@click.pass_obj
def command(app: App, what: str | None, test: bool) -> None:
    """The alerts: what needs you, what was sent, what could not be. With `digest`: what healed by itself."""
    if test:
        _test(app)
    elif what == "digest":
        digest = app.get("/v1/alerts/digest")
        app.put(digest, lambda: _digest(digest["text"]))
    else:
        answer = app.get("/v1/alerts")
        app.put(answer, lambda: _view(answer))


def _test(app: App) -> None:
    results = app.post("/v1/alerts/test", timeout_s=TIMEOUT_S)
    app.put(results, lambda: _results(results))
    click.get_current_context().exit(exits.OK if all(each["ok"] for each in results) else exits.NOT_DONE)


def _results(results: Any) -> Any:
    from autonomyd.cli.screen import mark, row, table, text

    made = table("", "TARGET", "RESULT", fold="RESULT")
    for each in results:
        row(made, mark(each["ok"]), text(each["target"]), text(each["message"]))
    return made


def _digest(words: str) -> Any:
    from autonomyd.cli.screen import FINE, line, stack, text

    if not words:
        return line(("Nothing had to be healed since the last digest.", FINE))
    return stack([text(line_of) if clean(line_of) else text("") for line_of in words.splitlines()])


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.alerts import alerts_view

    return alerts_view(answer, time.time())
