"""Rules that change, folders that go, fixes that broke off: no issue without an end, none that ends too early."""

import pytest

from autonomyd.analyze.detectors.threshold import ThresholdRule
from autonomyd.analyze.rules import ThresholdBook
from autonomyd.engine.judges import MetricJudges, folder_subject
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.restoring import no_longer_watched
from autonomyd.engine.services import ServiceKeeper
from autonomyd.engine.verify import Verifier
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.step import RemoveFiles
from autonomyd.model.subject import Subject
from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.root import Settings
from autonomyd.testing import ManualClock, issue, service_settings

CLEANUP = CleanupSettings(root="/var/log/x", quota_mb=10.0, enter_percent=90.0, target_percent=80.0)
FOLDER = folder_subject("/var/log/x")


def test_an_equal_rule_of_a_new_configuration_keeps_its_detector():
    told = []
    book = ThresholdBook({"a": ThresholdRule(enter=2, clear=1), "b": ThresholdRule(enter=2, clear=1)}, told.append)
    kept = book.rule("a")
    book.replace_all({"a": ThresholdRule(enter=2, clear=1), "b": ThresholdRule(enter=3, clear=1)})
    assert book.rule("a") is kept
    assert told == ["b"]


def test_a_threshold_that_goes_takes_the_issue_of_the_last_run_with_it():
    monitoring = SelfMonitoringSystem(clock=ManualClock())
    monitoring.thresholds["queue"] = 100.0
    monitoring.book.restore([issue(IssueType.PERFORMANCE_DEGRADATION, subject=Subject("application"), metric="queue")])
    monitoring.push("queue", 95.0)  # between the levels: a new detector has nothing to say
    assert len(monitoring.book.open_issues()) == 1
    del monitoring.thresholds["queue"]
    assert monitoring.book.open_issues() == ()


def test_a_folder_that_is_no_longer_watched_leaves_no_issue():
    monitoring = SelfMonitoringSystem(clock=ManualClock())
    judges: MetricJudges = monitoring._judges
    judges.watch_folders((CLEANUP,))
    judges.observe(FOLDER, 1.0, {"folder.used_percent": 95.0}, {})
    judges.observe(FOLDER, 2.0, {"folder.used_percent": 95.0}, {})
    assert [each.subject for each in monitoring.book.open_issues()] == [FOLDER]
    judges.watch_folders(())
    assert monitoring.book.open_issues() == ()


@pytest.mark.parametrize(("percent", "outcome"), [(79.0, Outcome.HEALED), (85.0, Outcome.INEFFECTIVE)])
async def test_space_is_healed_when_its_detector_would_clear(percent, outcome):
    clock = ManualClock()
    monitoring = SelfMonitoringSystem(Settings(cleanup=(CLEANUP,)), clock=clock)
    keeper = ServiceKeeper(clock=clock, make_control=lambda *_: None, on_state=lambda *_: None)
    verifier = Verifier(
        clock=clock, monitoring=monitoring, keeper=keeper, watch_of=lambda name: None, verify_s=lambda: 1.0
    )
    full = issue(IssueType.RESOURCE_EXHAUSTION, subject=FOLDER, metric="folder.used_percent", threshold=90.0)
    monitoring.book.restore([full])

    async def look(name):
        monitoring._ring.append(FOLDER, name, clock.monotonic(), {"folder.used_percent": percent}, {})

    monitoring.sampler.look_at = look
    plan = Plan(
        strategy="free-disk-space", cause=Cause.DISK_FILLING, confidence=95.0, risk=Risk.LOW, disruptive=False,
        reversible=False, issue_id=full.id, steps=(RemoveFiles(root="/var/log/x", files=("a",), total_bytes=1),),
    )  # fmt: skip
    assert (await verifier.validate(plan, clock.monotonic())).outcome is outcome


@pytest.mark.parametrize(
    ("found", "gone"),
    [
        (issue(), False),
        (issue(service="other"), True),
        (issue(IssueType.RESOURCE_EXHAUSTION, metric="rss_mb"), False),
        (issue(IssueType.RESOURCE_EXHAUSTION, metric="fds"), True),
        (issue(IssueType.HIGH_LATENCY, metric="http"), True),
        (issue(IssueType.RESOURCE_EXHAUSTION, subject=FOLDER, metric="folder.used_percent"), False),
        (issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("folder:/gone"), metric="folder.used_percent"), True),
        (issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("disk:/"), metric="disk.used_percent"), False),
    ],
)
def test_issues_of_the_last_run_that_nothing_watches_any_more_end(found, gone):
    settings = Settings(services={"web": service_settings("http", limits={"rss_mb": 10})}, cleanup=(CLEANUP,))
    assert bool(no_longer_watched(found, settings)) is gone
