"""The parts of the anomaly detector, each against the plain way to say the same."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.anomaly.baseline import LASTS, SURE, Baseline
from autonomyd.analyze.anomaly.evidence import ENOUGH, FADES_S, LASTS_S, STRONG, Contributor, Evidence, strength
from autonomyd.analyze.anomaly.novelty import FARTHEST, FIRST, HORIZON, LEVELS, Novelty, tail
from autonomyd.analyze.anomaly.packed import packed, singles, unpacked
from autonomyd.analyze.anomaly.season import KNOWN_S, Season
from autonomyd.model.words import DAY_S, HOUR_S

MONDAY = 4 * DAY_S
"""5 January 1970."""


# --- newness ---------------------------------------------------------------------------------------------------------


def plain_rarities(values: list[float]) -> list[float]:
    """Nothing forgotten, nothing merged."""
    distances: list[float] = []
    made = []
    for number, value in enumerate(values):
        distance = min((abs(value - other) for other in values[:number]), default=0.0)
        if number < FIRST:
            made.append(0.0)
            continue
        at_least = sum(other >= distance for other in distances)
        made.append(math.log10((len(distances) + 1) / (at_least + 1)))
        distances.append(distance)
    return made


def test_few_levels_are_ranked_exactly() -> None:
    chance = random.Random(5)
    values = [float(chance.choice((1, 2, 4, 8)) * chance.choice((1, 3, 9))) for _ in range(FIRST + 60)]
    values += [100.0, 4.0, 300.0, 299.0]
    novelty = Novelty()
    assert [novelty.observe(value) for value in values] == pytest.approx(plain_rarities(values))


def test_many_levels_are_ranked_nearly_so() -> None:
    chance = random.Random(6)
    values = [chance.gauss(0.0, 1.0) for _ in range(2000)]
    novelty = Novelty()
    found = [novelty.observe(value) for value in values]
    plain = plain_rarities(values)
    rare = {number for number, rarity in enumerate(plain) if rarity > 2.0}
    near = {number for number, rarity in enumerate(found) if rarity > 1.7}
    assert len(rare) > 5
    assert len(rare - near) <= len(rare) // 5


def test_newness_is_bounded_in_memory_and_in_what_it_says() -> None:
    chance = random.Random(7)
    novelty = Novelty()
    found = [novelty.observe(chance.lognormvariate(0.0, 3.0)) for _ in range(3 * HORIZON)]
    assert max(found) <= math.log10(HORIZON) + tail(1.0, 0.0)
    kept = novelty.dump()
    assert len(unpacked(kept["levels"])) <= LEVELS
    assert len(unpacked(kept["largest"])) <= FARTHEST
    assert kept["ranked"] < HORIZON


def test_what_was_always_so_is_no_news_after_any_time() -> None:
    chance = random.Random(4)
    novelty = Novelty()
    few = [novelty.observe(float(chance.randrange(50))) for _ in range(3 * HORIZON)]
    assert max(few[HORIZON // 2 :]) == 0.0


def test_what_is_usual_may_change_for_the_rank() -> None:
    chance = random.Random(8)
    novelty = Novelty()
    for _ in range(HORIZON):
        novelty.observe(chance.uniform(0.0, 1e6))
    for _ in range(4 * HORIZON):
        novelty.observe(chance.uniform(0.0, 1.0))
    assert novelty.observe(1e9) > 3.5


@given(st.lists(st.floats(-1e30, 1e30), max_size=300))
def test_any_numbers_have_a_rank(values: list[float]) -> None:
    novelty = Novelty()
    for value in values:
        assert math.isfinite(novelty.observe(value))


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_packed_numbers_come_back(values: list[float]) -> None:
    assert unpacked(packed(singles(values))).tolist() == values


@pytest.mark.parametrize("text", ["A", "AAA=", "AAAAAAA=", "%%%%", "é"])
def test_what_was_not_packed_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several kinds of ValueError
        unpacked(text)


# --- season and baseline ---------------------------------------------------------------------------------------------


def test_hours_are_learned_apart_for_weekends() -> None:
    season = Season()
    for number in range(21 * 24):
        at = MONDAY + number * HOUR_S
        weekend = number // 24 % 7 >= 5
        season.observe(at, 10.0 if weekend else float(number % 24))
    assert season.seasonal
    monday, saturday = MONDAY + 21 * DAY_S, MONDAY + 26 * DAY_S
    assert season.observe(monday + 9 * HOUR_S, 9.0) == pytest.approx(0.0, abs=0.01)
    assert season.observe(saturday + 9 * HOUR_S, 9.0) == pytest.approx(-1.0, abs=0.01)


def test_there_is_no_season_before_two_days_nor_in_noise() -> None:
    season, chance = Season(), random.Random(1)
    for number in range(int(KNOWN_S / HOUR_S) * 4):
        season.observe(MONDAY + number * HOUR_S / 4, float(number // 4 % 24))
        assert not season.seasonal
    season.observe(MONDAY + KNOWN_S, 0.0)
    assert season.seasonal
    plain = Season()
    for number in range(5000):
        plain.observe(MONDAY + number * 300.0, chance.gauss(0.0, 1.0))
    assert not plain.seasonal


def test_a_baseline_is_not_moved_by_what_is_not_usual_until_it_stays() -> None:
    baseline, chance = Baseline(), random.Random(2)
    for _ in range(500):
        baseline.observe(chance.gauss(10.0, 1.0))
    level, spread = baseline.level, baseline.spread
    moves = [baseline.observe(40.0 + chance.gauss(0.0, 2.0)) for _ in range(LASTS - 1)]
    assert not any(moves)
    assert (baseline.level, baseline.spread) == (level, spread)
    assert any(baseline.observe(40.0) for _ in range(5))
    assert baseline.level == pytest.approx(40.0, abs=1.5)
    assert baseline.spread == pytest.approx(1.6, abs=0.8)
    assert baseline.away == 0


def test_a_baseline_is_not_moved_by_what_comes_and_goes() -> None:
    baseline = Baseline()
    for number in range(SURE + 10 * LASTS):
        assert not baseline.observe(100.0 if number % 2 and number > SURE else float(number % 3))


# --- evidence --------------------------------------------------------------------------------------------------------


def contributor(metric: str = "cpu", decades: float = ENOUGH, at: float = 0.0) -> Contributor:
    return Contributor(
        metric=metric,
        unit="%",
        since=at,
        seen=at,
        looked=at,
        value=9.0,
        expected=1.0,
        spread=0.5,
        strength=decades,
    )


def test_distances_that_matter_to_nobody_are_no_measure() -> None:
    assert strength(2.0, 1.0, 2.0, 0.5) == 2.0
    assert strength(6.0, 20.0, 2.0, 0.5) == 6.0
    assert strength(3.0 + tail(20.0, 0.02), 20.0, 0.02, 2.0) == pytest.approx(6.0)
    assert strength(3.0 + tail(20.0, 0.0), 20.0, 0.0, 2.0) == pytest.approx(6.0)
    assert strength(3.0, 0.4, 0.0, 0.5) == 0.0
    assert math.isfinite(strength(3.0, 1e30, 0.0, 0.0))


def test_the_tail_goes_on_with_the_distance() -> None:
    chance = random.Random(9)
    novelty = Novelty()
    for _ in range(2 * FIRST):
        novelty.observe(chance.random())
    before = novelty.dump()
    found = []
    for value in (2.0, 11.0, 101.0):
        novelty.load(before)
        found.append(novelty.observe(value))
    assert found[1] - found[0] == pytest.approx(3.0, abs=0.2)
    assert found[2] - found[1] == pytest.approx(3.0, abs=0.2)


def stay(evidence: Evidence, metrics: dict[str, float], seconds: float) -> None:
    for metric, decades in metrics.items():
        evidence.surprised(contributor(metric, decades))
    for at in range(0, int(seconds) + 1, 10):
        for metric in metrics:
            evidence.looked(metric, float(at), True)


@pytest.mark.parametrize(
    ("metrics", "seconds", "telling"),
    [
        ({"cpu": ENOUGH}, LASTS_S - 10, False),
        ({"cpu": ENOUGH}, LASTS_S, True),
        ({"cpu": ENOUGH, "load": ENOUGH, "io": ENOUGH}, LASTS_S / 3, True),
        ({"cpu": ENOUGH, "load": STRONG, "io": STRONG}, LASTS_S / 3, False),
        ({"cpu": ENOUGH - 0.1, "load": ENOUGH - 0.1}, LASTS_S, False),
        ({f"m{number}": ENOUGH for number in range(20)}, 60.0, False),
    ],
)
def test_what_is_far_and_stays_is_telling(metrics: dict[str, float], seconds: float, telling: bool) -> None:
    evidence = Evidence()
    stay(evidence, metrics, seconds)
    assert evidence.telling is telling


def test_strange_samples_with_usual_ones_between_do_not_add_up() -> None:
    evidence = Evidence()
    evidence.surprised(contributor())
    for at in range(0, 7200, 10):
        evidence.looked("cpu", float(at), at % 100 == 0)
        assert not evidence.telling
    assert not evidence


def test_evidence_fades_when_the_metric_is_usual_again_or_silent() -> None:
    evidence = Evidence()
    stay(evidence, {"cpu": ENOUGH, "load": STRONG}, LASTS_S)
    assert [each.metric for each in evidence.ranked()] == ["cpu", "load"]
    for at in range(0, int(FADES_S) + 20, 10):
        evidence.looked("cpu", LASTS_S + at, False)
    assert [each.metric for each in evidence.ranked()] == ["load"]
    evidence.silent("load")
    evidence.silent("load")
    assert not evidence
    assert not evidence.telling


def test_the_strongest_value_of_a_metric_is_kept() -> None:
    evidence = Evidence()
    evidence.surprised(contributor(decades=4.0))
    evidence.surprised(contributor(decades=6.0, at=50.0))
    evidence.surprised(contributor(decades=5.0, at=90.0))
    (found,) = evidence.ranked()
    assert (found.strength, found.since) == (6.0, 0.0)
