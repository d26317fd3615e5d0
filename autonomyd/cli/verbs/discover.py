"""`autonomyctl discover`: services that listen or run as units, proposed as configuration."""

from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.exits import OK
from autonomyd.cli.words import clean, count, listed

TIMEOUT_S = 60.0


@verb("discover", codes={OK: "shown, or written"})
@click.option("--write", is_flag=True, help="Add the proposals to the configuration file.")
@click.pass_obj
def command(app: App, write: bool) -> None:
    """Find services that could be watched. The proposals only watch (autonomy = "observe") until you allow more."""
    if write:
        answer = app.post("/v1/discover", {"write": True}, timeout_s=TIMEOUT_S)
        app.put(answer, lambda: _written(answer))
        return
    answer = app.client(TIMEOUT_S).get("/v1/discover")
    app.put(answer, lambda: _view(answer))


def _view(answer: Any) -> Any:
    from autonomyd.cli.screen import OLD, TITLE, indented, line, row, stack, table, text

    found = listed(answer.get("services") or [])
    if not found:
        return text("Nothing was found that is not watched already.")
    made = table("NAME", "CONTROL", "WHY", fold="WHY")
    for each in found:
        row(made, text(each["name"], TITLE), text(each["kind"]), text(each["why"], OLD))
    toml = [indented(text(each)) for each in str(answer.get("toml") or "").splitlines()]
    hint = text("`autonomyctl discover --write` adds them to the configuration file.", OLD)
    head = line((count(len(found), "service"), TITLE), " could be watched:")
    return stack([head, indented(made), text(""), *toml, text(""), hint])


def _written(answer: Any) -> Any:
    from autonomyd.cli.screen import FINE, OLD, line, stack, text

    added = [clean(each) for each in answer.get("added") or []]
    if not added:
        return text("Nothing to add: what was found is watched already.")
    head = line((f"{count(len(added), 'service')} added", FINE), f" to {clean(answer.get('file'))}: {', '.join(added)}")
    return stack([head, text('They are only watched. Set autonomy = "act" where autonomyd may heal.', OLD)])
