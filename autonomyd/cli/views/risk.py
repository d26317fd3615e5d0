"""Risks as a table: both ways to say it, what each was worth, and which one is used."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, OLD, TITLE, WAITING, bar, line, row, stack, table, text, title
from autonomyd.cli.words import ago, clean, count, duration, figure, moment

Item = Mapping[str, Any]

LIKELY = 0.5
VERY_LIKELY = 0.7


def risk_view(report: Item, now: float, *, most: int) -> RenderableType:
    """The riskiest `most` rows, then how good both ways have been over all of them."""
    rows = report["rows"]
    if not rows:
        return text("Nothing has gone wrong so far: there is nothing to learn a risk from.")
    parts: list[RenderableType] = [_rows(rows[:most], now)]
    if len(rows) > most:
        parts.append(text(f"and {count(len(rows) - most, 'more')}: `autonomyctl risk --all`", OLD))
    return stack([*parts, text(""), _scores(report), *_notes(report, now)])


def _rows(rows: Sequence[Item], now: float) -> RenderableType:
    made = table("WHAT", "WITHIN 24 H", "FREQUENCY", "GAPS", "CAME", "LAST", right=("FREQUENCY", "GAPS"), fold="WHAT")
    for each in rows:
        gaps = each["used"] == "gaps"
        used = each["by_gaps"] if gaps else each["by_frequency"]
        row(
            made,
            _what(each),
            _meter(used, present=each["present"]),
            _said(each["by_frequency"], each["frequency"], believed=not gaps),
            _said(each["by_gaps"], each["gaps"], believed=gaps),
            text(count(each["count"], "time"), OLD),
            text(ago(each["last_at"], now), OLD),
        )
    return made


def _what(each: Item) -> Text:
    key = each["key"]
    kind, _, metric = clean(key["name"]).partition(" ")
    words = kind.replace("_", " ")
    if key["of"] == "component":
        words = "any problem"
    elif key["of"] == "pattern":
        words = f"{words} in its log"
    return line(clean(key["subject"]), (f"  {words} {metric}".rstrip(), OLD))


def _meter(probability: float, *, present: bool) -> Text:
    style = BAD if probability >= VERY_LIKELY else WAITING if probability >= LIKELY else ""
    words = Text.assemble(bar(100.0 * probability, style or OLD, 8), " ", (f"{chance(probability):>5}", style))
    return words.append("  there now", style=OLD) if present else words


def _said(probability: float, score: Item, *, believed: bool) -> Text:
    brier = "" if score["brier"] is None else f" ({score['brier']:.2f})"
    return text(f"{chance(probability)}{brier}", TITLE if believed else OLD)


def chance(probability: float) -> str:
    """0..1 as people say it; nothing is certain."""
    percent = round(100.0 * probability)
    return "<1 %" if percent < 1 else ">99 %" if percent > 99 else f"{percent} %"


def _scores(report: Item) -> RenderableType:
    made = table("WAY", "BRIER", "LOG LOSS", "PRECISION", "RECALL", "DAYS", right=("BRIER", "LOG LOSS", "DAYS"))
    for name, score in (("by frequency", report["frequency"]), ("by the times between", report["gaps"])):
        row(
            made,
            text(name),
            text(_number(score["brier"])),
            text(_number(score["log_loss"])),
            text(_share(score["precision"])),
            text(_share(score["recall"])),
            text(str(score["cases"]), OLD),
        )
    return stack([title("How good both were, each day said before it began"), made])


def _notes(report: Item, now: float) -> list[RenderableType]:
    words = f"By frequency: 1 / (1 + e^(-{figure(report['k'])} (times a day - {figure(report['norm'])}))), last week. "
    words += "By the times between: Weibull hazard. Bold is used; in brackets its Brier score (0 perfect, 0.25 a coin)."
    since = "" if report["since"] is None else f"Learned since {moment(report['since'], now)}"
    since += f" ({duration(now - report['since'])})." if since else ""
    return [text(""), text(words, OLD), text(since, OLD)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100.0 * value:.0f} %"
