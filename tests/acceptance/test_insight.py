"""Trouble that announces itself, on a real daemon: the warning before the failure, the change behind the errors, the
surge in a log, the one incident of many services; and every verb that looks back or ahead, also after a kill."""

import asyncio
import io
import json
import signal
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.analyze.templates import TemplateMiner, TemplateWatch
from autonomyd.cli.ctl import run
from autonomyd.drill.aside import Edit
from autonomyd.drill.services import Program, ServiceSpec
from autonomyd.drill.tables import RSS_MB
from autonomyd.engine.insight.log_insight import TEMPLATES
from autonomyd.knowledge.states import States
from autonomyd.knowledge.store import Store
from tests.boxes.daemon import DaemonBox, until
from tests.boxes.receiver import Receiver

pytest.importorskip("apprise", reason="Apprise is not installed: pip install 'autonomyd[alerts]'")

WATCHED = {"autonomy": '"observe"'}
"""Nobody heals: each trouble comes to its end."""
EVERY_S = 0.5
INTERVALS = "[intervals]\nmonitoring_s = 0.5\nhealing_s = 0.5\ninsight_s = 1.0\n"
ALERTS = '[alerts]\ntargets = {{ team = "{}" }}\nsettle_s = 0\npatience_s = 3\n'
EDIT = Edit("pool_size = 4", "pool_size = 400")
SEEP_KB_A_TICK = 90
"""At most 1.8 MB a second: half a minute to the limit, on a loaded machine more."""
WORKED_S = 3.0
"""So long a service has run before somebody changes it."""
WITHIN_S = 50.0
MINUTES, ORDERS_A_MINUTE = 180, 60
"""For which the log of `shop` was watched by an earlier run, and what it said in each."""
FAILED_EVERY = 10
"""Minutes from one failure to the next."""
LEARNED = MINUTES * ORDERS_A_MINUTE + MINUTES // FAILED_EVERY
"""Lines."""
ORDER, FAILURE = "order {} of customer {} placed", "ERROR payment {} failed: connection refused"
CPU = "host/cpu.percent"
VERBS = (
    ("metrics",),
    ("metrics", CPU, "--since", "7d"),
    ("surprises",),
    ("forecast",),
    ("timeline",),
    ("graph",),
    ("risk",),
    ("predictions",),
    ("why-not",),
    ("backtest", "cpu_percent"),
    ("tune", "--propose"),
    ("templates", "shop"),
)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("insight"))
    log = made.folder / "shop.log"
    more: dict[str, Any] = {"every_s": EVERY_S, "settings": WATCHED}
    made.make_services(
        ServiceSpec(name="redis", program=Program.REDIS, **more),
        ServiceSpec(name="page", program=Program.WEB, needs="redis", **more),
        ServiceSpec(name="edited", program=Program.WEB, **more),
        ServiceSpec(name="leaky", program=Program.WEB, **more),
        ServiceSpec(name="shop", every_s=EVERY_S, settings=WATCHED | {"logs": json.dumps([str(log)])}),
    )
    made.configure(ALERTS.format(receiver.target), intervals=INTERVALS)
    made.state_dir.mkdir()
    log.touch()
    asyncio.run(watched_before(made.state_dir, log))
    made.start()
    for name in made.services:  # who only observes starts nothing
        made.post(f"/v1/services/{name}/start")
    for name in made.services:
        made.until_state(name)
    yield made
    made.close()


@pytest.fixture(scope="module")
def troubles(box: DaemonBox, receiver: Receiver) -> DaemonBox:
    """All at once: they are of different services. What was told before is no part of them."""
    until(lambda: not [each for each in box.issues() if each["issue"]["state"] != "resolved"], "all is well")
    until(lambda: not box.get("/v1/alerts")["now"]["open"], "nobody is needed")
    known.update(each["issue"]["id"] for each in box.issues())
    receiver.got.clear()
    box.services["leaky"].ask(f"/seep/{SEEP_KB_A_TICK}")
    say(box, ORDER.format(1, 2))
    until(lambda: learned(box) > LEARNED, "the log is read on")
    time.sleep(WORKED_S)
    EDIT.make(box.services["edited"])
    box.post("/v1/services/edited/restart")
    box.services["redis"].signal(signal.SIGKILL)
    for number in range(40):
        say(box, FAILURE.format(number))
    return box


known: set[int] = set()
"""Numbers of the issues from before the services were started."""


async def watched_before(folder: Path, log: Path) -> None:
    """What a run before has learned: orders all the time, and a failure now and then."""
    watch = TemplateWatch(TemplateMiner())
    for minute in range(MINUTES):
        at = minute * 60.0
        lines = [ORDER.format(minute * 60 + number, number % 7) for number in range(ORDERS_A_MINUTE)]
        watch.add_block([*lines, *([FAILURE.format(minute)] if minute % FAILED_EVERY == 0 else [])], at)
        watch.turn(at)
    clock = SystemClock()
    store = await Store.open(str(folder / "state.db"), clock=clock)
    value = {"at": clock.wall(), "value": watch.dump()}
    await States(store, clock=clock).put(f"{TEMPLATES}file:{log}", value, durable=True)
    await store.close()


