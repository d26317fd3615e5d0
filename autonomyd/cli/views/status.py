"""`autonomyctl status`: one screen. The verdict first, then what is wrong, then everything else, quieter."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import (
    BAD,
    FINE,
    OLD,
    WAITING,
    bar,
    indented,
    line,
    pairs,
    row,
    stack,
    table,
    text,
    title,
    unicode_terminal,
)
from autonomyd.cli.views.acts import last_fixes
from autonomyd.cli.views.alerts import waiting_line
from autonomyd.cli.views.problems import problems
from autonomyd.cli.views.services import service_table
from autonomyd.cli.views.verdict import own_troubles, verdict
from autonomyd.cli.words import clean, count, duration, figure, moment, person

Status = Mapping[str, Any]

MOST_SERVICES = 12
MOST_PROBLEMS = 5
MOST_DISKS = 4
_TONES = {"fine": FINE, "waiting": WAITING, "bad": BAD}
_BARS = {"cpu_percent": "cpu", "memory_percent": "memory", "swap_percent": "swap"}
_DISK = re.compile(r"(?:host/)?disk:(?P<path>.+?)[./](?:disk[._]|space[._])?(?:used[._])?percent")


def status_view(status: Status, *, now: float | None = None) -> RenderableType:
    """The screen. Ages are counted from the status's own time, so the two clocks need not agree."""
    now = status["at"] if now is None else now
    parts: list[RenderableType | None] = [*_head(status, now)]
    open_items = [item for item in status["issues"] if item["issue"]["state"] not in ("resolved", "muted")]
    if open_items:
        parts += [text(""), title("Problems"), problems(open_items, now, most=MOST_PROBLEMS)]
    services = list(status["services"].values())
    if services:
        parts += [text(""), title("Services"), service_table(services, now, most=MOST_SERVICES)]
    parts += [text(""), title("Machine", _pace(status)), indented(_machine(status))]
    running, last = status["healing"]["running"], status["healing"]["last"]
    fixes = [*running, *([last] if last and last["id"] not in {each["id"] for each in running} else [])]
    if fixes:
        parts += [text(""), title("Last done", _score(status)), last_fixes(fixes, now)]
    parts += [text(""), _quiet(status, now)]
    return stack(parts)


def _head(status: Status, now: float) -> Iterator[RenderableType]:
    found = verdict(status)
    colour = _TONES[found.tone]
    icon = found.icon(unicode_terminal())
    yield line((f"{icon} {found.sentence}", f"bold {colour}"), (f"  {found.more}" if found.more else "", OLD))
    pause = status["pause"]
    if pause["paused"]:
        until = f"for another {duration(pause['until'] - now)}" if pause["until"] else "until `autonomyctl resume`"
        who = f" by {person(pause['actor'])}" if pause["actor"] else ""
        why = f": {clean(pause['reason'])}" if pause["reason"] else ""
        yield line((f"  Automation is paused{who} {until}{why}", WAITING))
    for trouble in own_troubles(status):
        yield line(("  autonomyd itself: ", BAD), trouble)
    alerts = waiting_line(status["alerts"])
    if alerts is not None:
        yield alerts


def _machine(status: Status) -> RenderableType:
    """The host's figures with small bars; coloured where an issue or a health reason is about that figure."""
    metrics: Mapping[str, float] = status["health"]["metrics"]
    named = {_key(name): value for name, value in metrics.items()}
    made = table("", "", "", "", fold="", cut="")
    for key, label in _BARS.items():
        if key in named and not (key == "swap_percent" and named[key] < 1.0):
            _bar_row(made, label, named[key], _colour(status, "host", key), _beside(key, named))
    for path, percent in _disks(metrics)[:MOST_DISKS]:
        _bar_row(made, path, percent, _colour(status, f"disk:{path}", "disk_percent"), "")
    hidden = len(_disks(metrics)) - MOST_DISKS
    more = text(f"and {count(hidden, 'more disk')}, less full", OLD) if hidden > 0 else None
    return stack([made if made.row_count else text("nothing was measured yet", OLD), more])


def _bar_row(made: Any, label: str, percent: float, colour: str, beside: str) -> None:
    row(made, text(label, OLD), bar(percent, colour), text(f"{percent:.0f} %".rjust(5), colour), text(beside, OLD))


