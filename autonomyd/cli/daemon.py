"""The entry of `autonomyd`: reads the command line, sets up logging, and hands over to control.daemon."""

import gc
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autonomyd._version import __version__
from autonomyd.cli import exits
from autonomyd.cli.words import clean

if TYPE_CHECKING:
    from autonomyd.model.status import SystemStatus

CODES = {
    exits.OK: "ended in order",
    exits.USAGE: "wrong usage",
    exits.CANT_CREATE: "the state folder or the control socket can not be used",
    exits.TRY_LATER: "another autonomyd runs with this state folder",
    exits.CONFIG: "the configuration can not be used",
}
_SUBCOMMANDS = {
    "drill": ("autonomyd.drill.command", "drill", "Break small services on purpose and show how each is healed.")
}


class DaemonGroup(click.Group):
    """`autonomyd` runs the daemon; its subcommands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUBCOMMANDS:
            return None
        module, name, _ = _SUBCOMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, _, words) in _SUBCOMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        codes = "\n".join(f"  {code:<3} {meaning}" for code, meaning in CODES.items())
        formatter.write(f"\nExit codes:\n{codes}\n")


@click.group(cls=DaemonGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-c", "--config", metavar="FILE", type=click.Path(dir_okay=False), help="Configuration; default: found.")
@click.option("--state-dir", metavar="FOLDER", type=click.Path(file_okay=False), help="Where it keeps what it knows.")
@click.option("--socket", metavar="PATH", type=click.Path(), help="Where it listens.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Least important line logged."
)
@click.option(
    "--log-format", type=click.Choice(["auto", "console", "json"]), help="auto: text on a terminal, else JSON."
)
@click.version_option(__version__, prog_name="autonomyd", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, config: str | None, **options: str | None) -> None:
    """Watch this machine and its services, heal what dies, and tell. Runs in the foreground until a signal."""
    if ctx.invoked_subcommand is None:
        ctx.exit(run(None if config is None else Path(config).absolute(), overrides_of(options)))


def overrides_of(options: dict[str, str | None]) -> dict[str, Any]:
    """The options that were given, as the tables of the configuration; paths are made absolute."""
    given = {key: value for key, value in options.items() if value is not None}
    for key in ("state_dir", "socket"):
        if key in given:
            given[key] = str(Path(given[key] or "").absolute())
    return {"daemon": given} if given else {}


def run(config: Path | None, overrides: dict[str, Any]) -> int:
    """Run the daemon to its end and return the exit code; the known reasons for not starting are told on stderr."""
    gc.disable()  # imports leave no garbage, and looking for it is a tenth of the start; Daemon.run enables it
    from autonomyd.cli.logging import configure_logging

    wanted = overrides.get("daemon", {})
    configure_logging(wanted.get("log_level", "info"), wanted.get("log_format", "auto"))
    from autonomyd.control.daemon import run_daemon
    from autonomyd.host.lock import AlreadyRunning
    from autonomyd.settings.problem import ConfigError

    try:
        return run_daemon(
            config,
            overrides,
            on_settings=lambda settings: configure_logging(settings.log_level, settings.log_format),
            on_ready=_greeter(),
        )
    except ConfigError as error:
        return _tell(str(error), exits.CONFIG)
    except AlreadyRunning as error:
        return _tell(f"autonomyd: {error}", exits.TRY_LATER)
    finally:
        gc.enable()


def main() -> None:
    """The console script."""
    try:
        code = cli.main(prog_name="autonomyd", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(exits.USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(exits.INTERRUPTED)
    sys.exit(code if isinstance(code, int) else exits.OK)


def _greeter() -> "Callable[[SystemStatus], None]":
    """What prints the greeting on a terminal, and nothing elsewhere."""

    def greet(status: "SystemStatus") -> None:
        if not sys.stdout.isatty():
            return
        from autonomyd.cli.greeting import greeting
        from autonomyd.model.wire import plain

        click.echo(greeting(plain(status), command=_control_command()))

    return greet


def _control_command() -> str:
    """How autonomyctl is called here: by its name where the shell finds it, else by its path beside this program."""
    beside = Path(sys.argv[0]).absolute().with_name("autonomyctl")
    return "autonomyctl" if shutil.which("autonomyctl") or not beside.exists() else str(beside)


def _tell(message: str, code: int) -> int:
    for line in message.splitlines():
        click.echo(clean(line), err=True)
    return code


if __name__ == "__main__":
    main()
