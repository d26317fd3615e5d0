"""The root cause comes first: by how far it moved, by what it is, by who calls whom."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.root_cause.kinds import Kind, kind_of
from autonomyd.analyze.root_cause.ranking import Name, ranked
from autonomyd.analyze.root_cause.told import suspects

ROWS = 120
Columns = dict[tuple[str, str], tuple[float, float]]


def column(rng: random.Random, level: float, noise: float = 0.05, rows: int = ROWS) -> list[float]:
    return [level * (1.0 + noise * rng.gauss(0.0, 1.0)) for _ in range(rows)]


def first(
    columns: Columns, *, target: Name | None = None, calls: dict[str, list[str]] | None = None, rows: int = ROWS
) -> tuple[str, str]:
    """(node, metric) that is named first; `columns` gives each series' level before and during."""
    rng = random.Random(7)
    names: list[Name] = [(node, metric, "") for node, metric in columns]
    normal = [column(rng, before, rows=rows) for before, _ in columns.values()]
    abnormal = [column(rng, during, rows=rows) for _, during in columns.values()]
    found = ranked(names, normal, abnormal, target=target, calls=calls)
    return found[0].node, found[0].metric


@pytest.mark.parametrize(
    ("metric", "kind"),
    [
        ("cpu", Kind.RESOURCE),
        ("cpu_percent", Kind.RESOURCE),
        ("rss_mb", Kind.RESOURCE),
        ("load1", Kind.RESOURCE),
        ("load", Kind.TRAFFIC),
        ("latency-90", Kind.LATENCY),
        ("connect_ms", Kind.LATENCY),
        ("responseTime", Kind.LATENCY),
        ("request_errors", Kind.ERRORS),
        ("availability", Kind.SUCCESS),
        ("requests", Kind.TRAFFIC),
        ("diskio", Kind.RESOURCE),
        ("socket", Kind.RESOURCE),
        ("", Kind.OTHER),
        ("colour", Kind.OTHER),
        ("\x00\ud800", Kind.OTHER),
    ],
)
def test_the_words_of_a_name_tell_the_kind(metric: str, kind: Kind) -> None:
    assert kind_of(metric) is kind


def test_what_a_node_uses_up_comes_before_the_slowness_that_follows() -> None:
    columns: Columns = {
        ("front", "cpu"): (0.2, 0.21),
        ("front", "latency"): (0.10, 0.30),
        ("cart", "cpu"): (0.1, 0.9),
        ("cart", "latency"): (0.02, 0.20),
        ("pay", "cpu"): (0.1, 0.1),
        ("pay", "latency"): (0.02, 0.02),
    }
    assert first(columns) == ("cart", "cpu")


def test_less_use_and_fewer_requests_follow_from_a_fault() -> None:
    columns: Columns = {
        ("front", "latency"): (0.1, 0.4),
        ("front", "load"): (100.0, 30.0),
        ("cart", "cpu"): (0.5, 0.1),
        ("cart", "load"): (100.0, 30.0),
        ("db", "latency"): (0.01, 0.31),
        ("db", "cpu"): (0.3, 0.1),
    }
    assert first(columns) == ("db", "latency")


CALLS = {"front": ["cart", "pay"], "cart": ["db"], "pay": ["db", "bank"], "db": [], "bank": []}
SLOW: Columns = {
    ("front", "latency"): (0.20, 1.00),
    ("cart", "latency"): (0.05, 0.06),
    ("pay", "latency"): (0.10, 0.90),
    ("db", "latency"): (0.02, 0.02),
    ("bank", "latency"): (0.06, 0.86),
}


def test_slowness_is_followed_from_the_alert_down_to_the_callee_that_accounts_for_it() -> None:
    assert first(SLOW, target=("front", "latency", ""), calls=CALLS) == ("bank", "latency")


def test_a_callee_that_moved_a_little_does_not_account_for_it() -> None:
    columns = {**SLOW, ("bank", "latency"): (0.0010, 0.0013)}
    assert first(columns, target=("front", "latency", ""), calls=CALLS) == ("pay", "latency")


def test_a_node_without_figures_is_looked_through() -> None:
    columns = {name: levels for name, levels in SLOW.items() if name[0] != "pay"}
    assert first(columns, target=("front", "latency", ""), calls=CALLS) == ("bank", "latency")


def test_callers_in_a_circle_end() -> None:
    calls = {"front": ["pay", "front"], "pay": ["front", "bank"], "bank": ["pay"]}
    assert first(SLOW, target=("front", "latency", ""), calls=calls)[1] == "latency"


