"""`autonomyctl risk`: how likely what went wrong goes wrong again."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb

MOST = 20


@verb("risk")
@click.option("--all", "everything", is_flag=True, help="Every component and pattern, not only the riskiest 20.")
@click.pass_obj
def command(app: App, everything: bool) -> None:
    """Per component and pattern the risk of the next 24 h: by frequency, and by the times between; what each of the two
    has been worth so far (Brier score: 0 is perfect, 0.25 is a coin), and which one is used."""
    answer = app.get("/v1/risk")
    app.put(answer, lambda: _view(answer, everything))


def _view(answer: Any, everything: bool) -> Any:
    from autonomyd.cli.views.risk import risk_view

    return risk_view(answer, time.time(), most=len(answer["rows"]) if everything else MOST)
