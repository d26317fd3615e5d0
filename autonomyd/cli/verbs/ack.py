"""`autonomyctl ack ALERT`: you look after it."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.exits import OK
from autonomyd.cli.spans import span
from autonomyd.control.client import quoted


@verb("ack", codes={OK: "acknowledged"})
@click.argument("alert")
@click.option("--for", "for_s", callback=span, metavar="SPAN", help="How long: 30m, 2h, 1d; default: until it is over.")
@click.pass_obj
def command(app: App, alert: str, for_s: float | None) -> None:
    """Say that you look after the alert number ALERT: no more reminders, nobody else is called."""
    number = alert.removeprefix("#")
    if not number.isdigit():
        raise click.BadParameter(
            "expected the number of an alert, as `autonomyctl alerts` shows it", param_hint="ALERT"
        )
    answer = app.post(f"/v1/alerts/{quoted(number)}/ack", {"for_s": for_s})
    app.put(answer, lambda: _view(answer, for_s))


def _view(answer: Any, for_s: float | None) -> Any:
    from autonomyd.cli.screen import FINE, line
    from autonomyd.cli.words import clean, duration, moment

    now = time.time()
    until = "until it is over" if for_s is None else f"for {duration(for_s)}, until {moment(now + for_s, now)}"
    return line((f"Alert {answer['id']} is yours {until}: ", FINE), clean(answer["summary"]))
