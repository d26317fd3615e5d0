"""`autonomyctl check`: all probes, now."""

from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb
from autonomyd.cli.words import clean, count, duration, listed

TIMEOUT_S = 120.0
CODES = {
    exits.OK: "every check passed",
    exits.CRITICAL: "a check failed",
    exits.UNKNOWN: "none failed, some are unknown",
}


@verb("check", codes=CODES)
@click.pass_obj
def command(app: App) -> None:
    """Run all checks now and show what each found."""
    answer = app.post("/v1/check", timeout_s=TIMEOUT_S)
    readings: list[dict[str, Any]] = listed(answer, "readings")
    app.put(answer, lambda: _view(readings))
    states = {each["state"] for each in readings}
    code = exits.CRITICAL if "failed" in states else exits.UNKNOWN if "unknown" in states else exits.OK
    click.get_current_context().exit(code)


def _view(readings: list[dict[str, Any]]) -> Any:
    from autonomyd.cli.screen import OLD, row, stack, state, table, text

    made = table("SUBJECT", "CHECK", "STATE", "TOOK", "MESSAGE", right=("TOOK",), fold="MESSAGE")
    for each in sorted(
        readings, key=lambda each: (each["state"] == "ok", clean(each["subject"]), clean(each["probe"]))
    ):
        took = "" if each["duration_ms"] is None else duration(each["duration_ms"] / 1000.0)
        row(
            made,
            text(each["subject"]),
            text(each["probe"]),
            state(each["state"]),
            text(took, OLD),
            text(each["message"]),
        )
    passed = sum(1 for each in readings if each["state"] == "ok")
    return stack([made if readings else None, text(f"{passed} of {count(len(readings), 'look')} passed.")])
