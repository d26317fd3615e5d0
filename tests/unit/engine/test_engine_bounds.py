"""Values of a check over the bounds in its options are issues of their own."""

import pytest

from autonomyd.engine.bounds import BoundJudge
from autonomyd.model.health import Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import ServiceState
from autonomyd.model.subject import service_subject
from autonomyd.monitor.probes.redis import RedisOptions, RedisProbe


class Check:
    name = "redis"
    settings = RedisOptions(type="redis", url="redis://127.0.0.1", latency_ms=100)
    last = None


class Service:
    name = "cache"
    subject = service_subject("cache")
    state = ServiceState.UP


class Bench:
    def __init__(self):
        self.service = Service()
        self.found, self.cleared = [], []
        self.judge = BoundJudge(
            self.service, Check(), bounds=RedisProbe.bounds, report=self.found.append,
            clear=lambda key, why: self.cleared.append((key, why)),
        )  # fmt: skip

    def see(self, times=1, **values):
        for _ in range(times):
            reading = Reading(
                probe="cache.redis", subject=self.service.subject, state=ReadingState.OK, at=1.0, values=values
            )
            self.judge.observe(reading)
        return [(each.type, each.metric) for each in self.found]


@pytest.fixture
def bench():
    return Bench()


def test_a_bound_counts_after_three_looks_and_clears_below_nine_tenths(bench):
    assert bench.see(2, memory_percent=99.0) == []
    assert bench.see(memory_percent=99.0) == [(IssueType.DATABASE_OVERLOAD, "memory_percent")]
    (finding,) = bench.found
    assert (finding.severity, finding.value, finding.threshold) == (Severity.WARNING, 99.0, 95.0)
    assert finding.summary == (
        "redis of cache has used 99 % of its maxmemory, and refuses writes when it is full (policy noeviction), "
        "over 95 %"
    )
    bench.see(memory_percent=90.0)
    assert not bench.cleared, "between the levels nothing changes"
    bench.see(memory_percent=80.0)
    assert bench.cleared == [((IssueType.DATABASE_OVERLOAD, "memory_percent"), "memory_percent is 80 % again")]


def test_what_is_not_told_changes_nothing(bench):
    bench.see(3, memory_percent=99.0)
    bench.see(9, clients=3.0)
    assert not bench.cleared


def test_latency_is_the_checks_own_issue_and_counts_only_while_the_service_is_up(bench):
    bench.service.state = ServiceState.FAILING
    assert bench.see(5, latency_ms=500.0) == []
    assert bench.see(3, clients_percent=99.0) == [(IssueType.DATABASE_OVERLOAD, "clients_percent")]
    bench.service.state = ServiceState.UP
    assert bench.see(3, latency_ms=500.0)[-1] == (IssueType.HIGH_LATENCY, "redis")


def test_unsaved_data_is_critical(bench):
    bench.see(3, unsaved=1.0)
    (finding,) = bench.found
    assert finding.severity is Severity.CRITICAL
    assert "do not restart it" in finding.summary
    bench.see(unsaved=0.0)
    assert bench.cleared


def test_a_new_process_is_measured_anew(bench):
    bench.see(2, memory_percent=99.0)
    bench.judge.reset()
    assert bench.see(2, memory_percent=99.0) == []


def test_nothing_is_judged_while_it_starts(bench):
    bench.service.state = ServiceState.STARTING
    assert bench.see(9, memory_percent=99.0) == []