def test_falling_availability_is_followed_like_slowness() -> None:
    columns: Columns = {
        ("front", "availability"): (100.0, 80.0),
        ("cart", "availability"): (100.0, 100.0),
        ("pay", "availability"): (100.0, 79.0),
        ("pay", "latency"): (0.1, 0.2),
    }
    rng = random.Random(3)
    names: list[Name] = [(node, metric, "Average") for node, metric in columns]
    normal = [column(rng, before, 0.001, rows=12) for before, _ in columns.values()]
    abnormal = [column(rng, during, 0.01, rows=4) for _, during in columns.values()]
    found = ranked(
        names, normal, abnormal, target=("front", "availability", "Average"), calls={"front": ["cart", "pay"]}
    )
    assert (found[0].node, found[0].metric) == ("pay", "availability")


def test_when_everything_is_asked_more_the_load_is_the_cause_and_the_first_caller_its_place() -> None:
    columns: Columns = {}
    for node, cpu in (("front", 0.3), ("cart", 0.2), ("pay", 0.1), ("db", 0.2), ("bank", 0.1)):
        columns[node, "load"] = (100.0, 300.0)
        columns[node, "cpu"] = (cpu, 2.9 * cpu)
    assert first(columns, calls=CALLS) == ("front", "load")


def test_a_machine_that_is_strained_explains_the_slowness_of_what_runs_on_it() -> None:
    columns: Columns = {
        ("web", "connect_ms"): (5.0, 50.0),
        ("web", "cpu_percent"): (10.0, 10.0),
        ("host", "cpu_percent"): (20.0, 99.0),
    }
    assert first(columns, target=("web", "connect_ms", ""), calls={"web": ["host"]}) == ("host", "cpu_percent")


def test_a_service_that_strains_the_machine_is_the_cause_and_not_the_machine() -> None:
    columns: Columns = {
        ("web", "connect_ms"): (5.0, 50.0),
        ("web", "cpu_percent"): (10.0, 90.0),
        ("host", "cpu_percent"): (20.0, 99.0),
    }
    assert first(columns, target=("web", "connect_ms", ""), calls={"web": ["host"]}) == ("web", "cpu_percent")


def test_a_few_rows_are_enough() -> None:
    assert first(SLOW, target=("front", "latency", ""), calls=CALLS, rows=5) == ("bank", "latency")


def test_constant_empty_and_short_columns_are_no_suspects() -> None:
    names: list[Name] = [("a", "cpu", ""), ("b", "cpu", ""), ("c", "cpu", ""), ("d", "cpu", "")]
    normal = [[1.0] * 60, [], [math.nan] * 60, column(random.Random(1), 0.1, rows=60)]
    abnormal = [[1.0] * 60, [5.0], [9.0] * 60, column(random.Random(2), 0.9, rows=60)]
    found = ranked(names, normal, abnormal)
    assert [each.node for each in found] == ["d", "a"]
    assert found[1].score == 0.0


def test_without_any_move_nobody_is_told_of() -> None:
    rng = random.Random(5)
    names: list[Name] = [(node, "cpu", "") for node in "abc"]
    found = ranked(names, [column(rng, 1.0) for _ in "abc"], [column(rng, 1.0) for _ in "abc"])
    assert suspects(found, {}, most=5, least=0.05, matters={}) == ()


def test_the_suspects_are_told_in_figures_with_units() -> None:
    rng = random.Random(5)
    found = ranked([("service:db", "rss_mb", "")], [column(rng, 100.0)], [column(rng, 400.0)])
    told = suspects(found, {("service:db", "rss_mb"): "MB"}, most=5, least=0.05, matters={})
    assert told[0].words.startswith("rss_mb of service:db rose from ")
    assert " MB to " in told[0].words
    assert told[0].share == 100.0
    assert told[0].rising


VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30)


@settings(max_examples=60)
@given(
    columns=st.lists(st.tuples(st.sampled_from("abcd"), st.text(max_size=8), VALUES, VALUES), max_size=8),
    calls=st.none() | st.dictionaries(st.sampled_from("abcdx"), st.lists(st.sampled_from("abcdx"), max_size=5)),
    aim=st.none() | st.integers(min_value=0, max_value=7),
)
def test_whatever_comes_in_it_is_ranked_without_an_exception(
    columns: list[tuple[str, str, list[float], list[float]]], calls: dict[str, list[str]] | None, aim: int | None
) -> None:
    names = [(node, metric, "") for node, metric, _, _ in columns]
    target = names[aim] if aim is not None and aim < len(names) else None
    found = ranked(names, [each[2] for each in columns], [each[3] for each in columns], target=target, calls=calls)
    scores = [each.score for each in found]
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(score) for score in scores)
