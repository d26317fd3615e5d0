"""TOML: tomllib judges, the settings' own scanner tells where each value stands."""

import tomllib
from collections.abc import Iterator

from autonomyd.host.editing.place import EditRefused, Place, without_quotes
from autonomyd.settings.locate import spans


def check(text: str) -> None:
    """Raises EditRefused when it does not parse."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise EditRefused(f"no valid TOML: {error}") from None


def places(text: str) -> Iterator[Place]:
    """Every scalar of a text that `check` accepts."""
    for path, (start, end) in spans(text).items():
        first, last = without_quotes(text, start, end)
        yield Place(path=path, start=first, end=last)
