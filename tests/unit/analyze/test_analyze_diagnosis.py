"""Facts in, causes out."""

import pytest

from autonomyd.analyze.diagnosis import diagnose
from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.health import Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Refusal, RefusalReason
from autonomyd.model.service import RunState, ServiceState
from autonomyd.model.subject import Subject
from autonomyd.plan.planner import decide
from autonomyd.testing import check, issue, service, situation

DOWN, UNHEALTHY = IssueType.SERVICE_DOWN, IssueType.SERVICE_UNHEALTHY
HTTP, TCP = check("http", failing=True, message="no answer"), check("tcp", failing=True, message="refused")
LONG = check("http", failing=True, failures=6, message="no answer")
THING = check("file", failing=True, failures=60, message="too large", asks=False, about_service=False)
WORD = check("command", failing=True, message="critical", asks=False)
LINE = check("log", failing=True, failures=30, message="1 error line", asks=False, recalls=True)
OVER = service(exceeded=("checks",))

TABLE = [
    # what it is, the issue, the service, cause, signals, certain
    ("gone", DOWN, service(RunState.GONE), Cause.PROCESS_GONE, ("process",), True),
    ("gone, its parent too", DOWN, service(RunState.GONE, parents_down=("db",)), Cause.PROCESS_GONE, ("process",), True),  # noqa: E501
    ("frozen", UNHEALTHY, service(RunState.FROZEN, checks=(HTTP,)), Cause.PROCESS_STOPPED, ("process",), True),
    ("one check fails", UNHEALTHY, service(checks=(HTTP,)), Cause.PROCESS_HUNG, ("http",), False),
    ("two checks fail", UNHEALTHY, service(checks=(HTTP, TCP)), Cause.PROCESS_HUNG, ("http", "tcp"), False),
    (
        "two checks of one kind are one signal",
        UNHEALTHY,
        service(checks=(HTTP, check("http-2", kind="http", failing=True))),
        Cause.PROCESS_HUNG,
        ("http",),
        False,
    ),
    ("fails and idle", UNHEALTHY, service(checks=(HTTP,), cpu_percent=0.1), Cause.PROCESS_HUNG, ("http", "idle"), False),  # noqa: E501
    ("a file is too large, and the service is quiet", UNHEALTHY, service(checks=(THING,), cpu_percent=0.0), None, (), False),  # noqa: E501
    ("a plugin complains, and the service is quiet", UNHEALTHY, service(checks=(WORD,), cpu_percent=0.0), Cause.PROCESS_HUNG, ("command",), False),  # noqa: E501
    ("fails for long", UNHEALTHY, service(checks=(LONG,)), Cause.PROCESS_HUNG, ("http", "persistence"), False),
    ("a bad line that is looked at again and again", UNHEALTHY, service(checks=(LINE,)), Cause.ERRORS_IN_LOG, ("log",), False),  # noqa: E501
    ("fails, some work", UNHEALTHY, service(checks=(HTTP,), cpu_percent=20.0), Cause.PROCESS_HUNG, ("http",), False),
    ("its parent failed", UNHEALTHY, service(checks=(HTTP,), parents_down=("db",)), Cause.PARENT_FAILED, ("dependency",), False),  # noqa: E501
    ("no check fails now", UNHEALTHY, service(checks=(check("http"),)), None, (), False),
    ("no checks at all", UNHEALTHY, service(), None, (), False),
    ("still starting", UNHEALTHY, service(checks=(HTTP,), state=ServiceState.STARTING), None, (), False),
    ("a limit", IssueType.RESOURCE_EXHAUSTION, OVER, Cause.LIMIT_EXCEEDED, ("limit",), True),
    ("a limit of the process before", IssueType.RESOURCE_EXHAUSTION, service(), None, (), False),
    ("checks can't tell now", UNHEALTHY, service(checks=(check(failing=True, known=False),)), None, (), False),
    ("slow", IssueType.HIGH_LATENCY, service(), None, (), False),
    ("said to be down, but it runs", DOWN, service(), None, (), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "about", "cause", "signals", "certain"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_causes_of_a_service(kind, about, cause, signals, certain):
    found = diagnose(issue(kind), situation(about))
    assert (found.cause.cause if found.cause else None) is cause
    assert (found.signals, found.certain) == (signals, certain)
    assert found.cause or found.note


@pytest.mark.parametrize("checks", [(HTTP,), (HTTP, TCP), (LONG, TCP), (LONG,)])
@pytest.mark.parametrize("cpu", [50.0, 99.0, 400.0])
def test_busy_is_not_hung(checks, cpu):
    found = diagnose(issue(UNHEALTHY), situation(service(checks=checks, cpu_percent=cpu)))
    causes = {each.cause: each for each in found.causes}
    assert set(causes) == {Cause.PROCESS_HUNG, Cause.PROCESS_OVERLOADED}
    assert causes[Cause.PROCESS_HUNG].contradicts
    assert causes[Cause.PROCESS_HUNG].confidence < 85.0
    assert [each.confidence for each in found.causes] == sorted(
        (each.confidence for each in found.causes), reverse=True
    )
    answer = decide(issue(UNHEALTHY), found, situation(service(checks=checks, cpu_percent=cpu)), BUNDLED)
    assert isinstance(answer, Refusal)
    assert answer.reason in (
        RefusalReason.LOW_CONFIDENCE,
        RefusalReason.NO_STRATEGY,
        RefusalReason.NOTHING_TO_DO,
        RefusalReason.TOO_FEW_SIGNALS,
    )


def test_more_signals_mean_more_confidence_and_passing_checks_are_named():
    one = diagnose(issue(UNHEALTHY), situation(service(checks=(HTTP, check("tcp")))))
    three = diagnose(issue(UNHEALTHY), situation(service(checks=(LONG, TCP), cpu_percent=0.0)))
    assert one.cause.confidence < three.cause.confidence <= 95.0
    assert one.cause.contradicts == ("check tcp passes",)
    assert any("no answer" in words for words in one.cause.supports)


def test_an_unknown_check_is_no_evidence_for_health():
    found = diagnose(issue(UNHEALTHY), situation(service(checks=(HTTP, check("tcp", known=False)))))
    assert found.cause.contradicts == ()
    assert found.signals == ("http",)


@pytest.mark.parametrize("subject", ["disk:/var", "folder:/srv/log"])
def test_a_full_disk(subject):
    found = diagnose(issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject(subject)), situation())
    assert (found.cause.cause, found.certain) == (Cause.DISK_FILLING, True)


@pytest.mark.parametrize(
    "kind", [IssueType.PERFORMANCE_DEGRADATION, IssueType.RESOURCE_EXHAUSTION, IssueType.MODEL_DRIFT]
)
def test_what_no_rule_explains_is_undetermined(kind):
    found = diagnose(issue(kind, subject=Subject("host")), situation())
    assert found.cause is None
    assert found.note


def test_a_strategy_of_the_program_itself_goes_first():
    found = diagnose(issue(DOWN), situation(service(RunState.GONE), custom_strategy="service_down"))
    assert found.cause.cause is Cause.CUSTOM


def test_nobody_has_to_look_at_a_notice():
    words = {each: diagnose(issue(IssueType.ANOMALY, severity=each), situation()).note for each in Severity}
    assert "a person should look" not in words[Severity.NOTICE]
    assert "a person should look" in words[Severity.WARNING]
