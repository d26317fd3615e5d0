"""Backups in words."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from posixpath import basename, dirname
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import OLD, line, row, style_of, table, text
from autonomyd.cli.words import clean, data_size, moment


def backup_table(backups: Sequence[Mapping[str, Any]], now: float) -> RenderableType:
    """Backups, one a line, with their files below."""
    if not backups:
        return text("No fix has changed a file so far.")
    made = table(
        "ID", "WHEN", "SERVICE", "WHY, AND WHICH FILES", "SIZE", "STATE", right=("SIZE",), fold="WHY, AND WHICH FILES"
    )
    for each in backups:
        why = clean(each["strategy"]) + f" ({clean(each['cause']).replace('_', ' ')})"
        issue = each.get("issue_id")
        words = line(why, (f"  for #{issue}" if issue else "", OLD))
        for folder, names in _by_folder(each["files"]):
            words.append(f"\nin {clean(folder)}:", style=OLD)
            for name in names:
                words.append(f"\n  {clean(name)}", style=OLD)
        state = clean(each["state"])
        row(
            made,
            text(clean(each["id"])),
            text(moment(each["at"], now), OLD),
            text(clean(each.get("service")) or "host"),
            words,
            text(data_size(each["bytes"]), OLD),
            text(state.replace("_", " "), style_of(state)),
        )
    return made


def _by_folder(paths: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for folder, found in groupby(paths, key=dirname):
        yield folder, [basename(path) for path in found]
