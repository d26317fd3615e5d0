"""The entry of `autonomyctl`: finds the verb, imports only its file, and turns errors into words and exit codes."""

import json
import sys
from collections.abc import Mapping
from importlib import import_module

import click

from autonomyd._version import __version__
from autonomyd.cli import exits
from autonomyd.cli.app import App, NotDone
from autonomyd.cli.words import clean
from autonomyd.control.client import ApiError, ClientError, Denied

# verb: its line in --help. The file is verbs/<verb>.py (with _ for -). Grouped as a person looks for them.
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Look": {
        "status": "One screen: is all well, what is wrong, what is being done.",
        "health": "The health of every subject, with the reason.",
        "services": "The services with their checks and figures.",
        "graph": "Who needs whom: declared, and as it was seen.",
        "metrics": "The measured values; with a NAME its chart.",
        "backtest": "What a rule would have done over recorded history.",
        "forecast": "When disks, memory and other bounded things will be full.",
        "events": "The daemon's diary, newest last.",
        "surprises": "What series did that they never did, and which are still learned.",
        "timeline": "What changed, moved, broke and was done, in order of time.",
        "logs": "The log of a service, or the daemon's diary.",
        "templates": "What the logs of a service ordinarily say.",
    },
    "Problems and what is done about them": {
        "issues": "The open problems.",
        "alerts": "What needs you, and whether you were told.",
        "ack": "Say that you look after an alert.",
        "explain": "One problem as a story: why, every gate, what next.",
        "why-not": "Each remedy, and why it is not used now.",
        "fixes": "What was done, and what it did.",
        "backups": "The files that fixes changed, as they were before.",
        "approvals": "What waits for your word.",
        "approve": "Allow a plan once.",
        "deny": "Say no to a plan.",
        "always": "Allow a remedy for good, or take that back.",
        "trust": "How every fix fared, what it may do, what it deserves.",
        "outcomes": "What was learned from; --export as JSON Lines.",
        "risk": "How likely what went wrong goes wrong again.",
        "predictions": "What is foretold, and whether it came true.",
        "playbooks": "The remedies there are, your own among them.",
        "goals": "What the daemon works toward.",
        "optimization": "What the daemon changes about its own cost.",
    },
    "Act": {
        "service": "Start, stop or restart a service.",
        "rollback": "Put back the files that a fix changed.",
        "pause": "Stop automation; watching goes on.",
        "resume": "Let automation act again.",
        "check": "Run all checks now.",
    },
    "Set up": {
        "discover": "Find services that could be watched.",
        "doctor": "Examine what this machine lacks; needs no daemon.",
        "tune": "Thresholds as recorded history would have them.",
        "config": "Check a configuration file, or show the one in force.",
        "reload": "Read the configuration again.",
        "completion": "Print the completion script of your shell.",
    },
}
VERBS: Mapping[str, str] = {name: line for lines in SECTIONS.values() for name, line in lines.items()}


# click before 8.2 has no such error: it prints the help itself
_NO_ARGUMENTS: tuple[type[click.UsageError], ...] = tuple(
    filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)])
)


class VerbGroup(click.Group):
    """A group whose verbs are known by name before their files are imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"autonomyd.cli.verbs.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            ctx.fail(unknown_verb(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()))


def unknown_verb(name: str) -> str:
    """The message for a verb that does not exist, with the one that may have been meant."""
    import difflib

    near = difflib.get_close_matches(name, VERBS, n=1, cutoff=0.5)
    return f"there is no verb {clean(name)!r}" + (f"; did you mean {near[0]!r}?" if near else "; see --help")


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--socket", metavar="PATH", help="The daemon's socket; default: $AUTONOMYD_SOCKET, the system's, yours.")
@click.version_option(__version__, prog_name="autonomyctl", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, socket: str | None) -> None:
    """Look at what autonomyd sees and does, and tell it what to do.

    Every verb takes --json. Exit codes are in each verb's --help.
    """
    ctx.obj = App(socket=socket)


def run(arguments: list[str]) -> int:
    """Carry out one call and return its exit code; errors go to stderr, with --json as JSON to stdout."""
    as_json = "--json" in arguments
    try:
        code = cli.main(arguments, prog_name="autonomyctl", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else exits.OK
    except ClientError as error:
        return _tell(error.message, error.hint, _code_of(error), as_json)
    except _NO_ARGUMENTS as error:
        error.show()
        return exits.USAGE
    except click.ClickException as error:
        help_line = (
            f"See `{error.ctx.command_path} --help`." if isinstance(error, click.UsageError) and error.ctx else ""
        )
        return _tell(error.format_message(), help_line, exits.USAGE, as_json)
    except (click.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except BrokenPipeError:  # `autonomyctl events | head`: the reader has enough
        _forget_stdout()
        return exits.OK


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? where it has no letter
    sys.exit(run(sys.argv[1:]))


def _code_of(error: ClientError) -> int:
    if isinstance(error, NotDone):
        return exits.NOT_DONE
    if isinstance(error, ApiError):
        return exits.REFUSED
    return exits.DENIED if isinstance(error, Denied) else exits.NO_DAEMON


def _tell(message: str, hint: str, code: int, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"error": {"message": message, "hint": hint}}, indent=2))
    else:
        lead = click.style("autonomyctl:", fg="red") if _coloured(sys.stderr.isatty()) else "autonomyctl:"
        click.echo(f"{lead} {clean(message)}", err=True)
        for line in hint.splitlines():
            click.echo(f"  {clean(line)}", err=True)
    return code


def _coloured(terminal: bool) -> bool:
    import os

    return terminal and not os.environ.get("NO_COLOR")


def _forget_stdout() -> None:
    """Keep the interpreter's last flush from failing once more."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
