"""What every verb shares: --json and --socket, the client, and the two ways out (JSON, or text for eyes)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autonomyd.cli import exits
from autonomyd.control.client import DEFAULT_TIMEOUT_S, ApiError, Client

if TYPE_CHECKING:
    from rich.console import RenderableType

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(slots=True)
class App:
    """One call of autonomyctl."""

    socket: str | None = None
    as_json: bool = False

    def client(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> Client:
        return Client(self.socket, timeout_s)

    def get(self, path: str, **query: Any) -> Any:
        """The wire value of `path`. Raises ClientError."""
        return self.client().get(path, **query)

    def post(self, path: str, body: Any = None, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> Any:
        """The wire value of the answer to `body`. Raises ClientError."""
        return self.client(timeout_s).post(path, body)

    def put(self, value: Any, view: Callable[[], "RenderableType"]) -> None:
        """Print `value` as the one JSON document, or else what `view` makes of it (called only then)."""
        if self.as_json:
            click.echo(json.dumps(value, indent=2))
            return
        from autonomyd.cli.screen import show

        show(view())


class NotDone(ApiError):  # noqa: N818 - an outcome, not a fault
    """The daemon tried what was asked, and it did not come about."""


class VerbCommand(click.Command):
    """A verb: takes --json and --socket besides its own options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(
                ["--json"],
                is_flag=True,
                expose_value=False,
                callback=_remember("as_json"),
                help="Print the daemon's answer as one JSON document; errors too.",
            ),
            click.Option(
                ["--socket"],
                metavar="PATH",
                expose_value=False,
                callback=_remember("socket"),
                help="The daemon's socket; default: the first that answers.",
            ),
        ]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of exit codes, as it is written."""
        if self.epilog:
            formatter.write("\n" + self.epilog.removeprefix("\b\n") + "\n")


def verb(
    name: str, *, codes: dict[int, str] = exits.SHOWN, talks: bool = True
) -> Callable[[Callable[..., Any]], VerbCommand]:
    """Make a function the verb `name`; `codes` are its own exit codes for --help."""
    return click.command(name, cls=VerbCommand, epilog=exits.explained(codes, talks=talks))


def suggest(error: ApiError, wanted: str, known: list[str]) -> ApiError:
    """`error` with the names that `wanted` may have meant, where the daemon did not know it."""
    if error.status != 404 or not known or wanted in known:
        return error
    import difflib

    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    if near:
        return ApiError(404, error.message, f"Did you mean {' or '.join(near)}?")
    some = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    return ApiError(404, error.message, f"There are: {some}")


def _remember(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def remember(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value:
            setattr(ctx.ensure_object(App), field, value)

    return remember
