"""Alerts as a person meets them: what needs you, whether the message reached you, what was over lately."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, FINE, OLD, TITLE, WAITING, indented, line, pairs, row, stack, table, text, title
from autonomyd.cli.words import ago, ahead, clean, count, duration, person

Item = Mapping[str, Any]

MOST_RECENT = 10


def alerts_view(answer: Item, now: float) -> RenderableType:
    """Open alerts, the targets, and the newest that are over."""
    status = answer["now"]
    opened = status["open"]
    over = [each for each in answer["recent"] if each["state"] != "open"][:MOST_RECENT]
    head = (
        line((f"{count(len(opened), 'alert needs', 'alerts need')} you.", BAD))
        if opened
        else line(("Nothing needs you.", FINE))
    )
    parts: list[RenderableType | None] = [head, *(indented(_one(each, answer["messages"], now)) for each in opened)]
    parts += [text(""), title("Targets"), indented(_targets(status, now))]
    if over:
        parts += [text(""), title("Over"), indented(_over(over, now))]
    return stack(parts)


def waiting_line(status: Item) -> Text | None:
    """One line for `status`, when messages wait or fail; else None."""
    failing = [each for each in status["targets"].values() if each["error"]]
    if failing:
        first = failing[0]
        more = f" and {count(len(failing) - 1, 'more target')}" if len(failing) > 1 else ""
        waits = f", {count(status['waiting'], 'message')} waiting" if status["waiting"] else ""
        return line(("  alerts: ", BAD), f"{clean(first['name'])}{more} can't be told{waits}: {clean(first['error'])}")
    if status["waiting"]:
        return line(("  alerts: ", WAITING), f"{count(status['waiting'], 'message')} waiting to be sent")
    ping = status["ping"]
    if ping and ping["error"]:
        return line(("  alerts: ", BAD), f"the dead-man ping fails: {clean(ping['error'])}")
    return None


def _one(alert: Item, messages: Sequence[Item], now: float) -> RenderableType:
    head = line(
        (f"alert {alert['id']} ", OLD),
        (clean(alert["severity"]), BAD if alert["severity"] == "critical" else WAITING),
        "  ",
        (clean(alert["summary"]), TITLE),
        (f"  told {ago(alert['opened_at'], now)}", OLD),
    )
    rows: list[tuple[str, Text | str]] = [("why", text(clean(alert["why"])))]
    rows += [("sent", text(_sent(alert, messages), OLD))] if _sent(alert, messages) else []
    rows.append(("next", text(_next(alert, now), OLD)))
    issues = ", ".join(f"`autonomyctl explain {each}`" for each in alert["issues"][-3:])
    rows += [("you", text(issues, TITLE))] if issues else []
    return stack([head, pairs(rows)])


def _next(alert: Item, now: float) -> str:
    if alert["acked_at"] is not None:
        until = f" for another {duration(alert['acked_until'] - now)}" if alert["acked_until"] else " until it is over"
        return f"{person(alert['acked_by'])} looks after it{until}"
    waits = [f"reminder {ahead(alert['remind_at'], now)}"] if alert["remind_at"] else []
    waits += [f"escalation {ahead(alert['escalate_at'], now)}"] if alert["escalate_at"] else []
    waits += [f"escalated {ago(alert['escalated_at'], now)}"] if alert["escalated_at"] else []
    return ", ".join([*waits, f"`autonomyctl ack {alert['id']}` stops that"]) if waits else "nobody has acknowledged it"


def _sent(alert: Item, messages: Sequence[Item]) -> str:
    own = [each for each in messages if each["alert_id"] == alert["id"]]
    states = [(state, sum(1 for each in own if each["state"] == state)) for state in ("sent", "waiting", "dropped")]
    return ", ".join(f"{number} {state}" for state, number in states if number)


def _targets(status: Item, now: float) -> RenderableType:
    if not status["targets"]:
        return text("none: nobody is told; set [alerts] targets, then `autonomyctl reload`", OLD)
    made = table("TARGET", "KIND", "FOR", "WAITING", "LAST SENT", "STATE", right=("WAITING",), fold="STATE")
    for each in status["targets"].values():
        row(
            made,
            text(each["name"]),
            text(each["kind"], OLD),
            text("escalation" if each["escalation"] else "all", OLD),
            text(each["waiting"] + each["held"]),
            text(ago(each["last_sent_at"], now) if each["last_sent_at"] else "never", OLD),
            _state(each),
        )
    return made


def _state(target: Item) -> Text:
    if target["error"]:
        again = f"; next try in {duration(target['next_try_in_s'])}" if target["next_try_in_s"] is not None else ""
        return text(f"{clean(target['error'])}{again}", BAD)
    if target["held"]:
        return text(f"{target['held']} held until the quiet hours are over", WAITING)
    return text("ok", FINE)


def _over(alerts: Sequence[Item], now: float) -> RenderableType:
    made = table("ALERT", "WHAT", "LASTED", "OVER", right=("ALERT",), fold="WHAT")
    for each in alerts:
        lasted = (each["recovered_at"] or now) - each["opened_at"]
        row(
            made,
            text(each["id"], OLD),
            text(each["summary"]),
            text(duration(lasted), OLD),
            text(ago(each["recovered_at"] or now, now), OLD),
        )
    return made
