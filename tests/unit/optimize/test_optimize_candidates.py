"""Which probes could be looked at less often, how sure that is, and which of the proposals are taken."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.model.candidate import OptimizationCandidate, OptimizationType
from autonomyd.model.step import SetProbeInterval
from autonomyd.optimize.candidates import Bounds, ProbeCost, confidence, propose, select, wanted_interval

BOUNDS = Bounds()


def probe(**changes: object) -> ProbeCost:
    base = ProbeCost(
        name="web.http",
        kind="http",
        configured_s=10.0,
        every_s=10.0,
        own_interval=False,
        looks=400,
        spent_s=0.4,
        longest_s=0.01,
        timeout_s=2.0,
        waits=True,
        calm_for_s=7200.0,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_calm_probe_is_looked_at_half_as_often() -> None:
    (found,) = propose([probe()], BOUNDS)
    assert found.optimization_type == OptimizationType.PROBE_INTERVAL
    assert found.step == SetProbeInterval(probe="web.http", before_s=10.0, after_s=20.0)
    assert found.expected_improvement == 0.5
    assert found.current_metric == pytest.approx(3.0)  # 0.5 ms a look, 6 looks a minute
    assert found.confidence > 0.7
    assert found.cost >= 1.0


def test_a_change_is_gradual_and_ends_at_the_bound() -> None:
    (second,) = propose([probe(every_s=20.0)], BOUNDS)
    assert isinstance(second.step, SetProbeInterval)
    assert second.step.after_s == 30.0
    assert propose([probe(every_s=30.0)], BOUNDS) == ()


@pytest.mark.parametrize("changes", [{"own_interval": True}, {"calm": False}, {"looks": 0, "spent_s": 0.0}])
def test_what_is_never_proposed(changes: dict[str, object]) -> None:
    assert propose([probe(**changes)], BOUNDS) == ()


def test_little_calm_few_looks_and_unsteady_values_are_less_sure() -> None:
    sure = confidence(probe())
    assert sure > 0.8
    for changes in ({"calm_for_s": 600.0}, {"looks": 5}, {"unknowns": 200}, {"variation": 4.0}, {"looks": 0}):
        assert confidence(probe(**changes)) < 0.7


def test_slow_looks() -> None:
    assert not probe().slow
    assert probe(spent_s=400 * 0.6).slow
    assert probe(longest_s=1.9, spent_s=400 * 0.15).slow
    assert not probe(longest_s=1.9).slow, "one slow look is no habit"
    assert probe(waits=False, spent_s=400 * 0.006).slow
    (found,) = propose([probe(), probe(name="old", spent_s=400 * 0.6)], BOUNDS, slow_only=True)
    assert (found.component, found.optimization_type) == ("old", OptimizationType.SLOW_PROBE)


def test_the_newest_looks_say_what_one_costs() -> None:
    assert probe(waits=False, recent_s=0.002).cost_ms_per_min == pytest.approx(12.0)
    assert probe(waits=False, recent_s=0.006).slow


def test_waiting_is_not_computing() -> None:
    assert probe(spent_s=400.0).cost_ms_per_min == pytest.approx(3.0)
    assert probe(waits=False, spent_s=400 * 0.002).cost_ms_per_min == pytest.approx(12.0)


def test_the_interval_follows_the_subject() -> None:
    assert wanted_interval(probe(every_s=30.0), BOUNDS, sharpen=True) == 30.0
    assert wanted_interval(probe(every_s=5.0), BOUNDS, sharpen=True) == 10.0
    ill = probe(every_s=30.0, calm=False, troubled_for_s=60.0)
    assert wanted_interval(ill, BOUNDS, sharpen=True) == 5.0
    assert wanted_interval(ill, BOUNDS, sharpen=False) == 10.0
    assert wanted_interval(replace(ill, troubled_for_s=3600.0), BOUNDS, sharpen=True) == 10.0
    assert wanted_interval(replace(ill, own_interval=True), BOUNDS, sharpen=True) == 30.0


CANDIDATES = st.lists(
    st.builds(
        OptimizationCandidate,
        component=st.sampled_from("abcdef"),
        optimization_type=st.just(OptimizationType.CUSTOM),
        current_metric=st.floats(0, 1e6),
        expected_improvement=st.floats(0, 1),
        cost=st.floats(0.1, 10),
        confidence=st.floats(0, 1),
    ),
    max_size=12,
)


@given(candidates=CANDIDATES, limit=st.integers(0, 5), least=st.floats(0, 1), busy=st.sets(st.sampled_from("abc")))
def test_select_takes_the_best_sure_ones(
    candidates: list[OptimizationCandidate], limit: int, least: float, busy: set[str]
) -> None:
    chosen = select(candidates, limit=limit, min_confidence=least, busy=busy)
    components = [each.component for each in chosen]
    assert len(chosen) <= limit
    assert len(set(components)) == len(components)
    assert not busy.intersection(components)
    assert all(each.confidence >= least and each.expected_improvement > 0 for each in chosen)
    scores = [each.score for each in chosen]
    assert scores == sorted(scores, reverse=True)
    able = [
        each
        for each in candidates
        if each.confidence >= least and each.expected_improvement > 0 and each.component not in busy
    ]
    left = [each for each in able if each.component not in components]
    assert len(chosen) == limit or not left
    assert all(each.score <= min(scores) for each in left if scores)
    assert select(reversed(candidates), limit=limit, min_confidence=least, busy=busy) == chosen or len(able) > len(
        {(each.score, each.component) for each in able}
    )
