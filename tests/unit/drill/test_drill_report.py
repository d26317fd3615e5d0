"""What the drill counts, and how it says it."""

import json
from dataclasses import replace

import pytest

from autonomyd.drill.report import complaints, document, last_lines, progress, seconds, show, verdict
from autonomyd.drill.services import dependency
from autonomyd.drill.verdict import Kind, Observed, Result, score


def result(name: str, kind: Kind = Kind.FAULT, **observed: object) -> Result:
    return Result(name=name, kind=kind, what=f"what {name}", observed=Observed(**observed), bound_s=1.5)  # type: ignore[arg-type]


HEALED = replace(result("killed", detected_after_s=0.01, recovered_after_s=0.05, note="well"), starts={"web": 1})
SLOW = result("hung", detected_after_s=1.0, recovered_after_s=2.0)
ALONE = result("busy", Kind.CONTROL)
NEVER = result("frozen", problems=("it did not answer",))
TOUCHED = replace(result("stopped", Kind.CONTROL), false_acts=("start web",))
HARMFUL = replace(result("disk", detected_after_s=1.0, recovered_after_s=3.0), collateral=("bystander-1 down",))
SKIPPED = replace(result("log-disk"), skipped="needs root")
BROKEN = result("exited", broken_after_s=0.2, note="web is not running")


def test_the_score_counts_faults_controls_and_medians() -> None:
    found = score((HEALED, SLOW, ALONE, SKIPPED))
    assert (found.faults, found.recovered, found.controls, found.left_alone, found.skipped) == (2, 2, 1, 1, 1)
    assert found.false_acts == 0
    assert found.mttd_s == pytest.approx(0.505)
    assert found.mttr_s == pytest.approx(1.025)
    assert found.good


def test_a_bound_is_held_against_the_median_of_all_rounds_and_decides_nothing() -> None:
    quick = replace(SLOW, observed=replace(SLOW.observed, recovered_after_s=0.5))
    assert score((SLOW, HEALED)).late == ("hung",)
    assert score((SLOW, quick, quick)).late == ()
    assert score((SLOW,)).good
    assert "slower than its bound: hung" in last_lines((SLOW, HEALED))


@pytest.mark.parametrize("bad", [NEVER, TOUCHED, HARMFUL])
def test_one_bad_row_spoils_the_score(bad: Result) -> None:
    assert not score((HEALED, ALONE, bad)).good


@pytest.mark.parametrize("rows", [(), (SKIPPED,)])
def test_nothing_played_is_no_success(rows: tuple[Result, ...]) -> None:
    assert not score(rows).good


def test_a_fault_with_a_problem_does_not_count_as_recovered() -> None:
    assert score((HEALED, NEVER)).recovered == 1


def test_words() -> None:
    shown = [verdict(each) for each in (HEALED, ALONE, NEVER, SKIPPED, BROKEN)]
    assert shown == ["healed", "left alone", "BAD", "not played", "broken"]
    assert [seconds(each) for each in (None, 0.0321, 1.26)] == ["-", "32 ms", "1.3 s"]
    assert complaints(TOUCHED) == ("false act: start web",)
    assert "bystander-1 down" in progress(HARMFUL)
    assert "needs root" in progress(SKIPPED)


def test_the_last_lines_say_what_was_counted() -> None:
    assert last_lines((HEALED, TOUCHED, SKIPPED)).splitlines() == [
        "1 of 1 faults recovered, 1 false acts, MTTD median 10 ms, MTTR median 50 ms",
        "0 of 1 controls left alone",
        f"the dependency was {dependency()}",
        "1 not played: needs root",
    ]
    assert last_lines((BROKEN,)).splitlines()[0] == "1 of 1 faults break what they should while nobody heals"


def test_the_document_is_json_and_has_every_row() -> None:
    made = json.loads(json.dumps(document((HEALED, TOUCHED), seed=7, rounds=1, took_s=1.5, scratch=None)))
    assert made["seed"] == 7
    assert made["good"] is False
    assert [each["name"] for each in made["scenarios"]] == ["killed", "stopped"]
    assert made["scenarios"][0]["recovered_after_s"] == 0.05
    assert made["scenarios"][0]["starts"] == {"web": 1}
    assert made["scenarios"][0]["bound_s"] == 1.5


def test_the_table_is_plain_when_piped_and_names_only_the_controls_that_were_touched(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    rows = (HEALED, HARMFUL, HEALED, ALONE, TOUCHED)
    show(rows)
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "healed 2/2" in text
    assert "bystander-1 down" in text
    assert "what busy" not in text
    assert "false act: start web" in text
    assert text.endswith(f"{last_lines(rows)}\n")
