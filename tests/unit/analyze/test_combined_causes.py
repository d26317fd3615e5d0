"""Evidence of several kinds put together: never surer than it may be, never acting on a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.analyze.causes.combined import BELOW_GATE, MOST, combined, observed
from autonomyd.analyze.diagnosis import diagnose
from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause, Suspect
from autonomyd.model.facts import GateLimits, LogErrors
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Plan
from autonomyd.model.service import RunState
from autonomyd.model.subject import HOST, Subject, service_subject
from autonomyd.model.timeline import Change, ChangeKind, Coincidence
from autonomyd.model.trust import Calibration, CalibrationBin, Experience
from autonomyd.plan.planner import decide
from autonomyd.testing import check, issue, past_fix, service, situation

SLOW = issue(IssueType.HIGH_LATENCY)
UNKNOWN = Diagnosis(subject=SLOW.subject, note="nobody knows")


def suspect(subject: Subject = HOST, kind: str = "resource", *, share: float = 90.0, rising: bool = True) -> Suspect:
    words = f"{kind} of {subject} moved"
    return Suspect(subject=subject, metric=kind, kind=kind, share=share, spreads=9.0, rising=rising, words=words)


def coincidence(kind: ChangeKind = ChangeKind.CONFIG, confidence: float = 70.0) -> Coincidence:
    change = Change(at=0.0, kind=kind, subject=SLOW.subject, what="app.toml")
    return Coincidence(
        change=change, at=40.0, after_s=40.0, confidence=confidence, why="began 40 s after app.toml changed"
    )


def calibration(right: int, count: int, low: float = 90.0) -> Calibration:
    one = CalibrationBin(low=low, high=low + 10.0, count=count, right=right, said=low + 5.0)
    return Calibration(count=count, brier=0.1, bins=(one,))


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (suspect(), Cause.HOST_STRAINED),
        (suspect(service_subject("db"), "latency"), Cause.SLOW_DEPENDENCY),
        (suspect(service_subject("db"), "errors"), Cause.DEPENDENCY_FAILED),
        (suspect(service_subject("web"), "traffic"), Cause.MORE_LOAD),
        (suspect(service_subject("web"), "latency"), None),
        (suspect(rising=False), None),
        (suspect(share=20.0), None),
    ],
)
def test_a_series_that_moved_stands_for_a_cause(found: Suspect, cause: Cause | None) -> None:
    told = combined(SLOW, situation(service(), suspects=(found,)), UNKNOWN)
    assert (told.cause.cause if told.cause else None) is cause
    assert told.suspects == (found,)
    assert told.note == "nobody knows"


def test_two_kinds_of_evidence_for_one_cause_are_more_than_one_and_rivals_speak_against() -> None:
    log = LogErrors(
        check="log", rule="upstream slow", count=4, example="x", cause=Cause.SLOW_DEPENDENCY, confidence=60.0
    )
    db = suspect(service_subject("db"), "latency", share=60.0)
    one = combined(SLOW, situation(service(), suspects=(db,)), UNKNOWN)
    two = combined(
        SLOW, situation(service(), suspects=(db,), log_errors=(log,), changes=(coincidence(confidence=45.0),)), UNKNOWN
    )
    assert one.cause is not None
    assert two.cause is not None
    assert two.cause.cause is Cause.SLOW_DEPENDENCY
    assert two.cause.confidence > one.cause.confidence
    assert two.signals == ("series", "log")
    assert two.causes[1].cause is Cause.CONFIG_CHANGED
    assert two.cause.contradicts == ("began 40 s after app.toml changed",)
    assert len(two.cause.supports) == 2


EVIDENCE = st.tuples(st.floats(min_value=0, max_value=100), st.floats(min_value=0, max_value=100), st.integers(0, 5))


@given(evidence=EVIDENCE, gate=st.floats(min_value=50, max_value=100))
def test_a_hypothesis_never_reaches_what_lets_the_daemon_act(evidence: tuple[float, float, int], gate: float) -> None:
    share, points, lines = evidence
    about = situation(
        service(),
        limits=GateLimits(confidence=gate),
        suspects=(suspect(share=share), suspect(service_subject("db"), "latency", share=share)),
        changes=(coincidence(confidence=points), coincidence(ChangeKind.RELEASE, points)),
        learned={
            (cause, each.name): Experience(total=50, healed=50, points=10.0) for each in BUNDLED for cause in Cause
        },
        log_errors=(
            LogErrors(check="l", rule="r", count=lines, example="", cause=Cause.RATE_LIMITED, confidence=points),
        ),
    )
    told = diagnose(SLOW, about)
    assert all(each.confidence <= min(MOST, gate - BELOW_GATE) for each in told.causes)
    assert not told.certain
    assert not isinstance(decide(SLOW, told, about, BUNDLED), Plan)


def test_what_is_certain_stays_as_it_is() -> None:
    about = service(RunState.GONE)
    gone = issue(IssueType.SERVICE_DOWN)
    plain = diagnose(gone, situation(about))
    told = diagnose(
        gone, situation(about, suspects=(suspect(),), changes=(coincidence(),), calibration=calibration(0, 99))
    )
    assert told.causes == plain.causes
    assert told.certain


def test_a_judged_cause_gets_its_evidence_and_keeps_its_confidence() -> None:
    about = service(checks=(check("http", failing=True), check("tcp", failing=True)))
    hung = issue(IssueType.SERVICE_UNHEALTHY)
    plain = diagnose(hung, situation(about)).cause
    past = past_fix("restart", cause=Cause.PROCESS_HUNG, outcome=Outcome.HEALED)
    more = situation(about, suspects=(suspect(),), changes=(coincidence(),), past=(past,))
    told = diagnose(hung, more).cause
    assert plain is not None
    assert told is not None
    assert (told.cause, told.confidence) == (plain.cause, plain.confidence)
    assert "it has been the cause here before: 1 of 1 fixes against it healed" in told.supports
    assert "began 40 s after app.toml changed: perhaps that is the cause" in told.contradicts
    assert "resource of host moved" in told.contradicts


def test_what_this_daemon_did_is_no_evidence() -> None:
    about = service(checks=(check("http", failing=True),))
    hung = issue(IssueType.SERVICE_UNHEALTHY)
    told = diagnose(hung, situation(about, changes=(coincidence(ChangeKind.FIX), coincidence(ChangeKind.DAEMON)))).cause
    assert told is not None
    assert told.contradicts == ()


def test_confidence_is_taken_as_it_turned_out_to_be_true_and_never_raised() -> None:
    judged = Diagnosis(subject=SLOW.subject, causes=(RankedCause(cause=Cause.PROCESS_HUNG, confidence=92.0),))
    hung = issue(IssueType.SERVICE_UNHEALTHY)

    def confidence(found: Calibration | None) -> float:
        told = combined(hung, situation(service(), calibration=found), judged).cause
        assert told is not None
        return told.confidence

    assert confidence(None) == 92.0
    assert confidence(calibration(0, 19)) == 92.0
    assert confidence(calibration(40, 40)) == 92.0
    assert confidence(calibration(15, 30)) == pytest.approx(100 * (15 + 9.2) / 40, abs=0.1)
    assert confidence(calibration(0, 99, low=80.0)) == 92.0  # another bin


def test_a_full_hundred_has_a_bin() -> None:
    assert observed(calibration(20, 20), 100.0) == pytest.approx(100.0)
