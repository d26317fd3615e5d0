"""`autonomyctl always NUMBER`: allow a remedy for good; `--revoke SERVICE STRATEGY` takes that back."""

from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.complete import approval_ids
from autonomyd.cli.exits import NOT_DONE, OK
from autonomyd.cli.views.answers import answer_approval
from autonomyd.cli.words import listed


@verb("always", codes={OK: "allowed or revoked", NOT_DONE: "allowed for good, and not done now"})
@click.argument("number", required=False, shell_complete=approval_ids)
@click.option("--revoke", nargs=2, metavar="SERVICE STRATEGY", help="End the standing consent; `host` is the machine.")
@click.pass_obj
def command(app: App, number: str | None, revoke: tuple[str, str] | None) -> None:
    """Allow the remedy of the plan NUMBER for its cause on its service from now on, without being asked."""
    if (number is None) == (revoke is None):
        raise click.UsageError("give the number of an approval, or --revoke SERVICE STRATEGY")
    if number is not None:
        answer_approval(app, number, "always")
        return
    service, strategy = revoke or ("", "")
    body = {"service": "" if service == "host" else service, "strategy": strategy}
    answer = app.post("/v1/consents/revoke", body)
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.screen import line, stack

    return stack(
        [
            line(f"{each['strategy']} on {each['service'] or 'the machine'} is asked about again ({each['cause']}).")
            for each in listed(answer, "consents")
        ]
    )
