"""The graph is kept: declared edges always, seen ones while they are believed; and the suspects of an issue."""

from types import SimpleNamespace
from typing import Any

import pytest

from autonomyd.engine.facts.suspects import LEAD_S, SuspectsReader
from autonomyd.engine.insight import graph as graphs
from autonomyd.engine.insight.graph import KEPT_S, STATIC_EVERY_S, GraphKeeper
from autonomyd.engine.services import ServiceKeeper
from autonomyd.host import connections
from autonomyd.host.connections import Link, Links
from autonomyd.host.containers import stacks
from autonomyd.host.containers.api import EngineFailure
from autonomyd.model.graph import EdgeKind
from autonomyd.model.issue import IssueType
from autonomyd.model.service import Intent
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.monitor.ring import MetricsRing
from autonomyd.testing import FakeControl, ManualClock, issue, service_settings

WEB, DB = service_subject("web"), service_subject("db")


class House:
    """Services web, api and db; `seen` is what the next look at the connections tells."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = ManualClock()
        self.keeper = ServiceKeeper(
            clock=self.clock, make_control=lambda name, settings: FakeControl(pid=10), on_state=lambda *_: None
        )
        self.graphs = GraphKeeper(clock=self.clock, keeper=self.keeper, containers=_no_engines())
        self.seen = Links()
        self.asked: list[dict[str, int]] = []
        monkeypatch.setattr(connections, "links_between", self._look)

    async def add(self, name: str, **settings: Any) -> None:
        await self.keeper.add(name, service_settings(**settings), Intent.STARTED)

    def _look(self, mains: dict[str, int]) -> Links:
        self.asked.append(mains)
        return self.seen


def _no_engines() -> Any:
    """Nothing here runs in a container, so that no engine is asked."""
    return None


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> House:
    made = House(monkeypatch)
    await made.add("web", depends_on=("api",))
    await made.add("api")
    await made.add("db")
    return made


async def test_declared_edges_are_there_at_once_and_seen_ones_after_a_look(house: House) -> None:
    assert house.graphs.graph().above("web") == ("api",)
    house.seen = Links(links=(Link(child="api", parent="db", port=5432),), unseen=("web: hidden",))
    await house.graphs.tick()
    assert house.graphs.graph().above("web") == ("api", "db")
    assert house.asked == [{"web": 10, "api": 10, "db": 10}]
    report = house.graphs.report()
    assert [(each.child, each.parent, each.kind) for each in report.edges] == [
        ("web", "api", EdgeKind.DECLARED),
        ("api", "db", EdgeKind.CONNECTION),
    ]
    assert report.unseen == ("web: hidden",)
    assert report.nodes[0].state == "up"


async def test_a_connection_that_was_not_seen_for_a_day_is_forgotten(house: House) -> None:
    house.seen = Links(links=(Link(child="api", parent="db", port=5432),))
    await house.graphs.tick()
    house.seen = Links()
    house.clock.advance(KEPT_S - 1.0)
    await house.graphs.tick()
    assert house.graphs.graph().above("api") == ("db",)
    house.clock.advance(2.0)
    await house.graphs.tick()
    assert house.graphs.graph().above("api") == ()


async def test_a_service_that_is_configured_no_more_takes_its_edges_with_it(house: House) -> None:
    house.seen = Links(links=(Link(child="api", parent="db", port=5432),))
    await house.graphs.tick()
    await house.keeper.remove("db")
    assert house.graphs.graph().above("api") == ()
    house.seen = Links()
    await house.graphs.tick()
    await house.add("db")
    assert house.graphs.graph().above("api") == ()


async def test_edges_of_a_manager_go_when_services_have_another_and_stay_while_it_cannot_be_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [
        _member("web", needs=("db",)),
        _member("db"),
    ]

    async def asked(api: object) -> list[Any]:
        if not members:
            raise EngineFailure("away")
        return members

    monkeypatch.setattr(stacks, "stack_members", asked)
    monkeypatch.setattr(house.graphs, "_containers", SimpleNamespace(of=lambda socket: SimpleNamespace(api=None)))
    for name in ("web", "db"):
        await house.add(name, control={"type": "container", "name": name})
    house.graphs._see("api", "db", EdgeKind.UNIT, "systemd: Requires")
    await house.graphs.tick()
    assert house.graphs.graph().above("web") == ("db",)
    assert house.graphs.graph().above("api") == ()
    members.clear()
    house.clock.advance(STATIC_EVERY_S)
    await house.graphs.tick()
    assert house.graphs.graph().above("web") == ("db",)
    assert house.graphs.report().nodes[0].groups
    assert "can't be asked" in house.graphs.report().unseen[0]
    for name in ("web", "db"):
        await house.add(name)
    house.clock.advance(STATIC_EVERY_S)
    await house.graphs.tick()
    assert house.graphs.graph().above("web") == ()
    assert house.graphs.report().nodes[0].groups == ()
    assert house.graphs.report().unseen == ()


def _member(name: str, *, needs: tuple[str, ...] = ()) -> Any:
    return SimpleNamespace(
        project="shop", service=name, needs=needs, networks=(), is_named=lambda called: called == name
    )


async def test_what_was_only_seen_holds_and_orders_nobody(house: House) -> None:
    house.seen = Links(links=(Link(child="db", parent="web", port=80),))
    await house.graphs.tick()
    assert house.keeper.children_of("web") == ()
    assert house.keeper.parents_down(house.keeper.services["db"]) == ()


async def test_alone_nobody_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(monkeypatch)
    await house.graphs.tick()
    await house.add("web")
    await house.graphs.tick()
    assert house.asked == []


async def test_edges_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MOST_EDGES", 1)
    house.seen = Links(links=(Link(child="api", parent="db", port=1), Link(child="web", parent="db", port=1)))
    await house.graphs.tick()
    assert len(house.graphs.graph().edges) == 2  # the declared one, and one that was seen


def fill(ring: MetricsRing, clock: ManualClock, *, sick_at: int, rows: int, **levels: tuple[float, float]) -> None:
    """A row every 10 s; `levels` are the values before and from row `sick_at` on, by `subject__metric`."""
    for at in range(rows):
        clock.advance(10.0)
        for name, (well, sick) in levels.items():
            subject, _, metric = name.partition("__")
            value = (sick if at >= sick_at else well) * (1.0 + 0.01 * (at % 5))
            where = HOST if subject == "host" else service_subject(subject)
            ring.append(Subject(where), name, clock.monotonic(), {metric: value}, {metric: "MB"})


def reader(house: House, ring: MetricsRing) -> SuspectsReader:
    return SuspectsReader(house.clock, ring.reader, house.graphs.graph)


async def test_the_suspects_of_an_issue_are_what_moved_in_what_it_needs(house: House) -> None:
    ring = MetricsRing()
    fill(
        ring,
        house.clock,
        sick_at=60,
        rows=66,
        web__connect_ms=(5.0, 60.0),
        api__connect_ms=(2.0, 57.0),
        api__rss_mb=(100.0, 900.0),
        host__cpu_percent=(20.0, 21.0),
        db__rss_mb=(10.0, 900.0),  # nobody needs it
    )
    slow = issue(IssueType.HIGH_LATENCY, metric="connect_ms", opened_at=house.clock.wall() - 50.0)
    found = await reader(house, ring).read(slow, None)
    assert (found[0].subject, found[0].metric) == ("service:api", "rss_mb")
    assert found[0].words.startswith("rss_mb of service:api rose from 1")
    assert "MB" in found[0].words
    assert not [each for each in found if each.subject == DB]


async def test_too_short_a_history_names_nobody(house: House) -> None:
    ring = MetricsRing()
    fill(ring, house.clock, sick_at=10, rows=16, web__rss_mb=(10.0, 900.0))
    assert reader(house, ring).of(issue(IssueType.HIGH_LATENCY, opened_at=house.clock.wall() - 60.0 + LEAD_S)) == ()


async def test_an_empty_ring_and_a_clock_that_was_set_name_nobody(house: House) -> None:
    ring = MetricsRing()
    assert reader(house, ring).of(issue(IssueType.ANOMALY)) == ()
    fill(ring, house.clock, sick_at=30, rows=60, web__rss_mb=(10.0, 900.0))
    assert reader(house, ring).of(issue(IssueType.ANOMALY, opened_at=house.clock.wall() + 1e6)) == ()
    assert reader(house, ring).of(issue(IssueType.ANOMALY, opened_at=0.0)) == ()


def test_what_is_gone_or_proven_waits_for_no_series(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = SuspectsReader(ManualClock(), MetricsRing().reader, lambda: GraphKeeper)  # type: ignore[arg-type,return-value]
    assert not asked.wants(issue(IssueType.SERVICE_DOWN), None)
    assert not asked.wants(issue(IssueType.SERVICE_UNHEALTHY, certain=True), None)
    assert asked.wants(issue(IssueType.HIGH_LATENCY, service="x"), None)
