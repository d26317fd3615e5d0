"""What is behind a service that does not run, or does not work: facts in, ranked causes out."""

import pytest

from autonomyd.analyze.diagnosis import diagnose
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GoodFile, LogErrors, LogFile, PidFileFacts, PortHolder, ReleaseFacts
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.service import RunState
from autonomyd.testing import check, issue, past_fix, service, situation

DOWN, UNHEALTHY = issue(IssueType.SERVICE_DOWN), issue(IssueType.SERVICE_UNHEALTHY)
GONE = service(RunState.GONE)
HTTP = check("http", failing=True, message="no answer")
WRONG = check("http", failing=True, failures=6, message="answered 500", answered=True)
LOG = check("log", failing=True, message="OperationalError", asks=False, about_service=False)
STALE = PidFileFacts(path="/run/web.pid", pid=77, sha256="ab", names="pid 77 (cron)", stale=True)
NOT_SURE = PidFileFacts(path="/run/web.pid", pid=77, sha256="ab", names="pid 77", stale=False)


def holder(**more):
    return PortHolder(**{"port": 80, "pid": 9, "started": 5, "name": "nc"} | more)


def changed(**more):
    facts = {
        "path": "/etc/web.conf",
        "good_sha256": "aa",
        "good_at": 1.0,
        "now_sha256": "bb",
        "changed_at": 1.0,
        "aside": "/etc/web.conf.bad",
        "diff_sha256": "cc",
    }
    return (GoodFile(**facts | more),)


def release(**more):
    return ReleaseFacts(**{"link": "/srv/current", "now": "r2", "good": "r1", "changed_at": 1.0} | more)


def failed_start(now, *, ago_s=1.0):
    return (past_fix("start", ago_s=ago_s, service="web", outcome=Outcome.INEFFECTIVE),)


def causes(of, about, **facts):
    return tuple(each.cause for each in diagnose(of, situation(about, **facts)).causes)


class TestGone:
    def test_a_start_is_tried_before_anything_is_suspected(self):
        assert causes(DOWN, GONE, pid_file=STALE, config=changed(), release=release()) == (Cause.PROCESS_GONE,)

    def test_a_file_that_does_not_parse_needs_no_trial(self):
        found = causes(DOWN, GONE, config=changed(problem="line 3: no value"))
        assert found == (Cause.CONFIG_CHANGED, Cause.PROCESS_GONE)

    def test_a_file_that_is_gone_is_as_bad(self):
        assert causes(DOWN, GONE, config=changed(now_sha256=None))[0] is Cause.CONFIG_CHANGED

    @pytest.mark.parametrize(
        ("facts", "first"),
        [
            ({"pid_file": STALE}, Cause.STALE_PID_FILE),
            ({"config": changed()}, Cause.CONFIG_CHANGED),
            ({"release": release()}, Cause.RELEASE_CHANGED),
            ({"pid_file": NOT_SURE}, Cause.PROCESS_GONE),
            ({"release": release(good=None)}, Cause.PROCESS_GONE),
            ({"release": release(now="r1")}, Cause.PROCESS_GONE),
            ({}, Cause.PROCESS_GONE),
        ],
    )
    def test_once_a_start_failed_what_was_changed_comes_first(self, facts, first):
        now = situation(GONE).now
        assert (
            causes(issue(opened_at=situation(GONE).wall_now - 5.0), GONE, past=failed_start(now), **facts)[0] is first
        )

    def test_a_start_that_failed_for_an_earlier_issue_does_not_count(self):
        of = issue(opened_at=situation(GONE).wall_now - 5.0)
        assert causes(of, GONE, past=failed_start(0.0, ago_s=60.0), config=changed()) == (Cause.PROCESS_GONE,)

    @pytest.mark.parametrize(
        ("holders", "cause"),
        [
            ((holder(ours=True),), Cause.PORT_HELD_BY_ORPHAN),
            ((holder(),), Cause.PORT_TAKEN),
            ((holder(allowed=True),), Cause.PORT_TAKEN),
            ((holder(ours=True), holder(pid=10)), Cause.PORT_TAKEN),
            ((holder(pid=None, started=None),), Cause.PORT_TAKEN),
        ],
    )
    def test_a_port_that_somebody_holds_explains_it(self, holders, cause):
        found = diagnose(DOWN, situation(GONE, ports=holders))
        assert (found.cause.cause, found.certain) == (cause, True)
        assert "port 80 is held by" in found.cause.supports[1]


