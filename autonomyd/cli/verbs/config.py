"""`autonomyctl config check [FILE]` (needs no daemon) and `config show` (what is in force)."""

import json
import time
from pathlib import Path
from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb
from autonomyd.cli.words import clean, count

CHECK_CODES = {exits.OK: "the file can be used", exits.CONFIG: "it can not"}


@click.group("config", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Check a configuration file, or show the configuration in force."""


@verb("check", codes=CHECK_CODES, talks=False)
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@click.pass_obj
def check(app: App, file: str | None) -> None:
    """Check FILE, or the file that the daemon would read, and tell every fault; needs no daemon."""
    from autonomyd.monitor.probes import check_kinds
    from autonomyd.settings.load import find_config, load_settings
    from autonomyd.settings.problem import ConfigError

    path = Path(file) if file is not None else find_config()
    try:
        settings = load_settings(path, checks=check_kinds())
    except ConfigError as error:
        _refuse(app, str(error))
    checks = sum(len(service.checks) for service in settings.services.values())
    name = str(path) if path is not None else "no file; the built-in defaults"
    answer = {
        "ok": True,
        "file": None if path is None else str(path),
        "services": sorted(settings.services),
        "checks": checks,
    }
    app.put(answer, lambda: _fine(name, len(settings.services), checks))


@verb("show")
@click.pass_obj
def show(app: App) -> None:
    """The configuration in force, with every default."""
    answer = app.get("/v1/config")
    app.put(answer, lambda: _shown(answer))


command.add_command(check)
command.add_command(show)


def _refuse(app: App, faults: str) -> Any:
    lines = [clean(each) for each in faults.splitlines()]
    if app.as_json:
        click.echo(json.dumps({"error": {"message": "\n".join(lines), "hint": ""}}, indent=2))
    else:
        click.echo("\n".join(lines), err=True)
    click.get_current_context().exit(exits.CONFIG)


def _fine(name: str, services: int, checks: int) -> Any:
    from autonomyd.cli.screen import FINE, OLD, line, mark

    made = mark(True).append(" ").append_text(line((f"{name} can be used", FINE)))
    return made.append(f"  {count(services, 'service')}, {count(checks, 'check')}", style=OLD)


def _shown(answer: Any) -> Any:
    from autonomyd.cli.screen import BAD, OLD, line, stack, text
    from autonomyd.cli.toml import toml_lines
    from autonomyd.cli.words import moment

    name = clean(answer.get("file")) or "no file: the built-in defaults"
    parts = [line((f"# {name}, in force since {moment(answer.get('loaded_at'), time.time())}", OLD))]
    if answer.get("error"):
        parts += [line((f"# refused since: {clean(each)}", BAD)) for each in str(answer["error"]).splitlines()]
    parts += [text(each, OLD if each.startswith("#") else "") for each in toml_lines(answer.get("values") or {})]
    return stack(parts)
