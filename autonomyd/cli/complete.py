"""Names for the shell's completion, asked of the daemon. With no daemon there are none, and no error."""

from typing import Any

import click

from autonomyd.cli.words import clean, listed
from autonomyd.control.client import Client, ClientError

TIMEOUT_S = 1.0


def service_names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The services whose name begins with what was typed."""
    return _begin([each["name"] for each in listed(_ask("/v1/services"), "services")], incomplete)


def issue_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The open issues."""
    items = listed(_ask("/v1/issues"), "issues")
    return _begin([each["issue"]["id"] for each in items if isinstance(each.get("issue"), dict)], incomplete)


def approval_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The approvals that wait."""
    items = listed(_ask("/v1/approvals"), "approvals")
    return _begin([each["id"] for each in items if each.get("state") == "waiting"], incomplete)


def backup_ids(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The backups that could be put back."""
    kept = [each["id"] for each in listed(_ask("/v1/backups"), "backups") if each["state"] == "kept"]
    return _begin(kept, incomplete)


def metric_names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The metrics that are measured."""
    return _begin([each["name"] for each in listed(_ask("/v1/metrics"), "series")], incomplete)


def _ask(path: str) -> Any:
    try:
        return Client(None, TIMEOUT_S).get(path)
    except ClientError:
        return []


def _begin(names: list[Any], incomplete: str) -> list[str]:
    return [name for name in map(clean, names) if name.startswith(incomplete)]
