"""`autonomyctl service start|stop|restart NAME`: a person's wish, which autonomyd respects."""

import sys
from collections.abc import Callable
from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, NotDone, VerbCommand, suggest, verb
from autonomyd.cli.complete import service_names
from autonomyd.cli.words import clean, listed
from autonomyd.control.client import ApiError, ClientError, quoted

TIMEOUT_S = 120.0
CODES = {exits.OK: "done", exits.NOT_DONE: "tried, and it did not come about"}
_DOING = {"start": "Starting", "stop": "Stopping", "restart": "Restarting"}
_BAD = ("ineffective", "worsened", "rolled_back", "rollback_failed", "failed")


@click.group("service", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Start, stop or restart a service, and wait until it is so."""


def _act(app: App, act: str, name: str) -> None:
    if sys.stderr.isatty() and not app.as_json:
        click.echo(f"{_DOING[act]} {clean(name)} ...", err=True)
    try:
        answer = app.post(f"/v1/services/{quoted(name)}/{act}", timeout_s=TIMEOUT_S)
    except ApiError as error:
        if error.status == 409:
            raise NotDone(error.status, error.message, error.hint) from None
        raise suggest(error, name, _known(app)) from None
    done = succeeded(answer)
    app.put(answer, lambda: _view(answer, act, name, done))
    click.get_current_context().exit(exits.OK if done else exits.NOT_DONE)


def succeeded(answer: Any) -> bool:
    """Whether the act came about, as far as the answer's fix tells."""
    fix = answer.get("fix") or {}
    return fix.get("outcome") not in _BAD and fix.get("state") not in _BAD


def _known(app: App) -> list[str]:
    try:
        return [str(each["name"]) for each in listed(app.get("/v1/services"), "services")]
    except ClientError:
        return []


def _view(answer: Any, act: str, name: str, done: bool) -> Any:
    from autonomyd.cli.screen import BAD, FINE, OLD, line, mark, stack

    head = mark(done).append(" ").append_text(line((f"{name}: {answer.get('message') or act}", FINE if done else BAD)))
    reminder = (
        "It stays stopped, also after a restart of the daemon, until you start it." if act == "stop" and done else ""
    )
    return stack([head, line((f"  {reminder}", OLD)) if reminder else None])


def _verb(act: str, words: str) -> VerbCommand:
    def call(app: App, name: str) -> None:
        _act(app, act, name)

    call.__doc__ = words
    decorated: Callable[..., Any] = click.pass_obj(call)
    return verb(act, codes=CODES)(click.argument("name", shell_complete=service_names)(decorated))


command.add_command(_verb("start", "Start the service NAME after what it depends on; it is healed again from now on."))
command.add_command(_verb("stop", "Stop the service NAME and wait for its exit; it is not healed until started again."))
command.add_command(_verb("restart", "Restart the service NAME and wait until its checks pass."))