class TestUnhealthy:
    def test_wrong_answers_are_not_silence(self):
        assert causes(UNHEALTHY, service(checks=(WRONG,))) == (Cause.WRONG_ANSWERS,)
        assert causes(UNHEALTHY, service(checks=(WRONG, HTTP))) == (Cause.PROCESS_HUNG,)

    def test_a_change_that_the_process_has_read_is_suspected_before_the_process(self):
        about = service(checks=(WRONG,), run_age_s=3.0)
        wall = situation(about).wall_now
        found = diagnose(UNHEALTHY, situation(about, config=changed(changed_at=wall - 60.0)))
        assert [each.cause for each in found.causes] == [Cause.CONFIG_CHANGED, Cause.WRONG_ANSWERS]
        assert "changed" in found.signals

    def test_a_change_that_came_after_the_process_started_is_none_of_its_doing(self):
        about = service(checks=(WRONG,), run_age_s=3600.0)
        wall = situation(about).wall_now
        found = causes(
            UNHEALTHY, about, config=changed(changed_at=wall - 60.0), release=release(changed_at=wall - 60.0)
        )
        assert found == (Cause.WRONG_ANSWERS,)

    def test_what_it_needs_is_down_so_it_is_innocent(self):
        redis = check("redis", failing=True, message="no answer", dependency=True)
        assert causes(UNHEALTHY, service(checks=(WRONG, redis))) == (Cause.DEPENDENCY_FAILED,)

    def test_overloaded_is_not_dead(self):
        found = diagnose(UNHEALTHY, situation(service(checks=(WRONG,), cpu_percent=95.0)))
        assert [each.cause for each in found.causes] == [Cause.PROCESS_OVERLOADED, Cause.WRONG_ANSWERS]
        assert found.causes[1].confidence < 85.0

    @pytest.mark.parametrize(
        ("facts", "cause"),
        [
            ({"cpu_percent": 95.0}, Cause.PROCESS_OVERLOADED),
            ({"cpu_percent": 5.0}, None),
            ({}, None),
            ({"checks": (check("redis", failing=True, dependency=True),)}, Cause.SLOW_DEPENDENCY),
        ],
    )
    def test_slow_is_explained_by_load_or_by_what_it_needs(self, facts, cause):
        found = diagnose(issue(IssueType.HIGH_LATENCY), situation(service(**facts)))
        assert (found.cause.cause if found.cause else None) is cause

    def test_the_log_disk_is_full_only_with_logs_that_may_be_rotated(self):
        mount = check("mount", failing=True, message="97 % used", asks=False, about_service=False)
        log = LogFile(path="/srv/log/app.log", bytes=4_000_000)
        assert causes(UNHEALTHY, service(checks=(mount, WRONG)), logs=(log,)) == (Cause.LOG_DISK_FULL,)
        assert causes(UNHEALTHY, service(checks=(mount,))) == ()

    def test_a_disk_seen_full_once_explains_what_fails_already(self):
        mount = check("mount", failures=1, message="100 % used", asks=False, about_service=False)
        log = LogFile(path="/srv/log/app.log", bytes=4_000_000)
        assert causes(UNHEALTHY, service(checks=(mount, WRONG)), logs=(log,)) == (Cause.LOG_DISK_FULL,)

    @pytest.mark.parametrize(("count", "signals"), [(1, ("log",)), (3, ("log", "repetition"))])
    def test_one_line_is_one_signal(self, count, signals):
        errors = (LogErrors(check="log", rule="OperationalError", count=count, example="OperationalError: gone"),)
        found = diagnose(UNHEALTHY, situation(service(checks=(LOG,)), log_errors=errors))
        assert (found.cause.cause, found.signals) == (Cause.ERRORS_IN_LOG, signals)

    def test_what_stands_beside_the_service_is_no_signal_against_it(self):
        paper = check("certificate", failing=True, message="refused", asks=False, about_service=False)
        assert diagnose(UNHEALTHY, situation(service(checks=(HTTP, paper)))).signals == ("http",)
        assert causes(UNHEALTHY, service(checks=(paper,))) == (Cause.CERTIFICATE_EXPIRING,)

    def test_a_heartbeat_that_stopped_is_silence_for_all_that_time(self):
        beat = check("heartbeat", failing=True, message="4 s old", asks=False)
        found = diagnose(UNHEALTHY, situation(service(checks=(beat,))))
        assert (found.cause.cause, found.signals) == (Cause.STALE_HEARTBEAT, ("heartbeat", "silence"))

    def test_a_log_rule_may_name_the_cause(self):
        errors = (LogErrors(check="log", rule="429", count=3, example="429", cause=Cause.RATE_LIMITED),)
        assert causes(UNHEALTHY, service(checks=(LOG,)), log_errors=errors) == (Cause.RATE_LIMITED,)


@pytest.mark.parametrize(
    ("metric", "cause"),
    [
        ("rss_mb", Cause.MEMORY_LEAK),
        ("fds", Cause.DESCRIPTOR_LEAK),
        ("zombies", Cause.ZOMBIES),
        ("cpu_percent", Cause.RUNAWAY),
        ("threads", Cause.LIMIT_EXCEEDED),
    ],
)
def test_each_limit_has_its_cause(metric, cause):
    of = issue(IssueType.RESOURCE_EXHAUSTION, metric=metric)
    assert causes(of, service(exceeded=(metric,))) == (cause,)
