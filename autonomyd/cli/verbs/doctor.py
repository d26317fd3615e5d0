"""`autonomyctl doctor [FILE]`: whether this machine has what the daemon and its configuration need. Needs no daemon."""

import asyncio
from pathlib import Path
from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb

CODES = {
    exits.OK: "everything needed is there",
    exits.CRITICAL: "something is missing",
    exits.UNKNOWN: "nothing is known to be missing, something could not be told",
}


@verb("doctor", codes=CODES, talks=False)
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.pass_obj
def command(app: App, file: str | None) -> None:
    """Examine configuration, Python packages, commands, container engine, network, DNS and disk; needs no daemon."""
    from autonomyd.host.doctor import configuration, examined
    from autonomyd.monitor.probes import check_kinds
    from autonomyd.settings.load import find_config, load_settings, make_settings
    from autonomyd.settings.problem import ConfigError

    path = Path(file) if file is not None else find_config()
    problem = ""
    try:
        settings = load_settings(path, checks=check_kinds())
    except ConfigError as error:
        problem, settings = str(error), make_settings({})
    found = asyncio.run(examined(settings))
    rows = [
        {"name": each.name, "state": each.state.value, "message": each.message, "advice": each.advice}
        for each in (configuration(problem, str(path or "no file: the built-in defaults")), *found)
    ]
    app.put({"examined": rows}, lambda: _view(rows))
    states = {each["state"] for each in rows}
    code = exits.CRITICAL if "failed" in states else exits.UNKNOWN if "unknown" in states else exits.OK
    click.get_current_context().exit(code)


def _view(rows: list[dict[str, str]]) -> Any:
    from autonomyd.cli.screen import row, stack, state, table, text

    made = table("WHAT", "STATE", "FOUND", "WHAT TO DO", fold="FOUND")
    for each in rows:
        row(made, text(each["name"]), state(each["state"]), text(each["message"]), text(each["advice"]))
    passed = sum(1 for each in rows if each["state"] == "ok")
    return stack([made, text(f"{passed} of {len(rows)} are well.")])
