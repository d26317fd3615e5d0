"""`autonomyctl why-not [ISSUE] [STRATEGY]`: why each remedy is not used now."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, suggest, verb
from autonomyd.cli.complete import issue_ids
from autonomyd.cli.words import listed
from autonomyd.control.client import ApiError, ClientError, quoted


@verb("why-not")
@click.argument("issue", required=False, shell_complete=issue_ids)
@click.argument("strategy", required=False)
@click.option("--all", "everything", is_flag=True, help="Those for other causes, too.")
@click.pass_obj
def command(app: App, issue: str | None, strategy: str | None, everything: bool) -> None:
    """Each remedy for the problem number ISSUE (default: all open ones), and why it is not used now: which gate
    refuses, how long it must cool down, what it is short of, what comes first. With STRATEGY only that one."""
    number, strategy = _told_apart(issue, strategy)
    path = "/v1/why-not" if number is None else f"/v1/why-not/{quoted(number)}"
    try:
        answer = app.get(path, strategy=strategy)
    except ApiError as error:
        raise _suggested(app, error, number, strategy) from None
    found = answer if isinstance(answer, list) else [answer]
    app.put(answer, lambda: _view(found, everything or strategy is not None))


def _told_apart(issue: str | None, strategy: str | None) -> tuple[str | None, str | None]:
    """(number of the issue, strategy): a first word that is no number is a strategy."""
    if issue is None:
        return None, None
    number = issue.removeprefix("#")
    if number.isdigit():
        return number, strategy
    if strategy is not None:
        raise click.BadParameter(
            "expected the number of an issue, as `autonomyctl issues` shows it", param_hint="ISSUE"
        )
    return None, issue


def _suggested(app: App, error: ApiError, number: str | None, strategy: str | None) -> ApiError:
    try:
        issues = [str(each["issue"]["id"]) for each in listed(app.get("/v1/issues"), "issues")]
        names = [str(each["name"]) for each in app.get("/v1/playbooks")["playbooks"]]
    except ClientError:
        return error
    if number is not None and number not in issues:
        return suggest(error, number, issues)
    return error if strategy is None else suggest(error, strategy, names)


def _view(found: list[dict[str, Any]], everything: bool) -> Any:
    from autonomyd.cli.views.why_not import why_not_view

    return why_not_view(found, time.time(), everything=everything)
