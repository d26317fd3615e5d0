"""`autonomyctl deny NUMBER`: say no to a plan."""

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.complete import approval_ids
from autonomyd.cli.exits import OK
from autonomyd.cli.views.answers import answer_approval


@verb("deny", codes={OK: "denied"})
@click.argument("number", shell_complete=approval_ids)
@click.pass_obj
def command(app: App, number: str) -> None:
    """Say no to the plan NUMBER: it is not done for this problem, and the no is learned from."""
    answer_approval(app, number, "deny")
