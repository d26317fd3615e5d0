"""`autonomyctl resume`: the end of a pause."""

from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.exits import OK


@verb("resume", codes={OK: "automation acts again"})
@click.pass_obj
def command(app: App) -> None:
    """Let automation act again after `pause`."""
    answer = app.post("/v1/resume")
    app.put(answer, _view)


def _view() -> Any:
    from autonomyd.cli.screen import FINE, line

    return line(("Automation acts again.", FINE))
