"""A span of time as an option's value: 30s, 15m, 1h30m, 2d."""

import click

from autonomyd.cli.words import seconds_of


def span(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """The callback of an option: its text as seconds. None stays None."""
    try:
        return None if value is None else seconds_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
