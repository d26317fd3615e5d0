"""`autonomyctl playbooks`: what healing chooses from."""

from typing import Any

import click

from autonomyd.cli.app import App, verb


@verb("playbooks")
@click.option("--cause", metavar="CAUSE", help="Only those against this cause.")
@click.pass_obj
def command(app: App, cause: str | None) -> None:
    """Every remedy: against which causes, how harsh, whether it can be taken back; your own files, and refused ones."""
    answer = app.get("/v1/playbooks")
    if cause is not None:
        answer["playbooks"] = [each for each in answer["playbooks"] if cause in each["causes"]]
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.views.playbooks import playbook_view

    return playbook_view(answer)
