"""`autonomyctl status`: one screen, and an exit code that a script can use."""

import os
import sys
import time
from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb
from autonomyd.control.client import ClientError

DEFAULT_WATCH_S = 2.0
_TO_SECOND_SCREEN, _TO_FIRST_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _END_LINE, _END_SCREEN = "\x1b[H", "\x1b[K\n", "\x1b[J"


@verb("status", codes=exits.HEALTH)
@click.option(
    "--watch",
    is_flag=False,
    flag_value=str(DEFAULT_WATCH_S),
    type=click.FloatRange(min=0.2),
    metavar="[SECONDS]",
    help="Draw the screen again every SECONDS (2) until Ctrl-C.",
)
@click.pass_obj
def command(app: App, watch: float | None) -> None:
    """Is all well, what is wrong, what is being done about it, what should you do."""
    if watch is not None:
        if app.as_json:
            raise click.UsageError("--watch draws a screen; with --json call status again instead")
        click.get_current_context().exit(_watch(app, watch))
    status = app.get("/v1/status")
    app.put(status, lambda: _view(status))
    click.get_current_context().exit(exits.of_health(status["health"]["status"]))


def _view(status: Any) -> Any:
    from autonomyd.cli.views.status import status_view

    return status_view(status)


def _watch(app: App, every_s: float) -> int:
    """Redraw until Ctrl-C; the exit code is that of the last look."""
    terminal = sys.stdout.isatty()
    code = exits.UNKNOWN
    sys.stdout.write(_TO_SECOND_SCREEN if terminal else "")
    try:
        while True:
            drawn, code = _look(app)
            sys.stdout.write(_fitted(drawn, every_s) if terminal else drawn + "\n")
            sys.stdout.flush()
            time.sleep(every_s)
    except KeyboardInterrupt:
        return code
    finally:
        sys.stdout.write(_TO_FIRST_SCREEN if terminal else "")
        sys.stdout.flush()


def _look(app: App) -> tuple[str, int]:
    """The screen as text, and the exit code that belongs to it."""
    from autonomyd.cli.screen import BAD, line, make_console, stack

    console = make_console()
    with console.capture() as capture:
        try:
            status = app.get("/v1/status")
        except ClientError as error:
            code = exits.NO_DAEMON
            console.print(stack([line((error.message, BAD)), line(error.hint), line(("trying again ...", "dim"))]))
        else:
            code = exits.of_health(status["health"]["status"])
            console.print(_view(status))
    return capture.get(), code


def _fitted(drawn: str, every_s: float) -> str:
    """The screen cut to the terminal's height, written over the last one without a flicker."""
    height = os.get_terminal_size(sys.stdout.fileno()).lines or 24  # a serial line knows no size
    lines = drawn.rstrip("\n").split("\n")
    if len(lines) > height - 2:
        lines = [*lines[: height - 3], f"... and {len(lines) - height + 3} more lines: make the window taller"]
    lines += ["", f"{time.strftime('%H:%M:%S')}, again every {every_s:g} s; Ctrl-C ends"]
    return _HOME + _END_LINE.join(lines[-1:] if height < 4 else lines) + "\x1b[K" + _END_SCREEN
