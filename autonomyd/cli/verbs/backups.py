"""`autonomyctl backups`: what fixes saved before they wrote into files."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.words import listed


@verb("backups")
@click.pass_obj
def command(app: App) -> None:
    """The backups: when, for which service and why, which files, how large; `rollback ID` puts one back."""
    answer = app.get("/v1/backups")
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.backups import backup_table

    return backup_table(listed(answer, "backups"), time.time())
