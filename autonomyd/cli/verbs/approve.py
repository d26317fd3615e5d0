"""`autonomyctl approve NUMBER`: allow a plan once."""

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.complete import approval_ids
from autonomyd.cli.exits import NOT_DONE, OK
from autonomyd.cli.views.answers import answer_approval


@verb("approve", codes={OK: "allowed, and begun", NOT_DONE: "allowed or too late, and not done now"})
@click.argument("number", shell_complete=approval_ids)
@click.pass_obj
def command(app: App, number: str) -> None:
    """Allow the plan NUMBER once. Everything is judged again first: the other gates must be open, the plan the same."""
    answer_approval(app, number, "approve")
