"""A heartbeat proves only the process that wrote it."""

from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.engine.managed import ManagedCheck, ManagedService
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.testing import FakeControl, service_settings


def beat(service, check, *, at, age_s, max_age_s=30.0):
    state = ReadingState.OK if age_s <= max_age_s else ReadingState.FAILED
    reading = Reading(
        probe="web.heartbeat", subject=service.subject, state=state, at=at, values={"heartbeat_age_s": age_s}
    )
    service.hear(check, reading, at)


def test_the_heartbeat_of_the_process_before_does_not_verify_the_new_one():
    settings = service_settings("heartbeat")
    service = ManagedService(name="web", settings=settings, control=FakeControl())
    check = ManagedCheck(name="heartbeat", probe="web.heartbeat", settings=settings.checks[0], streak=StreakDetector(2))
    service.checks["heartbeat"] = check
    service.begin(1000.0)
    beat(service, check, at=1001.0, age_s=5.0)
    beat(service, check, at=1002.0, age_s=6.0)
    assert not service.verified(samples=1)
    beat(service, check, at=1003.0, age_s=0.5)
    assert service.verified(samples=1)


def test_one_that_never_beats_fails_all_the_same():
    settings = service_settings("heartbeat")
    service = ManagedService(name="web", settings=settings, control=FakeControl())
    check = ManagedCheck(name="heartbeat", probe="web.heartbeat", settings=settings.checks[0], streak=StreakDetector(2))
    service.checks["heartbeat"] = check
    service.begin(1000.0)
    service.grace_until = None
    beat(service, check, at=1040.0, age_s=45.0)
    beat(service, check, at=1041.0, age_s=46.0)
    assert service.failing_checks() == (check,)
