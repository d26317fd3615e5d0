"""`autonomyctl explain ISSUE`: the story of one problem."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, suggest, verb
from autonomyd.cli.complete import issue_ids
from autonomyd.cli.words import listed
from autonomyd.control.client import ApiError, ClientError, quoted


@verb("explain")
@click.argument("issue", shell_complete=issue_ids)
@click.pass_obj
def command(app: App, issue: str) -> None:
    """Why the problem number ISSUE is there, every gate with what it saw, what was done, what comes next."""
    number = issue.removeprefix("#")
    if not number.isdigit():
        raise click.BadParameter(
            "expected the number of an issue, as `autonomyctl issues` shows it", param_hint="ISSUE"
        )
    try:
        story = app.get(f"/v1/issues/{quoted(number)}")
    except ApiError as error:
        raise suggest(error, number, _known(app)) from None
    app.put(story, lambda: _view(story))


def _known(app: App) -> list[str]:
    try:
        items: list[dict[str, Any]] = listed(app.get("/v1/issues", all=1), "issues")
    except ClientError:
        return []
    return [str(each["issue"]["id"]) for each in items]


def _view(story: Any) -> Any:
    from autonomyd.cli.views.story import story_view

    return story_view(story, time.time())