def _beside(key: str, named: Mapping[str, float]) -> str:
    if key == "cpu_percent" and "load_per_core" in named:
        return f"load {figure(named['load_per_core'])} per core"
    return ""


def _disks(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    found = ((match["path"], value) for name, value in metrics.items() if (match := _DISK.fullmatch(name)))
    return sorted(((clean(path), value) for path, value in found), key=lambda each: -each[1])


def _key(name: str) -> str:
    return name.removeprefix("host/").replace(".", "_").replace("used_", "")


def _colour(status: Status, subject: str, key: str) -> str:
    for item in status["issues"]:
        issue = item["issue"]
        if issue["subject"] == subject and _key(issue["metric"]) == key and issue["state"] != "resolved":
            return BAD if issue["severity"] == "critical" else WAITING
    return FINE


def _pace(status: Status) -> str:
    trend = clean(status["health"]["trend"])
    return "" if trend in ("unknown", "stable") else f"{trend} over the last half hour"


def _score(status: Status) -> str:
    healing = status["healing"]
    if not healing["fixes"]:
        return ""
    rate = healing["success_rate"]
    healed = f", {rate * 100:.0f} % healed" if rate is not None else ""
    return f"{count(healing['fixes'], 'fix', 'fixes')} so far{healed}"


def _quiet(status: Status, now: float) -> RenderableType:
    """The lines that are only looked at when somebody wonders."""
    daemon, optimization = status["daemon"], status["optimization"]
    loops = status["loops"]
    well = (
        "all loops run" if loops and all(each["state"] == "running" for each in loops.values()) else "not all loops run"
    )
    starting = [clean(name) for name, each in loops.items() if each["state"] == "starting"]
    well = f"starting: {', '.join(starting)}" if starting else well
    store = "store ok" if status["store"]["state"] == "ok" else "the store is not well"
    config = clean(daemon["config_file"]) or "built-in defaults"
    about = f"{clean(daemon['version'])}, pid {daemon['pid']}, up {duration(daemon['uptime_s'])}; {well}, {store}"
    return pairs(
        [
            *_dependencies(status),
            ("goals", _goals(status)),
            ("optimization", text(_optimization(optimization), OLD)),
            ("autonomyd", text(about, OLD)),
            ("configuration", text(f"{config}, read {moment(daemon['config_loaded_at'], now)}", OLD)),
        ]
    )


def _dependencies(status: Status) -> Iterator[tuple[str, Text]]:
    """What is asked outside; one that fails stands out."""
    known = status.get("dependencies") or {}
    if not known:
        return
    bad = [each for each in known.values() if each["state"] != "closed"]
    words = "; ".join(_left_alone(each) for each in bad)
    working = len(known) - len(bad)
    fine = (
        f"{working} of {len(known)} answer"
        if bad
        else f"all {working} answer"
        if working > 1
        else "the one there is answers"
    )
    yield "dependencies", line((words, WAITING), ("; " if words else "", OLD), (fine, OLD))


def _left_alone(each: Mapping[str, Any]) -> str:
    wait = f"left alone for {duration(each['retry_in_s'])}" if each["retry_in_s"] else "tried again at the next call"
    return f"{clean(each['name'])} is {wait}: {clean(each['message'])}"


def _goals(status: Status) -> Text:
    goals = status["goals"]
    current = goals["current"]
    counts = [(goals["pending"], "waiting"), (goals["completed"], "reached"), (goals["failed"], "failed")]
    known = ", ".join(f"{number} {word}" for number, word in counts if number)
    if current is None:
        return text(known or "none set", OLD)
    progress = "" if current["progress"] is None else f", {current['progress'] * 100:.0f} % there"
    return line((f"{clean(current['description'])}{progress}", ""), (f"  {known}" if known else "", OLD))


def _optimization(found: Mapping[str, Any]) -> str:
    own = [] if found["cost_percent"] is None else [f"{figure(found['cost_percent'])} % of a core"]
    own += [] if found["memory_mb"] is None else [f"{figure(round(found['memory_mb'], 1))} MB"]
    counts = [
        f"{found[key]} {key.replace('_', ' ')}"
        for key in ("proposed", "applied", "verified", "rolled_back")
        if found[key]
    ]
    return (
        "; ".join(part for part in (f"own cost {', '.join(own)}" if own else "", ", ".join(counts)) if part)
        or "none yet"
    )
