"""Approvals, trust, calibration and outcomes as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from autonomyd.cli.screen import BAD, FINE, OLD, TITLE, WAITING, indented, line, row, stack, table, text, title
from autonomyd.cli.words import ahead, clean, count, moment, person

Item = Mapping[str, Any]

_HOST = "the machine"
_APPROVALS = {
    "waiting": ("waits for you", WAITING),
    "approved": ("approved", FINE),
    "used": ("done", FINE),
    "denied": ("denied", OLD),
    "expired": ("expired", OLD),
    "outdated": ("outdated", OLD),
}
_LESSONS = {"healed": FINE, "unverified": OLD, "raised": OLD, "released": OLD}
_VERDICTS = {
    "pending": ("not over yet", WAITING),
    "agreed": ("right: a person did the same", FINE),
    "helpful": ("right: it stayed broken", FINE),
    "unneeded": ("not needed: it was well again", WAITING),
    "unscored": ("not known", OLD),
}


def approval_table(items: Sequence[Item], now: float) -> RenderableType:
    """Plans that wait, and what became of the others."""
    made = table("NUMBER", "WHAT WOULD BE DONE", "WHY IT IS ASKED", "STATE", right=("NUMBER",), fold="WHY IT IS ASKED")
    made.columns[1].no_wrap = False
    for each in items:
        words, style = _APPROVALS.get(each["state"], (clean(each["state"]), ""))
        if each["state"] in ("waiting", "approved"):
            words += f", ends {ahead(each['expires_at'], now)}"
        if each["actor"]:
            words += f" by {person(each['actor'])}"
        plan = each["plan"]
        what = "; ".join(clean(part) for part in plan["preview"]) or clean(plan["strategy"])
        why = f"#{each['issue_id']} {clean(plan['cause']).replace('_', ' ')}: {clean(each['message'])}"
        note = f" ({clean(each['note'])})" if each["note"] else ""
        row(made, text(each["id"], TITLE), text(what), line(why, (note, OLD)), text(words, style))
    return made


def trust_view(report: Item, now: float) -> RenderableType:
    """The whole report."""
    if not report["rows"] and not report["consents"]:
        return text("Nothing is known yet: no fix has ended.")
    return stack([_rows(report["rows"], now), *_consents(report["consents"], now), *_cases(report["shadow"], now)])


def calibration_view(report: Item) -> RenderableType:
    """Said 90 %, was right x %."""
    if not report["count"]:
        return text("Nothing is known yet: no fix that was decided on has ended.")
    made = table("SAID", "WAS RIGHT", "OF", right=("SAID", "WAS RIGHT", "OF"))
    for each in report["bins"]:
        right = f"{100.0 * each['right'] / each['count']:.0f} %"
        row(made, text(f"{each['said']:.0f} %"), text(right), text(count(each["count"], "fix", "fixes"), OLD))
    words = f"Brier score {report['brier']:.3f} over {count(report['count'], 'fix', 'fixes')}"
    return stack([made, text(""), text(f"{words} (0 is perfect, 0.25 is a coin).", OLD)])


def outcome_table(items: Sequence[Item], now: float) -> RenderableType:
    """Lessons, one a line."""
    if not items:
        return text("Nothing was learned from yet.")
    made = table("WHEN", "SERVICE", "FIX", "CAUSE", "OUTCOME", "SAID", "BY", right=("SAID",), fold="FIX")
    for each in items:
        said = "" if each["cause"] is None else f"{each['said']:.0f}"
        row(
            made,
            text(moment(each["at"], now), OLD),
            text(each["service"] or _HOST),
            text(each["strategy"] or "all of them"),
            text(clean(each["cause"]).replace("_", " "), OLD),
            text(clean(each["kind"]).replace("_", " "), _LESSONS.get(each["kind"], BAD)),
            text(said, OLD),
            text(person(each["actor"]), OLD),
        )
    return made


def _rows(rows: Sequence[Item], now: float) -> RenderableType:
    made = table("SERVICE", "FIX", "HELPED", "SHADOW", "MAY", "DESERVES", "WHY", fold="WHY")
    for each in rows:
        fallen = each["level"] != each["configured"]
        better = each["proposed"] != each["level"]
        until = each["quarantined_until"]
        why = line(clean(each["why"]), (f"; passed over until {moment(until, now)}" if until else "", BAD))
        row(
            made,
            text(each["service"] or _HOST),
            text(each["strategy"], TITLE),
            _share(each["healed"], each["total"]),
            _share(each["shadow_right"], each["shadow_total"]),
            text(each["level"], BAD if fallen else ""),
            text(each["proposed"] if better else "", FINE),
            why,
        )
    return made


def _share(part: int, whole: int) -> Text:
    return text(f"{part} of {whole}" if whole else "-", "" if whole else OLD)


def _consents(items: Sequence[Item], now: float) -> Iterator[RenderableType]:
    if not items:
        return
    yield text("")
    yield title("Allowed for good", "`autonomyctl always --revoke SERVICE STRATEGY` ends one")
    for each in items:
        cause = clean(each["cause"]).replace("_", " ")
        what = f"{clean(each['strategy'])} against {cause} on {each['service'] or _HOST}"
        yield indented(line(what, (f"  by {person(each['actor'])}, {moment(each['at'], now)}", OLD)))


def _cases(items: Sequence[Item], now: float) -> Iterator[RenderableType]:
    if not items:
        return
    yield text("")
    yield title("What shadow mode would have done")
    made = table("", "", "", "", fold="")
    made.columns[1].no_wrap = False
    for each in items:
        words, style = _VERDICTS.get(each["verdict"], (clean(each["verdict"]), ""))
        what = "; ".join(clean(part) for part in each["plan"]["preview"]) or clean(each["plan"]["strategy"])
        row(made, text(moment(each["at"], now), OLD), text(what), text(f"#{each['issue_id']}", OLD), text(words, style))
    yield indented(made)
