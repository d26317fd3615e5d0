"""`autonomyctl tune --propose`: thresholds as recorded history would have them, as a diff. Writes nothing."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.spans import span
from autonomyd.cli.verbs.backtest import TIMEOUT_S, with_progress


@verb("tune")
@click.option("--propose", is_flag=True, required=True, help="Show what would be changed; nothing is written.")
@click.option("--since", callback=span, default="30d", metavar="SPAN", help="How far back: 7d, 30d (default), 90d.")
@click.pass_obj
def command(app: App, propose: bool, since: float) -> None:
    """Learn thresholds from what this machine usually does, and show them as a diff of the configuration file.

    A level is proposed where ordinary time (without recorded problems) stays well below it, and where it would have
    alarmed at most twice a month. It takes a week of history.
    """
    answer = with_progress(app, lambda: app.client(TIMEOUT_S).get("/v1/tune", since_s=since))
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.tune import tune_view

    return tune_view(answer, time.time())
