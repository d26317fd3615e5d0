"""Whether a change helped: enough gain, measured, and no harm."""

import math

import pytest

from autonomyd.optimize.experiment import Measured, judge


@pytest.mark.parametrize(
    ("after", "verified"), [(50.0, True), (75.0, True), (76.0, False), (100.0, False), (150.0, False)]
)
def test_half_of_what_was_expected_is_enough(after: float, verified: bool) -> None:
    found = judge(Measured(metric=100.0), Measured(metric=after), expected=0.5)
    assert found.verified is verified
    assert found.gain == pytest.approx((100.0 - after) / 100.0)


@pytest.mark.parametrize("harm", [{"issues": 1}, {"failures": 1}, {"unknowns": 2}])
def test_harm_outweighs_any_gain(harm: dict[str, int]) -> None:
    found = judge(Measured(metric=100.0), Measured(metric=1.0, **harm), expected=0.5)
    assert not found.verified
    assert "more " + next(iter(harm)) in found.reason


@pytest.mark.parametrize(("before", "after"), [(None, 1.0), (1.0, None), (0.0, 0.0), (math.nan, 1.0), (1.0, math.inf)])
def test_what_cannot_be_measured_did_not_help(before: float | None, after: float | None) -> None:
    found = judge(Measured(metric=before), Measured(metric=after), expected=0.5)
    assert (found.verified, found.gain) == (False, None)


def test_the_reason_names_figures() -> None:
    found = judge(Measured(metric=100.0), Measured(metric=52.0), expected=0.5)
    assert found.reason == "100 became 52 (-48 %, expected -50 %)"
