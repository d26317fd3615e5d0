"""`autonomyctl trust`: how every remedy fared, what it may do, what it has deserved."""

import time
from typing import Any

import click

from autonomyd.cli.app import App, verb
from autonomyd.cli.complete import service_names
from autonomyd.cli.exits import OK


@verb("trust", codes={OK: "shown, or changed"})
@click.option("--calibration", is_flag=True, help="How right the daemon's own confidence has been.")
@click.option("--raise", "raised", metavar="SERVICE", shell_complete=service_names, help="Trust its fixes again.")
@click.option("--release", "released", metavar="SERVICE", shell_complete=service_names, help="End their quarantine.")
@click.option("--fix", default="", metavar="STRATEGY", help="With --raise or --release: only this one.")
@click.pass_obj
def command(app: App, calibration: bool, raised: str | None, released: str | None, fix: str) -> None:
    """Per service and fix: how often it helped, what it may do now, the level that its record speaks for, and why.

    A fix that keeps failing loses trust by itself. Only you give it back: --raise SERVICE (`host` for the machine)."""
    if raised is not None and released is not None:
        raise click.UsageError("give --raise or --release, not both")
    if fix and raised is None and released is None:
        raise click.UsageError("--fix goes with --raise or --release")
    if raised is not None:
        answer = app.post("/v1/trust/raise", {"service": raised, "strategy": fix})
    elif released is not None:
        answer = app.post("/v1/trust/release", {"service": released, "strategy": fix})
    else:
        answer = app.get("/v1/trust")
    app.put(answer, lambda: _view(answer, calibration))


def _view(answer: Any, calibration: bool) -> Any:
    from autonomyd.cli.views.trust import calibration_view, trust_view

    return calibration_view(answer["calibration"]) if calibration else trust_view(answer, time.time())
