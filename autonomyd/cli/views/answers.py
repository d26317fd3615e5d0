"""What `approve`, `deny` and `always` share: one number, one answer, one line."""

from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App
from autonomyd.control.client import quoted

TIMEOUT_S = 30.0


def answer_approval(app: App, number: str, word: str) -> None:
    """Give the answer and end with its exit code."""
    digits = number.removeprefix("#")
    if not digits.isdigit():
        raise click.BadParameter("expected a number, as `autonomyctl approvals` shows it", param_hint="NUMBER")
    answer = app.post(f"/v1/approvals/{quoted(digits)}/{word}", timeout_s=TIMEOUT_S)
    app.put(answer, lambda: _view(answer))
    done = answer.get("begun") or word == "deny"
    click.get_current_context().exit(exits.OK if done else exits.NOT_DONE)


def _view(answer: Any) -> Any:
    from autonomyd.cli.screen import FINE, WAITING, line

    approval = answer["approval"]
    return line((f"#{approval['id']}: {answer['message']}.", FINE if answer["begun"] else WAITING))
