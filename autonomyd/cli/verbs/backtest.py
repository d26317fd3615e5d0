"""`autonomyctl backtest RULE`: what a rule would have done over recorded history."""

import sys
import threading
import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.spans import span
from autonomyd.control.client import ClientError

TIMEOUT_S = 90.0
LOOK_EVERY_S = 0.5


@verb("backtest")
@click.argument("rule", nargs=-1, required=True)
@click.option("--since", callback=span, default="30d", metavar="SPAN", help="How far back: 12h, 7d, 30d (default).")
@click.pass_obj
def command(app: App, rule: tuple[str, ...], since: float) -> None:
    """Try RULE on recorded history: when would it have raised and cleared, and was it right?

    \b
    RULE is a threshold with its levels in force or with others, or a detector:
      cpu_percent
      cpu_percent enter=70 clear=60 for=5m samples=4 of=5
      rss_mb service:web enter=500
      service:web/rss_mb enter=500
      anomaly host/cpu.percent
      leak service:web/rss_mb bound=500
      rate host/memory.percent change=20 within=5m
      forecast disk:/var/disk.used_percent bound=95 within=3d

    An alarm is right when it overlaps a recorded problem of the same subject, or comes up to an hour before it.
    """
    asked = {"rule": " ".join(rule), "since_s": since}
    answer = with_progress(app, lambda: app.client(TIMEOUT_S).get("/v1/backtest", **asked))
    app.put(answer, lambda: _view(answer))


def with_progress(app: App, ask: Any) -> Any:
    """The answer of `ask`, with a line on stderr meanwhile that tells how far it has come, where a person looks."""
    if app.as_json or not sys.stderr.isatty():
        return ask()
    ended = threading.Event()
    teller = threading.Thread(target=_tell, args=(app, ended), daemon=True)
    teller.start()
    try:
        return ask()
    finally:
        ended.set()
        teller.join(LOOK_EVERY_S)
        click.echo("\r\x1b[K", nl=False, err=True)


def _tell(app: App, ended: threading.Event) -> None:
    while not ended.wait(LOOK_EVERY_S):
        try:
            now = app.get("/v1/workbench")
        except ClientError:
            continue
        if now["of"] and not ended.is_set():
            click.echo(f"\r\x1b[K{now['done']} of {now['of']} series", nl=False, err=True)


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.backtest import backtest_view

    return backtest_view(answer, time.time())
