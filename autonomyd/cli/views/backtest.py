"""What a rule would have done: one line a series, then its newest alarms."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, FINE, OLD, PLAIN, TITLE, WAITING, indented, line, row, stack, table, text
from autonomyd.cli.words import DAY_S, NOTHING, clean, count, duration, figure, moment, with_unit

SHOWN = 10
"""Alarms of a series that are shown; --json has the newest hundred."""
WEEK_S = 7 * DAY_S


def backtest_view(answer: Mapping[str, Any], now: float) -> RenderableType:
    """The rule, the table of all series, and the alarms of those that had any."""
    trials: Sequence[Mapping[str, Any]] = answer["trials"]
    head = line((clean(answer["rule"]), TITLE), f"  {clean(answer['words'])}")
    if not trials:
        return stack([head, text(f"nothing is recorded since {moment(answer['since'], now)}")])
    first = min(each["since"] for each in trials)
    words = f"on points of {duration(answer['step_s'])} since {moment(first, now)}"
    if first - answer["since"] > DAY_S:
        words += f"; of {duration(now - answer['since'])} {duration(now - first)} are recorded"
    parts = [head, text(words, OLD), text(""), _table(trials)]
    if answer["unreached"]:
        left = count(answer["unreached"], "series", "series")
        parts += [text(""), text(f"{left} more were not reached in time: name one, or a shorter --since", WAITING)]
    for each in trials:
        if each["alarms"]:
            parts += [text(""), _alarms(each, now)]
    return stack(parts)


def _table(trials: Sequence[Mapping[str, Any]]) -> RenderableType:
    figures = ("ALARMS", "A WEEK", "RAISED", "LONGEST", "RIGHT", "FALSE", "MISSED", "LEAD")
    made = table("SERIES", *figures, right=figures, cut="SERIES")
    for each in trials:
        score = each["score"]
        covered_s = score["covered_s"]
        weekly = score["alarms"] * WEEK_S / covered_s if covered_s >= DAY_S else None
        row(
            made,
            text(each["name"]),
            text(score["alarms"], TITLE),
            NOTHING if weekly is None else figure(round(weekly, 2)),
            f"{figure(100.0 * score['raised_s'] / covered_s)} %" if covered_s else NOTHING,
            duration(score["longest_s"]),
            text(score["hits"], FINE if score["hits"] else OLD),
            text(score["false_alarms"], WAITING if score["false_alarms"] else OLD),
            text(score["missed"], BAD if score["missed"] else OLD),
            lead_words(score["lead_s"]),
        )
    return made


def _alarms(trial: Mapping[str, Any], now: float) -> RenderableType:
    alarms = trial["alarms"][-SHOWN:]
    unit = clean(trial["unit"])
    made = table("", "", "", "", "")
    for each in alarms:
        ended = each["cleared_at"]
        lasted = "still raised" if ended is None else duration(ended - each["raised_at"])
        values = f"{with_unit(each['lowest'], unit)} to {with_unit(each['highest'], unit)}"
        row(made, text(moment(each["raised_at"], now), OLD), lasted, values, *_meaning(each))
    more = trial["score"]["alarms"] - len(alarms)
    note = text(f"and {more} before", OLD) if more > 0 else None
    missed = [f"#{number}" for number in trial["missed"][:SHOWN]]
    unseen = line((f"no alarm for {', '.join(missed)}", BAD)) if missed else None
    return stack([line((clean(trial["name"]), TITLE)), indented(made), *map(indented, filter(None, (note, unseen)))])


def _meaning(alarm: Mapping[str, Any]) -> tuple[Text, Text]:
    if alarm["issue"] is None:
        return text("false", WAITING), text("no problem was recorded", OLD)
    return text(f"#{alarm['issue']}", FINE), text(lead_words(alarm["lead_s"]), PLAIN)


def lead_words(lead_s: float | None) -> str:
    """How much before the recorded problem: "40 s earlier", "3 min later"."""
    if lead_s is None:
        return "-"
    if abs(lead_s) < 1.0:
        return "at once"
    return f"{duration(abs(lead_s))} {'earlier' if lead_s > 0 else 'later'}"
