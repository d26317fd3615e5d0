"""One issue as a story: what was seen, what it was taken for, every gate, what was done, what comes next."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from autonomyd.cli.screen import (
    BAD,
    FINE,
    OLD,
    TITLE,
    WAITING,
    indented,
    line,
    mark,
    pairs,
    row,
    stack,
    state,
    table,
    text,
    title,
)
from autonomyd.cli.views.acts import ending
from autonomyd.cli.views.assessment import assessment_lines, suspect_lines
from autonomyd.cli.views.deeds import deed
from autonomyd.cli.views.timeline import due_lines
from autonomyd.cli.views.values import metric_text
from autonomyd.cli.views.verdict import advice, doing
from autonomyd.cli.words import ago, ahead, clean, count, duration, moment, person

Story = Mapping[str, Any]

GATES: Mapping[str, str] = {
    "paused": "may act now",
    "autonomy": "may act here",
    "known_cause": "cause known",
    "signals": "enough signals",
    "confidence": "sure enough",
    "consent": "needs no consent",
    "backup": "can be undone",
    "cooldown": "not too often",
    "flapping": "not up and down",
    "recurrence": "not in a circle",
    "blast_radius": "small enough",
    "dependencies": "what it needs is up",
    "strategy": "a remedy is known",
    "moment": "a good moment",
}


CONTEXT: Mapping[str, str] = {
    "state": "state",
    "history": "history",
    "health": "machine",
    "time": "hour",
    "risk": "risk",
    "preferences": "wishes",
    "resources": "takes",
    "success": "success is",
}


def story_view(story: Story, now: float) -> RenderableType:
    """The whole story, oldest first."""
    issue = story["issue"]
    colour = BAD if issue["severity"] == "critical" else WAITING
    head = line((f"#{issue['id']} ", OLD), (clean(issue["summary"]), TITLE), "  ", (clean(issue["severity"]), colour))
    parts: list[RenderableType] = [head.append(", ").append_text(state(issue["state"]))]
    parts += [text(clean(story["why"]))] if story.get("why") else []
    parts += _seen(issue, now)
    parts += _taken_for(story.get("diagnosis"))
    parts += suspect_lines((story.get("diagnosis") or {}).get("suspects") or ())
    parts += assessment_lines(story.get("assessment"))
    parts += _decided(story)
    parts += _done(story.get("fixes") or (), now)
    parts += _learned(story.get("lessons") or ())
    parts += _went(story.get("transitions") or (), now)
    parts += _changed(story.get("changes") or ())
    parts += _related(story.get("related") or (), now)
    return stack([*parts, *_next(story, now)])


def _seen(issue: Mapping[str, Any], now: float) -> Iterator[RenderableType]:
    yield text("")
    yield title(
        "What was seen",
        f"{clean(issue['subject'])}, first {ago(issue['opened_at'], now)}, last {ago(issue['updated_at'], now)}",
    )
    for each in issue["evidence"] or (issue["summary"],):
        yield indented(line("- ", clean(each)))
    if issue["value"] is not None and issue["threshold"] is not None:
        name = clean(issue["metric"])
        found, bound = metric_text(name, issue["value"]), metric_text(name, issue["threshold"])
        yield indented(line("- ", f"{name} was {found}; the bound is {bound}"))
    if issue["occurrences"] > 1:
        yield indented(
            text(f"seen {count(issue['occurrences'], 'time')}, {count(issue['attempts'], 'fix', 'fixes')} tried", OLD)
        )


def _taken_for(diagnosis: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    yield text("")
    causes = diagnosis["causes"] if diagnosis else ()
    if diagnosis is None or not causes:
        yield title("What it was taken for", "undetermined: nothing is done on a guess")
        if diagnosis and diagnosis["note"]:
            yield indented(text(diagnosis["note"]))
        return
    signals = ", ".join(clean(each) for each in diagnosis["signals"])
    sure = "one of them is proof" if diagnosis["certain"] else "none of them alone is proof"
    yield title("What it was taken for", f"signals: {signals} ({sure})" if signals else "")
    for index, each in enumerate(causes):
        style = OLD if index else TITLE
        yield indented(
            line((clean(each["cause"]).replace("_", " "), style), (f"  {each['confidence']:.0f} of 100", OLD))
        )
        for claim in each["supports"]:
            yield indented(line(("for      ", OLD), clean(claim)), 4)
        for claim in each["contradicts"]:
            yield indented(line(("against  ", OLD), clean(claim)), 4)
    if diagnosis["note"]:
        yield indented(text(diagnosis["note"], OLD))


def _decided(story: Story) -> Iterator[RenderableType]:
    decision = story.get("decision")
    yield text("")
    if not decision:
        yield title("What was decided", "nothing" if _is_notice(story["issue"]) else "nothing yet")
        return
    if story.get("kind") == "plan":
        sure = f"confidence {decision['confidence']:.0f} of 100, risk {clean(decision['risk'])}"
        words = f"{clean(decision['strategy'])}: {sure}"
        yield title("What was decided")
        yield indented(line(("act  ", f"bold {FINE}"), words))
        for each in decision["preview"]:
            yield indented(line(("     ", ""), clean(each)))
    else:
        yield title("What was decided")
        reason = clean(decision["reason"]).replace("_", " ")
        yield indented(line((f"do nothing now ({reason})  ", f"bold {WAITING}"), clean(decision["message"])))
    if decision["gates"]:
        yield indented(_gates(decision["gates"]))
    yield from _rested_on(decision.get("context"))


def _rested_on(context: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    """What the decision rested on, in few lines; the order of remedies only where there was a choice."""
    if not context:
        return
    rows = [(name, text(clean(context[key]))) for key, name in CONTEXT.items()]
    if len(context["weighed"]) > 1:
        order = ", ".join(f"{clean(each['strategy'])} {each['score']:.2f}" for each in context["weighed"])
        rows.append(("choice", text(order)))
    yield text("")
    yield title("What it rested on")
    yield pairs(rows)


def _gates(gates: Sequence[Mapping[str, Any]]) -> RenderableType:
    made = table("", "GATE", "SAW", "NEEDS", fold="SAW")
    made.columns[3].no_wrap = False
    for each in gates:
        style = "" if each["passed"] else TITLE
        name = GATES.get(each["gate"], clean(each["gate"]).replace("_", " "))
        row(made, mark(each["passed"]), text(name, style), text(each["saw"], style), text(each["needs"], OLD))
    return made


def _done(fixes: Sequence[Mapping[str, Any]], now: float) -> Iterator[RenderableType]:
    yield text("")
    yield title("What was done, and what was seen after it", "" if fixes else "nothing so far")
    for fix in fixes:
        plan = fix["plan"]
        head = line((f"{moment(fix['started_at'], now)}  ", OLD), deed(plan["steps"]), ": ").append_text(ending(fix))
        yield indented(head)
        cause = clean(plan["cause"]).replace("_", " ")
        yield indented(line(("why      ", OLD), f"{cause}, confidence {plan['confidence']:.0f} of 100"), 4)
        if fix["ended_at"] is not None and fix["message"]:
            yield indented(line(("checked  ", OLD), clean(fix["message"])), 4)
        if fix.get("backup_id"):
            back = f"autonomyctl rollback {clean(fix['backup_id'])}"
            yield indented(line(("backup   ", OLD), clean(fix["backup_id"]), (f"  ({back} puts it back)", OLD)), 4)


def _learned(sentences: Sequence[str]) -> Iterator[RenderableType]:
    if not sentences:
        return
    yield text("")
    yield title("What was learned")
    for each in sentences:
        yield indented(line("- ", clean(each)))


def _went(transitions: Sequence[Mapping[str, Any]], now: float) -> Iterator[RenderableType]:
    if not transitions:
        return
    yield text("")
    yield title("How it went")
    made = table("", "", "", "", fold="")
    made.columns[2].no_wrap = False
    for each in transitions:
        by = person(each["actor"])
        row(
            made,
            text(moment(each["at"], now), OLD),
            state(each["after"]),
            text(clean(each["cause"])),
            text("" if by == "autonomyd" else f"by {by}", OLD),
        )
    yield indented(made)


def _changed(changes: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    if not changes:
        return
    yield text("")
    yield title("Timeline", "what was changed around its begin; `autonomyctl timeline` shows it all")
    for each in due_lines(changes):
        yield indented(each)


def _related(issues: Sequence[Mapping[str, Any]], now: float) -> Iterator[RenderableType]:
    if not issues:
        return
    yield text("")
    yield title("What was wrong around it", "`autonomyctl explain NUMBER` tells of each")
    for each in issues:
        head = line((f"{moment(each['opened_at'], now)}  #{each['id']} ", OLD), f"{clean(each['summary'])}  ")
        yield indented(head.append_text(state(each["state"])))


def _next(story: Story, now: float) -> Iterator[RenderableType]:
    issue = story["issue"]
    item = {
        "issue": issue,
        "decision": "",
        "refusal": story.get("decision") if story.get("kind") == "refusal" else None,
    }
    needed = None if _is_notice(issue) else advice(item)
    yield text("")
    if issue["state"] == "resolved":
        lasted = duration(issue["resolved_at"] - issue["opened_at"]) if issue["resolved_at"] else ""
        yield title("What comes next", f"nothing: it is over{f', after {lasted}' if lasted else ''}")
        return
    yield title("What comes next")
    at = issue["next_try_at"]
    told = clean(story.get("next")) or doing(item, now)
    yield indented(text(told))
    if at and story.get("next"):
        yield indented(text(f"next try {ahead(at, now)}, at {moment(at, now)}", OLD))
    for index, advised in enumerate(needed.splitlines() if needed else ()):
        yield indented(line(("     " if index else "you  ", OLD), (advised, TITLE)))


def _is_notice(issue: Mapping[str, Any]) -> bool:
    """Whether nobody is worse off by it."""
    return bool(issue["severity"] == "notice")