def say(box: DaemonBox, line: str) -> None:
    with (box.folder / "shop.log").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def learned(box: DaemonBox) -> int:
    """Lines of the log of `shop` so far."""
    return sum(int(each["lines"]) for each in box.get("/v1/templates/shop"))


def ctl(box: DaemonBox, *words: str) -> str:
    """What the command prints; it must end well."""
    said = io.StringIO()
    with redirect_stdout(said):
        code = run(["--socket", str(box.socket), *words])
    assert code == 0, f"{words}: {code}\n{said.getvalue()}"
    return said.getvalue()


def every_verb_answers(box: DaemonBox) -> None:
    # how busy the processor is takes two looks
    until(lambda: CPU in {each["name"] for each in box.get("/v1/metrics")["series"]}, "the first values")
    for words in VERBS:
        assert ctl(box, *words).strip(), words
        assert json.loads(ctl(box, *words, "--json")) is not None, words


def risky(box: DaemonBox) -> set[str]:
    """What may come again."""
    return {json.dumps(each["key"]) for each in box.get("/v1/risk")["rows"]}


def on_the_timeline(box: DaemonBox) -> set[tuple[Any, ...]]:
    """What it tells of; the words of an issue are those of its newest look."""
    found = box.get("/v1/timeline", since_s=3600)
    return {(each["kind"], each["subject"], each["number"] or each["words"]) for each in found}


def issue_of(box: DaemonBox, service: str, metric: str = "") -> Any:
    """The first issue of a service, of this metric when one is named; None while there is none."""
    found = [each["issue"] for each in box.issues() if each["issue"]["id"] not in known]
    mine = [each for each in reversed(found) if each["subject"] == f"service:{service}"]
    return next((each for each in mine if not metric or each["metric"] == metric), None)


def test_every_verb_answers_on_a_fresh_daemon(box: DaemonBox) -> None:
    every_verb_answers(box)


def test_errors_after_an_edit_are_explained_by_it(troubles: DaemonBox) -> None:
    def told() -> bool:
        found = issue_of(troubles, "edited")
        return found is not None and "after web.toml changed" in ctl(troubles, "explain", str(found["id"]))

    until(told, "the explanation", within_s=WITHIN_S)
    story = troubles.get(f"/v1/issues/{issue_of(troubles, 'edited')['id']}")
    assert story["diagnosis"]["causes"][0]["cause"] == "config_changed"


def test_a_surge_of_errors_is_told(troubles: DaemonBox) -> None:
    surge = until(lambda: issue_of(troubles, "shop"), "the surge", within_s=WITHIN_S)
    assert (surge["type"], surge["severity"]) == ("high_error_rate", "warning")
    assert "ERROR payment" in surge["summary"]
    (log,) = troubles.get("/v1/templates/shop")
    assert [each["mark"] for each in log["templates"] if "payment" in each["text"]] == ["surging"]
    assert "surging" in ctl(troubles, "templates", "shop")


def test_a_dead_dependency_is_one_incident_that_names_who_needs_it(troubles: DaemonBox, receiver: Receiver) -> None:
    def told() -> list[Any]:
        return [each for each in receiver.got if "redis" in each["title"]]

    until(told, "the alert", within_s=WITHIN_S)
    until(lambda: any("page fails with it" in each["message"] for each in told()), "the child is named")
    opened = [each["subject"] for each in troubles.get("/v1/alerts")["now"]["open"]]
    assert "service:redis" in opened
    assert "service:page" not in opened
    assert not [each for each in receiver.got if "page" in each["title"]]
    page = issue_of(troubles, "page")
    assert troubles.get(f"/v1/issues/{page['id']}")["diagnosis"]["causes"][0]["cause"] == "parent_failed"


def test_a_leak_is_told_before_its_limit(troubles: DaemonBox) -> None:
    warning = until(lambda: issue_of(troubles, "leaky", "rss_mb.soon"), "the warning", within_s=WITHIN_S)
    assert warning["severity"] == "warning"
    assert warning["threshold"] == RSS_MB
    failure = until(lambda: issue_of(troubles, "leaky", "rss_mb"), "the limit", within_s=WITHIN_S)
    assert warning["opened_at"] < failure["opened_at"]


def test_what_was_learned_outlives_a_kill(troubles: DaemonBox) -> None:
    timeline = on_the_timeline(troubles)
    risks = risky(troubles)
    edges = {(each["child"], each["parent"]) for each in troubles.get("/v1/graph")["edges"]}
    assert ("change", "service:edited", "web.toml") in timeline
    assert ("page", "redis") in edges
    assert risks
    troubles.kill()
    troubles.start()
    every_verb_answers(troubles)
    until(lambda: learned(troubles) >= LEARNED, "the log is known")
    assert timeline <= on_the_timeline(troubles)
    assert risks <= risky(troubles)
    assert edges <= {(each["child"], each["parent"]) for each in troubles.get("/v1/graph")["edges"]}
