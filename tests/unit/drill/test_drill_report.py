"""What the drill counts, and how it says it."""

import json

import pytest

from autonomyd.drill.report import complaints, document, last_line, progress, seconds, show, verdict
from autonomyd.drill.verdict import Kind, Observed, Result, score


def result(name: str, kind: Kind = Kind.FAULT, *, collateral: tuple[str, ...] = (), **observed: object) -> Result:
    return Result(name=name, kind=kind, what=f"what {name}", observed=Observed(**observed), collateral=collateral)  # type: ignore[arg-type]


HEALED = result("killed", detected_after_s=0.01, recovered_after_s=0.05, note="well")
SLOW = result("hung", detected_after_s=1.0, recovered_after_s=2.0)
ALONE = result("busy", Kind.CONTROL)
NEVER = result("frozen", problems=("it did not answer",))
TOUCHED = result("stopped", Kind.CONTROL, false_acts=1)
HARMFUL = result("disk", detected_after_s=1.0, recovered_after_s=3.0, collateral=("bystander-1 down",))


def test_the_score_counts_faults_controls_and_medians() -> None:
    found = score((HEALED, SLOW, ALONE))
    assert (found.faults, found.recovered, found.controls, found.false_acts) == (2, 2, 1, 0)
    assert found.mttd_s == pytest.approx(0.505)
    assert found.mttr_s == pytest.approx(1.025)
    assert found.good


@pytest.mark.parametrize("bad", [NEVER, TOUCHED, HARMFUL])
def test_one_bad_row_spoils_the_score(bad: Result) -> None:
    assert not score((HEALED, ALONE, bad)).good


def test_no_rows_are_no_success() -> None:
    assert not score(()).good


def test_a_fault_with_a_problem_does_not_count_as_recovered() -> None:
    assert score((HEALED, NEVER)).recovered == 1


def test_words() -> None:
    assert [verdict(each) for each in (HEALED, ALONE, NEVER)] == ["healed", "left alone", "BAD"]
    assert [seconds(each) for each in (None, 0.0321, 1.26)] == ["-", "32 ms", "1.3 s"]
    assert complaints(TOUCHED) == ("1 false act",)
    assert "bystander-1 down" in progress(HARMFUL)
    assert last_line((HEALED, TOUCHED)) == "1 of 1 faults recovered, 1 false acts, MTTD median 10 ms, MTTR median 50 ms"


def test_the_document_is_json_and_has_every_row() -> None:
    made = json.loads(json.dumps(document((HEALED, TOUCHED), seed=7, rounds=1, took_s=1.5, scratch=None)))
    assert made["seed"] == 7
    assert made["good"] is False
    assert [each["name"] for each in made["scenarios"]] == ["killed", "stopped"]
    assert made["scenarios"][0]["recovered_after_s"] == 0.05


def test_the_table_is_plain_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    show((HEALED, HARMFUL, HEALED))
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "healed 2/2" in text
    assert "bystander-1 down" in text
    assert text.endswith(f"{last_line((HEALED, HARMFUL, HEALED))}\n")
