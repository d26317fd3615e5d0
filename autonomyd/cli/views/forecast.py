"""The capacity report: what will be full, and what stands still."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, FINE, OLD, PLAIN, TITLE, WAITING, bar, line, row, stack, table, text
from autonomyd.cli.words import clean, count, duration, listed, with_unit

FULL = 100.0
NEAR_S = 86400.0
SOON_S = 7 * 86400.0


def forecast_view(answer: Mapping[str, Any]) -> RenderableType:
    """What fills, soonest first; below it, with bars, what nothing can be foretold of."""
    forecasts, standing = listed(answer, "forecasts"), listed({"standing": answer.get("standing")}, "standing")
    if not forecasts and not standing:
        return text("Nothing that has an end was measured yet.")
    return stack([_filling(forecasts), *_standing(standing), *_notes(answer)])


def _filling(forecasts: Sequence[Mapping[str, Any]]) -> RenderableType:
    if not forecasts:
        return text("Nothing is filling up.", FINE)
    made = table("WHAT", "IN USE", "FULL IN", "BETWEEN", "IT GROWS", "RIGHT", right=("IN USE", "FULL IN"), fold="WHAT")
    for each in forecasts:
        style = _urgency(each["soonest_s"])
        row(
            made,
            _name(each),
            _used(each),
            text(duration(each["left_s"]), style or TITLE),
            _between(each),
            text(clean(each["growth"])),
            _backtest(each),
        )
    return made


def _standing(standing: Iterable[Mapping[str, Any]]) -> Iterable[RenderableType]:
    made = table("STANDS STILL", "IN USE", "", "WHY NOTHING IS FORETOLD", right=("IN USE",), fold="STANDS STILL")
    for each in standing:
        row(made, _name(each), _used(each), bar(_share(each), OLD), text(clean(each["why"]), OLD))
    return (text(""), made) if made.row_count else ()


def _notes(answer: Mapping[str, Any]) -> Iterable[RenderableType]:
    for each in answer.get("unwatched") or ():
        yield line(("not watched: ", OLD), clean(each))
    skipped = answer.get("skipped") or 0
    if skipped:
        words = f"{count(skipped, 'sample was', 'samples were')} no number, or out of order, and did not count."
        yield text(words, OLD)


def _name(each: Mapping[str, Any]) -> Text:
    return text(f"{clean(each['subject'])}/{clean(each['metric'])}")


def _used(each: Mapping[str, Any]) -> Text:
    unit = clean(each["unit"])
    value = with_unit(each["value"], unit)
    if not each["bound"]:
        return text(f"{value} left")
    return text(value) if unit == "%" else text(f"{value} of {with_unit(each['bound'], unit)}")


def _share(each: Mapping[str, Any]) -> float:
    bound = float(each["bound"])
    return FULL * float(each["value"]) / bound if bound else 0.0


def _between(each: Mapping[str, Any]) -> Text:
    soonest = duration(each["soonest_s"])
    if each["latest_s"] is None:
        return text(f"{soonest} and never")
    latest = duration(each["latest_s"])
    if soonest == latest:
        return text(soonest)
    number, _, unit = soonest.partition(" ")
    return text(f"{number if unit == latest.partition(' ')[2] else soonest} to {latest}")


def _backtest(each: Mapping[str, Any]) -> Text:
    tested = each["backtest"]
    words = f"{tested['covered']} of {tested['cases']}" if tested["cases"] else "none yet"
    return text(words, FINE if each["acts"] else OLD)


def _urgency(soonest_s: float) -> str:
    if soonest_s <= NEAR_S:
        return BAD
    return WAITING if soonest_s <= SOON_S else PLAIN
