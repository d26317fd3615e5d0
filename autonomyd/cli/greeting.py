"""What the daemon says on a terminal when it is ready. Pure: the status in, the text out."""

from collections.abc import Mapping
from typing import Any

from autonomyd.cli.words import clean, count

_MOST_NAMES = 6


def greeting(status: Mapping[str, Any], *, command: str = "autonomyctl") -> str:
    """What it watches, where it listens, which configuration, and the next three commands to try.

    `status` is the wire's SystemStatus; `command` is how this person calls autonomyctl."""
    daemon, services = status["daemon"], list(status["services"])
    listens = clean(daemon["socket"]) or "nowhere"
    config = clean(daemon["config_file"]) or "none; the built-in defaults are in force"
    name = clean(services[0]) if services else None
    third = (f"service restart {name}", f"restart {name} by hand") if name else ("metrics", "what is measured")
    tries = [
        ("status", "is all well, and if not, what is being done"),
        ("discover", "find services to watch and have the entries written"),
        third,
    ]
    width = max(len(verb) for verb, _ in tries)
    lines = [
        f"autonomyd {clean(daemon['version'])} watches {_watched(services)}.",
        f"  listens on     {listens}",
        f"  configuration  {config}",
        f"  keeps state in {clean(daemon['state_dir'])}",
        "",
        "In another terminal, try:",
        *(f"  {command} {verb:<{width}}   {words}" for verb, words in tries),
        "",
        "Ctrl-C ends autonomyd; the services run on.",
    ]
    return "\n".join(lines)


def _watched(services: list[str]) -> str:
    if not services:
        return "this machine (no services are configured yet)"
    names = ", ".join(clean(each) for each in services[:_MOST_NAMES])
    return f"this machine and {count(len(services), 'service')}: {names}{' ...' if len(services) > _MOST_NAMES else ''}"
