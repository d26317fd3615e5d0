"""A check that can't tell (its plugin is missing) neither holds a service in `starting` nor stands for a cure."""

from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.engine.managed import ManagedCheck, ManagedService
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import RunState, ServiceRun, ServiceState
from autonomyd.settings.service import check_names
from autonomyd.testing import FakeControl, service_settings


def make_service(*kinds):
    settings = service_settings(*kinds)
    service = ManagedService(name="web", settings=settings, control=FakeControl())
    service.run = ServiceRun(state=RunState.RUNNING, pid=7)
    for name, check in zip(check_names(settings.checks), settings.checks, strict=True):
        service.checks[name] = ManagedCheck(
            name=name, probe=f"web.{name}", settings=check, streak=StreakDetector(check.failures)
        )
    service.begin(1000.0)
    return service


def look(service, name, state, at):
    reading = Reading(probe=f"web.{name}", subject=service.subject, state=state, at=at)
    service.hear(service.checks[name], reading, at)
    return service.settle(at)


def test_it_is_up_as_soon_as_the_checks_that_can_tell_pass():
    service = make_service("http", "command")
    assert look(service, "http", ReadingState.OK, 1001.0) is ServiceState.STARTING  # the other was not asked yet
    assert look(service, "command", ReadingState.UNKNOWN, 1001.5) is ServiceState.UP
    look(service, "http", ReadingState.OK, 1002.0)
    assert service.verified(samples=2)


def test_checks_that_all_can_not_tell_verify_nothing():
    service = make_service("http", "command")
    look(service, "http", ReadingState.UNKNOWN, 1001.0)
    assert look(service, "command", ReadingState.UNKNOWN, 1001.5) is ServiceState.STARTING
    assert not service.verified(samples=1)
