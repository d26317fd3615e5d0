"""Services as a table: short in `status`, with every check and figure in `services`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import (
    BAD,
    FINE,
    OLD,
    TITLE,
    WAITING,
    indented,
    line,
    row,
    stack,
    state,
    style_of,
    table,
    text,
)
from autonomyd.cli.views.values import metric_text
from autonomyd.cli.words import HOUR_S, ahead, clean, count, duration

Service = Mapping[str, Any]

_CALM = ("up", "stopped")


def service_table(services: Sequence[Service], now: float, *, most: int) -> RenderableType:
    """At most `most` services a line each, those that are not well first; the rest as one count."""
    shown = sorted(services, key=lambda each: (_rank(each), each["name"]))[:most]
    made = table("NAME", "STATE", "FOR", "PID", "CHECKS", "NOTE", right=("FOR", "PID"), cut="NOTE")
    for each in shown:
        row(
            made,
            text(each["name"], OLD if _on_purpose(each) else TITLE),
            state_of(each),
            text(lasted(each, now), OLD),
            text(each["pid"] or "", OLD),
            checks_of(each),
            note_of(each, now),
        )
    rest = [each for each in services if each not in shown]
    words = sorted({str(each["state"]) for each in rest})
    more = line((f"and {count(len(rest), 'more service')}, {' or '.join(words)}", OLD)) if rest else None
    return indented(stack([made, more]))


def service_details(services: Iterable[Service], now: float) -> RenderableType:
    """Every service with its checks and figures."""
    parts: list[RenderableType] = []
    for each in services:
        head = line((each["name"], TITLE), "  ").append_text(state_of(each))
        known = [f"for {lasted(each, now)}" if lasted(each, now) else "", f"pid {each['pid']}" if each["pid"] else ""]
        known += [f"by {each['control']}", f"autonomy {each['autonomy']}"]
        known += [f"needs {', '.join(each['depends_on'])}"] if each.get("depends_on") else []
        known += [f"restarted {count(each['restarts'], 'time')}"] if each["restarts"] else []
        known += [f"worked {worked(each)}"] if each.get("availability_percent") is not None else []
        parts.append(head.append_text(line(("  " + ", ".join(part for part in known if part), OLD))))
        note = note_of(each, now, autonomy=False)
        parts += [indented(note)] if note.plain else []
        parts += [indented(_checks(each, now))] if each.get("checks") else []
        figures = [f"{clean(name)} {metric_text(name, value)}" for name, value in (each.get("metrics") or {}).items()]
        parts += [indented(text("   ".join(figures), OLD))] if figures else []
        parts.append(text(""))
    return stack(parts[:-1]) if parts else text("No services are configured. `autonomyctl discover` proposes some.")


def state_of(service: Service) -> Text:
    """The state's word; up and yet unwell says so."""
    if _on_purpose(service):
        return text("stopped", OLD)
    word = clean(service["state"])
    if word == "up" and service["health"] in ("degraded", "critical", "failing"):
        return line((word, FINE), ", ").append_text(state(service["health"]))
    return text(word, BAD) if word == "stopped" else state(word)


def lasted(service: Service, now: float) -> str:
    """Since when it is so, as a span."""
    return "" if service["since"] is None else duration(now - service["since"])


def checks_of(service: Service) -> Text:
    """ "3/3 ok" and the like."""
    checks = service.get("checks") or ()
    if not checks:
        return text("none", OLD)
    passed = sum(1 for check in checks if check["state"] == "ok")
    failed = sum(1 for check in checks if check["state"] == "failed")
    figures = f"{passed}/{len(checks)} ok"
    if _on_purpose(service):
        return text("", OLD)
    if failed:
        return text(figures, BAD)
    return text(figures, FINE) if passed == len(checks) else text(f"{figures}, {len(checks) - passed} unknown", OLD)


def note_of(service: Service, now: float, *, autonomy: bool = True) -> Text:
    """What a person should know about it at a glance."""
    made = Text()
    words: list[tuple[str, str]] = []
    if _on_purpose(service):
        words.append(("on purpose: not healed", OLD))
    elif service["message"]:
        words.append((clean(service["message"]), style_of(service["state"]) if service["state"] != "up" else ""))
    else:
        failing = next((check for check in service.get("checks") or () if check["state"] == "failed"), None)
        if failing:
            words.append((f"{clean(failing['name'])}: {clean(failing['message'])}", style_of(service["health"])))
    if autonomy and _short_of_objective(service):
        words.append((f"worked {worked(service)}", WAITING))
    if service["next_try_at"]:
        words.append((f"next try {ahead(service['next_try_at'], now)}", WAITING))
    if autonomy and service["autonomy"] != "act":
        words.append(({"observe": "only watched", "shadow": "shadow", "ask": "asks first"}[service["autonomy"]], OLD))
    for strategy, level in (service.get("earned") or {}).items():
        words.append((f"{clean(strategy)} lost trust: {clean(level)}", WAITING))
    if autonomy and service["restarts"]:
        words.append((f"restarted {count(service['restarts'], 'time')}", OLD))
    for index, (word, style) in enumerate(words):
        made.append("; " if index else "", style=OLD).append(word, style=style or None)
    return made


def worked(service: Service) -> str:
    """ "99.95 % of the last 3 h (at least 99 % is wanted)"."""
    share = f"{round_down(service['availability_percent'])} % of the last {duration(service['availability_s'])}"
    return f"{share} (at least {service['objective_percent']:g} % is wanted)"


def round_down(percent: float) -> str:
    """A percentage that is not rounded up to 100: "99.98"."""
    return f"{int(percent * 100) / 100:.2f}".rstrip("0").rstrip(".")


def _short_of_objective(service: Service) -> bool:
    share = service.get("availability_percent")
    return share is not None and service["availability_s"] >= HOUR_S and share < service["objective_percent"]


def _checks(service: Service, now: float) -> RenderableType:
    made = table("CHECK", "TYPE", "STATE", "TOOK", "LOOKED", "MESSAGE", right=("TOOK", "LOOKED"), fold="MESSAGE")
    for check in service["checks"]:
        took = "" if check["duration_ms"] is None else duration(check["duration_ms"] / 1000.0)
        looked = "" if check["at"] is None else f"{duration(now - check['at'])} ago"
        kept = f" ({count(check['failures'], 'time')} in a row)" if check["failures"] > 1 else ""
        row(
            made,
            text(check["name"]),
            text(check["type"], OLD),
            state(check["state"]),
            text(took, OLD),
            text(looked, OLD),
            text(clean(check["message"]) + kept),
        )
    return made


def _on_purpose(service: Service) -> bool:
    return bool(service["state"] == "stopped" and service["intent"] == "stopped")


def _rank(service: Service) -> int:
    unwell = service["health"] not in ("healthy", "unknown") and not _on_purpose(service)
    if service["state"] not in _CALM:
        return 0
    return 1 if unwell else 2 + _CALM.index(service["state"])
