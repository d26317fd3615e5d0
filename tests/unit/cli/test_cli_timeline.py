"""The timeline as people read it."""

import io

import pytest
from rich.console import Console

from autonomyd.cli.views.services import note_of, service_details, worked
from autonomyd.cli.views.timeline import due_lines, timeline_view

NOW = 1.7e9


def shown(view, width=100):
    out = io.StringIO()
    Console(file=out, width=width, markup=False, emoji=False, highlight=False, no_color=True).print(view)
    return out.getvalue()


def entry(kind, ago_s, words, **more):
    base = {"at": NOW - ago_s, "kind": kind, "subject": "service:web", "words": words, "actor": "", "level": ""}
    return base | {"number": None, "until": None, "due": None} | more


def due(words, confidence=93.0, after_s=40.0):
    return {"why": words, "confidence": confidence, "after_s": after_s, "at": NOW, "change": {}}


@pytest.mark.parametrize("width", [80, 120])
def test_every_kind_with_its_arrow(width):
    entries = [
        entry("change", 100, "app.toml", level="config", actor="uid=0 pid=1"),
        entry("shift", 80, "rss_mb went from 100 to 200 MB", due=due("began 20 s after app.toml changed")),
        entry("issue", 60, "web does not work", level="critical", number=7, until=NOW),
        entry("fix", 50, "restart", level="healed", number=3, until=NOW),
        entry("issue", 5, "evil \x1b[31m text", level="notice", number=8),
    ]
    text = shown(timeline_view(entries, NOW), width)
    assert "began 20 s after app.toml changed  93 of 100" in text
    assert "issue 7" in text
    assert "over after 60 s" in text or "over after 1 min" in text
    assert "restart: healed" in text
    assert "\x1b" not in text
    assert "1 change, 1 shift of level, 2 problems, 1 fix" in text


def test_an_empty_one_says_so():
    assert "Nothing happened" in shown(timeline_view([], NOW))


def test_for_and_against():
    lines = [
        str(each) for each in due_lines([due("began 40 s after app.toml changed"), due("began 9 s before x", 0, -9)])
    ]
    assert lines[0].startswith("for")
    assert lines[1].startswith("against")
    assert lines[1].endswith("it is not the cause")


SERVICE = {
    "name": "web",
    "state": "up",
    "health": "healthy",
    "since": NOW - 50,
    "pid": 5,
    "control": "process",
    "autonomy": "act",
    "intent": "started",
    "restarts": 0,
    "message": "",
    "next_try_at": None,
    "availability_percent": 98.999,
    "availability_s": 7200.0,
    "objective_percent": 99.0,
}


def test_availability_is_shown_and_never_rounded_up():
    text = shown(service_details([SERVICE], NOW), 200)
    assert "worked 98.99 %" in str(note_of(SERVICE, NOW))
    assert (
        text.count("worked 98.99 % of the last 2 h (at least 99 % is wanted)") == 1
    )  # and as a note: it is too little
    well = SERVICE | {"availability_percent": 99.999}
    assert worked(well) == "99.99 % of the last 2 h (at least 99 % is wanted)"
    assert shown(service_details([well], NOW), 200).count("worked") == 1
    assert "worked" not in shown(service_details([SERVICE | {"availability_percent": None}], NOW), 200)
