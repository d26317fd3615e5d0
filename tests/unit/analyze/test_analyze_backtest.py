"""A rule on recorded points raises and clears as it would have in life, and is held against what was recorded."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.backtest import Judge, Rule, Trouble, replayed, tried
from autonomyd.analyze.detectors.threshold import ThresholdDetector, ThresholdRule
from autonomyd.analyze.trials import DETECTORS, BadRule, detector_rule, threshold_rule, threshold_words, wish_of
from autonomyd.model.rollup import Point

CPU = ThresholdRule(enter=80.0, clear=75.0, for_s=60.0, consecutive=3)


def still(minute: int, value: float, *, spread: float = 0.0) -> Point:
    return Point(minute * 60.0, 60.0, 6, value - spread, value + spread, value, value)


def day(*busy: range, level: float = 90.0, minutes: int = 1440) -> list[Point]:
    """A calm day with `level` in the minutes of `busy`."""
    high = {minute for each in busy for minute in each}
    return [still(minute, level if minute in high else 20.0) for minute in range(minutes)]


def cpu(words: str = "cpu_percent") -> Rule:
    return threshold_rule(wish_of(words), CPU)


def test_it_raises_and_clears_where_the_detector_does() -> None:
    (alarm,) = replayed(cpu(), day(range(100, 110)))
    assert alarm.raised_at == 100 * 60 + 10 + 60
    assert alarm.cleared_at == 110 * 60 + 10
    assert (alarm.lowest, alarm.highest) == (90.0, 90.0)


def test_one_high_value_of_a_minute_is_not_a_high_minute() -> None:
    points = [Point(minute * 60.0, 60.0, 6, 10.0, 99.0, 25.0, 12.0) for minute in range(30)]
    assert replayed(cpu(), points) == []


@given(st.lists(st.lists(st.floats(0, 100), min_size=6, max_size=6), min_size=1, max_size=40))
def test_points_of_one_sample_replay_exactly(minutes: list[list[float]]) -> None:
    """With a point a sample nothing is lost: the replay is the detector."""
    points, detector, raised = [], ThresholdDetector(CPU), 0
    was = False
    for index, value in enumerate(value for minute in minutes for value in minute):
        points.append(Point(index * 10.0, 10.0, 1, value, value, value, value))
        detector.observe(index * 10.0 + 10.0, value)
        raised += detector.raised and not was
        was = detector.raised
    assert len(replayed(cpu(), points)) == raised


def test_a_hole_ends_what_was_raised_and_begins_the_rule_anew() -> None:
    points = day(range(100, 200))
    holed = [point for point in points if not 120 * 60 <= point.at < 130 * 60]
    first, second = replayed(cpu(), holed)
    assert first.cleared_at == 120 * 60
    assert second.raised_at == 130 * 60 + 70


def test_what_is_raised_at_the_end_stays_so() -> None:
    (alarm,) = replayed(cpu(), day(range(1430, 1440)))
    assert alarm.cleared_at is None


def test_hits_misses_false_alarms_and_lead() -> None:
    points = day(range(100, 120), range(500, 520), range(1000, 1020))
    troubles = [
        Trouble(issue=1, began=105 * 60.0, ended=118 * 60.0, fixes=1),
        Trouble(issue=2, began=550 * 60.0, ended=None),
        Trouble(issue=3, began=300 * 60.0, ended=310 * 60.0),
        Trouble(issue=4, began=-900.0, ended=-300.0),
    ]
    found = tried(cpu(), points, troubles[:1] + troubles[2:], name="host/cpu.percent", unit="%")
    assert [alarm.issue for alarm in found.alarms] == [1, None, None]
    score = found.score
    assert (score.alarms, score.hits, score.missed, score.false_alarms, score.fixed) == (3, 1, 1, 2, 1)
    assert found.missed == (3,)
    assert score.lead_s == 105 * 60 - (100 * 60 + 70)
    assert score.covered_s == 86400.0
    assert score.longest_s == 20 * 60 - 60
    warned = tried(cpu(), points, troubles[1:2], name="x", unit="")
    assert [alarm.issue for alarm in warned.alarms] == [None, 2, 2], "it lasts: what comes later belongs to it too"
    assert warned.score.hits == 1
    assert warned.score.lead_s == 550 * 60 - (500 * 60 + 70)


def test_only_the_newest_alarms_are_listed_and_all_are_counted() -> None:
    points = day(*(range(at, at + 4) for at in range(0, 1440, 8)))
    found = tried(cpu(), points, [], name="x", unit="")
    assert found.score.alarms == 180
    assert len(found.alarms) == 100


def test_other_levels_and_the_words_for_them() -> None:
    assert threshold_words(CPU) == "over 80 for 1 min, 3 samples in a row; clear at 75"
    assert cpu("cpu_percent enter=60").words == "over 60 for 1 min, 3 samples in a row; clear at 55"
    wide = cpu("cpu_percent enter=60 clear=50 for=5m samples=4 of=5")
    assert wide.words == "over 60 for 5 min, 4 of 5 samples; clear at 50"
    low = threshold_rule(wish_of("hit_rate enter=0.5 clear=0.7 samples=1"), None)
    assert low.words == "under 0.5, 1 sample in a row; clear at 0.7"
    assert [len(replayed(rule, day(range(9), level=70.0))) for rule in (cpu(), wide)] == [0, 1]
    new = threshold_rule(wish_of("queue enter=100"), None)
    assert new.words == "over 100, 3 samples in a row; clear at 90"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "begins with its name"),
        ("enter=3", "begins with its name"),
        ("cpu_percent a b", "one series at a time"),
        ("cpu_percent enter=nan", "must be a number"),
        ("cpu_percent enter=", "must be a number"),
        ("cpu_percent for=-1", "must be a number"),
        ("cpu_percent for=abcm", "must be a number"),
        ("cpu_percent colour=3", "no option colour"),
        ("cpu_percent enter=60 clear=60", "must differ"),
        ("cpu_percent clear=90", "must be below enter"),
    ],
)
def test_what_is_wrong_is_said(words: str, said: str) -> None:
    with pytest.raises(BadRule, match=said):
        threshold_rule(wish_of(words), CPU)


def test_a_metric_without_a_threshold_needs_a_level() -> None:
    with pytest.raises(BadRule, match="give it a level"):
        threshold_rule(wish_of("rss_mb"), None)


@given(st.text(max_size=60))
def test_any_words_are_a_rule_or_refused(words: str) -> None:
    with suppress(BadRule):
        assert threshold_rule(wish_of(words), CPU).words


def test_detectors_by_name() -> None:
    assert set(DETECTORS) == {"anomaly", "forecast", "leak", "rate"}
    with pytest.raises(BadRule, match="there are: anomaly, forecast, leak, rate"):
        detector_rule(wish_of("magic"))
    with pytest.raises(BadRule, match="bound"):
        detector_rule(wish_of("leak"))
    with pytest.raises(BadRule, match="reaching a bound"):
        detector_rule(wish_of("forecast within=3d"))
    with pytest.raises(BadRule, match="within a time"):
        detector_rule(wish_of("rate within=3d"))
    with pytest.raises(BadRule, match="no option enter"):
        detector_rule(wish_of("anomaly enter=3"))


def test_the_leak_detector_on_a_leak() -> None:
    points = [still(minute, 400.0 + 0.2 * minute) for minute in range(600)]
    rule = detector_rule(wish_of("leak service:web/rss_mb bound=500"))
    alarms = replayed(rule, points)
    assert alarms
    assert 400 + 0.2 * alarms[0].raised_at / 60 < 500
    assert replayed(detector_rule(wish_of("leak bound=5000")), points) == []


def test_the_anomaly_detector_on_a_surprise() -> None:
    points = day(range(1000, 1003), level=95.0)
    noisy = [point._replace(mean=point.mean + (point.at / 60 * 7919 % 13) / 5) for point in points]
    alarms = replayed(detector_rule(wish_of("anomaly")), noisy)
    assert any(1000 * 60 <= alarm.raised_at <= 1004 * 60 for alarm in alarms)
    assert all(alarm.cleared_at is not None and alarm.cleared_at - alarm.raised_at >= 900 for alarm in alarms)


def test_the_forecast_of_a_disk_that_fills() -> None:
    points = [still(minute, 73.0 + minute / 288.0 + (minute * 7919 % 13) / 100) for minute in range(4 * 1440)]
    rule = detector_rule(wish_of("forecast bound=95 within=2d"))
    assert rule.words == "on the way to 95 within 2 days"
    alarms = replayed(rule, points)
    assert alarms
    left_s = (95.0 - (73.0 + alarms[-1].raised_at / 60 / 288.0)) * 288 * 60
    assert 1.5 * 86400 < left_s < 2.5 * 86400
    assert alarms[-1].cleared_at is None
    flat = [still(minute, 50.0 + (minute * 7919 % 13) / 100) for minute in range(2 * 1440)]
    assert replayed(rule, flat) == []


def test_a_rate_of_change() -> None:
    points = day(range(600, 700), level=60.0)
    (alarm,) = replayed(detector_rule(wish_of("rate host/memory.percent change=30 within=5m")), points)
    assert 600 * 60 < alarm.raised_at <= 602 * 60
    (drop,) = replayed(detector_rule(wish_of("rate change=-30")), points)
    assert 700 * 60 < drop.raised_at <= 702 * 60


def test_a_judge_that_can_not_tell_changes_nothing() -> None:
    answers = iter([None, True, None, None, False])
    judge: Judge = lambda at, value: next(answers)  # noqa: E731
    (alarm,) = replayed(Rule(name="x", words="", begin=lambda: judge, whole=False), day(minutes=5))
    assert (alarm.raised_at, alarm.cleared_at) == (120.0, 300.0)
