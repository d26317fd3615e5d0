"""`autonomyctl reload`: the configuration, read again."""

from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb

TIMEOUT_S = 60.0


@verb("reload", codes={exits.OK: "in force", exits.CONFIG: "refused; the old configuration stays in force"})
@click.pass_obj
def command(app: App) -> None:
    """Read the configuration again. A bad file is refused and the old one stays in force."""
    answer = app.post("/v1/reload", timeout_s=TIMEOUT_S)
    app.put(answer, lambda: _view(answer))
    click.get_current_context().exit(exits.OK if answer.get("ok") else exits.CONFIG)


def _view(answer: Any) -> Any:
    from autonomyd.cli.screen import BAD, FINE, line, mark, stack, text

    done = bool(answer.get("ok"))
    lines = str(answer.get("message") or ("in force" if done else "refused")).splitlines()
    head = mark(done).append(" ").append_text(line((lines[0], FINE if done else BAD)))
    rest = [text(f"  {each}") for each in lines[1:]]
    return stack([head, *rest])
