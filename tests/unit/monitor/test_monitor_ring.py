"""The ring: what it holds, that nobody but its writer can change it, and that views never change."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.model.subject import HOST, Subject
from autonomyd.monitor import ring as ring_module
from autonomyd.monitor.ring import CAPACITY, SINGLE, MetricsRing

UNITS = {"cpu": "%"}


def filled(values, capacity=CAPACITY):
    ring = MetricsRing(capacity)
    for at, value in enumerate(values):
        ring.append(HOST, "host", float(at), {"cpu": value}, UNITS)
    return ring


@settings(max_examples=60)
@given(
    values=st.lists(st.floats(allow_nan=False), min_size=1, max_size=400),
    capacity=st.sampled_from([1, 2, 3, 7, 63, 64, 65, 100]),
)
def test_the_view_is_the_last_capacity_samples_of_any_sequence(values, capacity):
    view = filled(values, capacity).reader.view(HOST, "cpu")
    assert list(view.values) == values[-capacity:]
    assert list(view.at) == [float(at) for at in range(len(values))][-capacity:]


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 999, 1000, 1001, 1063, 1064, 1065, 2127, 5000])
def test_it_holds_the_last_thousand(count):
    view = filled(range(count)).reader.view(HOST, "cpu")
    assert list(view.values) == list(range(count))[-1000:]


def test_a_flood_of_subjects_is_bounded_and_drops_the_longest_unheard(monkeypatch):
    monkeypatch.setattr(ring_module, "MOST_FRAMES", 40)
    dropped = []
    ring = MetricsRing(10, dropped=dropped.extend)
    for number in range(500):
        ring.append(HOST, "host", float(number), {"cpu": 1.0}, UNITS)
        ring.append(Subject(f"disk:/run/{number}"), "host", float(number), {"used": 1.0}, UNITS)
        assert len(ring.reader.names()) <= 40
    assert ring.reader.last(HOST, "cpu") == 1.0
    assert ring.reader.last(Subject("disk:/run/499"), "used") == 1.0
    assert len(set(dropped)) == len(dropped) == 501 - len(ring.reader.names())
    assert (HOST, "cpu") not in dropped
    assert ring.reader.names(since=499.0) == ((HOST, "cpu"), (Subject("disk:/run/499"), "used"))


@settings(max_examples=40)
@given(steps=st.lists(st.integers(0, 90), min_size=1, max_size=12))
def test_a_view_that_was_handed_out_never_changes(steps):
    ring, views, at = MetricsRing(50), [], 0
    for step in steps:
        for _ in range(step):
            ring.append(HOST, "host", float(at), {"cpu": at * 1.0}, UNITS)
            at += 1
        view = ring.reader.view(HOST, "cpu")
        if view is not None:
            views.append((view, list(view.at), list(view.values)))
    for view, times, values in views:
        assert (list(view.at), list(view.values)) == (times, values)


@pytest.mark.parametrize("column", ["at", "values"])
def test_a_view_can_not_be_written(column):
    view = filled([1.0, 2.0]).reader.view(HOST, "cpu")
    with pytest.raises(TypeError):
        getattr(view, column)[0] = 5.0
    with pytest.raises((TypeError, ValueError)):
        getattr(view, column).cast("B")[0] = 5
    assert list(filled([1.0, 2.0]).reader.view(HOST, "cpu").values) == [1.0, 2.0]


def test_the_reader_has_no_way_to_write():
    assert not any(hasattr(filled([1.0]).reader, name) for name in ("append", "forget", "clear"))


def test_metrics_that_a_row_lacks_are_nan_and_are_left_out_of_what_is_known():
    ring = MetricsRing()
    ring.append(HOST, "host", 1.0, {"cpu": 10.0}, UNITS)
    ring.append(HOST, "host", 2.0, {"memory": 20.0}, UNITS)
    ring.append(HOST, "host", 3.0, {"cpu": 30.0, "memory": 40.0}, UNITS)
    cpu, memory = ring.reader.view(HOST, "cpu"), ring.reader.view(HOST, "memory")
    assert [math.isnan(value) for value in cpu.values] == [False, True, False]
    assert [math.isnan(value) for value in memory.values] == [True, False, False]
    assert list(cpu.known()) == [(1.0, 10.0), (3.0, 30.0)]
    assert (cpu.unit, memory.unit, cpu.name) == ("%", "", "host/cpu")


def test_what_is_not_known_now_has_no_newest_value():
    ring = MetricsRing()
    ring.append(HOST, "host", 1.0, {"cpu": 10.0}, UNITS)
    ring.append(HOST, "host", 2.0, {"memory": 20.0}, UNITS)
    assert ring.reader.last(HOST, "cpu") is None
    assert ring.reader.latest(HOST) == {"memory": 20.0}
    assert ring.reader.view(HOST, "nothing") is None
    assert ring.reader.view(Subject("disk:/"), "cpu") is None


def test_a_row_that_lacks_a_metric_stays_nan_after_the_columns_moved():
    ring = MetricsRing(10)
    ring.append(HOST, "host", 0.0, {"cpu": 1.0, "memory": 2.0}, UNITS)
    for at in range(1, 40):
        ring.append(HOST, "host", float(at), {"cpu": 1.0}, UNITS)
    assert all(math.isnan(value) for value in ring.reader.view(HOST, "memory").values)


STEADY = st.sampled_from([None, 0.0, 0.0, 0.0, 1.0, math.nan])


@settings(max_examples=150)
@given(rows=st.lists(st.tuples(STEADY, STEADY), min_size=1, max_size=60), capacity=st.sampled_from([1, 2, 7, 100]))
def test_columns_that_seldom_change_tell_the_same_as_any_other(rows, capacity):
    ring, expected = MetricsRing(capacity), {"a": [], "b": []}
    for at, pair in enumerate(rows):
        values = {name: value for name, value in zip("ab", pair, strict=True) if value is not None}
        ring.append(HOST, "host", float(at), values, UNITS)
        for name, column in expected.items():
            column.append(values.get(name, math.nan))
    for name, column in expected.items():
        view = ring.reader.view(HOST, name)
        if view is not None:
            assert repr(list(view.values)) == repr(column[-capacity:])
            assert len(view.at) == len(view.values)
            last = None if math.isnan(column[-1]) else column[-1]
            assert ring.reader.last(HOST, name) == last


def test_a_steady_view_can_not_be_written_and_does_not_change():
    ring = filled([3.0] * 5)
    view = ring.reader.view(HOST, "cpu")
    ring.append(HOST, "host", 5.0, {"cpu": 4.0}, UNITS)
    assert list(view.values) == [3.0] * 5
    assert view.values.readonly


def test_series_are_found_by_their_full_name():
    ring = filled([7.0])
    assert list(ring.reader.by_name("host/cpu").values) == [7.0]
    assert ring.reader.by_name("host/none") is None
    assert ring.reader.names() == ((HOST, "cpu"),)


def test_subscribers_hear_every_row_until_they_leave():
    ring, heard = MetricsRing(), []
    leave = ring.reader.subscribe(lambda subject, at, values: heard.append((subject, at, dict(values))))
    ring.append(HOST, "host", 1.0, {"cpu": 5.0}, UNITS)
    leave()
    ring.append(HOST, "host", 2.0, {"cpu": 6.0}, UNITS)
    assert heard == [(HOST, 1.0, {"cpu": 5.0})]


def test_one_that_raises_costs_neither_the_row_nor_the_others_theirs():
    ring, heard = MetricsRing(10), []
    ring.reader.subscribe(lambda *row: 1 / 0)
    ring.reader.subscribe(lambda subject, at, values: heard.append(at))
    for at in (1.0, 2.0, 3.0):
        ring.append(HOST, "host", at, {"x": at}, {})
    assert heard == [1.0, 2.0, 3.0]
    assert ring.reader.last(HOST, "x") == 3.0


def test_a_subscriber_that_leaves_while_it_is_told_takes_no_row_from_the_next():
    ring, heard = MetricsRing(), []
    leave = ring.reader.subscribe(lambda *row: leave())
    ring.reader.subscribe(lambda subject, at, values: heard.append(at))
    ring.append(HOST, "host", 1.0, {"cpu": 5.0}, UNITS)
    assert heard == [1.0]


def test_forgetting_a_probe_drops_all_its_subjects_and_no_other():
    ring = MetricsRing()
    for subject in (HOST, Subject("disk:/"), Subject("disk:/var")):
        ring.append(subject, "host", 1.0, {"cpu": 5.0}, UNITS)
    ring.append(HOST, "other", 1.0, {"load": 1.0}, {})
    ring.forget("host")
    assert ring.reader.names() == ((HOST, "load"),)


@settings(max_examples=30)
@given(
    gaps=st.lists(st.floats(0.01, 60.0), min_size=1, max_size=300),
    began=st.floats(0.0, 3e7),
    capacity=st.sampled_from([1, 2, 7, 64, 100]),
)
def test_kept_as_singles_times_are_right_to_the_millisecond(gaps, began, capacity):
    ring, at, times = MetricsRing(capacity), began, []
    for number, gap in enumerate(gaps):
        at += gap
        times.append(at)
        ring.append(HOST, "host", at, {"cpu": number / 3}, UNITS, code=SINGLE)
    view = ring.reader.view(HOST, "cpu")
    assert list(view.at) == pytest.approx(times[-capacity:], abs=2e-3)
    assert list(view.values) == pytest.approx([number / 3 for number in range(len(gaps))][-capacity:], rel=1e-6)
    assert view.at.readonly
