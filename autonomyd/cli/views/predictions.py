"""Predictions as a person reads them: what is foretold, what became of the earlier ones, how good they are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import BAD, FINE, OLD, TITLE, indented, line, pairs, row, stack, table, text, title
from autonomyd.cli.views.risk import chance
from autonomyd.cli.words import ago, ahead, clean, count, duration, moment

Item = Mapping[str, Any]

_STYLES = {"right": FINE, "wrong": BAD, "void": OLD}


def predictions_view(report: Item, now: float) -> RenderableType:
    """The open ones, the verdicts, and the figures."""
    parts: list[RenderableType] = [title("Foretold", "" if report["open"] else "nothing at the moment")]
    parts += [_open(report["open"], now)] if report["open"] else []
    parts += _judged(report["judged"], now)
    return stack([*parts, text(""), title("How good they are"), _figures(report, now)])


def _open(items: Sequence[Item], now: float) -> RenderableType:
    made = table("", "", "", "", fold="")
    made.columns[2].no_wrap = False
    for each in items:
        row(
            made,
            text(chance(each["probability"]), TITLE),
            text(clean(each["subject"])),
            text(clean(each["words"])),
            text(_when(each, now), OLD),
        )
    return indented(made)


def _when(each: Item, now: float) -> str:
    if each["from_at"] <= now:
        return f"until {moment(each['until_at'], now)}"
    return f"{ahead(each['from_at'], now)} to {duration(each['until_at'] - now)}"


def _judged(items: Sequence[Item], now: float) -> Iterator[RenderableType]:
    if not items:
        return
    yield text("")
    yield title("What became of the earlier ones", "newest first")
    made = table("", "", "", "", fold="")
    made.columns[3].no_wrap = False
    for each in items:
        row(
            made,
            text(clean(each["verdict"]), _STYLES.get(each["verdict"], "")),
            text(ago(each["judged_at"], now), OLD),
            text(clean(each["subject"])),
            line(clean(each["words"]), (f"; {clean(each['why'])}", OLD)),
        )
    yield indented(made)


def _figures(report: Item, now: float) -> RenderableType:
    right, wrong, void = report["right"], report["wrong"], report["void"]
    foretold, missed = report["foretold"], report["missed"]
    came = "no verdict yet" if report["precision"] is None else f"{100 * report['precision']:.0f} % came true"
    void_words = f"; {void} can't be told" if void else ""
    caught = "nothing failed yet" if report["recall"] is None else f"{100 * report['recall']:.0f} % were foretold"
    rows = [
        ("precision", text(f"{came} ({right} right, {wrong} wrong{void_words})")),
        ("recall", text(f"{caught} ({foretold} of {count(foretold + missed, 'failure')})")),
        ("lead", text("-" if report["lead_s"] is None else f"{duration(report['lead_s'])} before, in the median")),
        ("since", text(moment(report["since"], now), OLD)),
    ]
    return pairs(rows)
