"""The keeper of services: states follow from what is seen, our own acts are no echo, a person's stop is intent."""

import asyncio

import pytest

from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.engine.managed import ManagedCheck, start_order
from autonomyd.engine.services import ServiceKeeper, intents
from autonomyd.execute.handlers import StepFailure
from autonomyd.host.controls.protocol import ErrorKind
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.testing import FakeControl, ManualClock, service_settings

UP, DOWN, FAILING, STARTING = ServiceState.UP, ServiceState.DOWN, ServiceState.FAILING, ServiceState.STARTING
STOPPED, STOPPING, UNKNOWN = ServiceState.STOPPED, ServiceState.STOPPING, ServiceState.UNKNOWN
OK, FAILED, SILENT = ReadingState.OK, ReadingState.FAILED, ReadingState.UNKNOWN


class House:
    def __init__(self):
        self.clock, self.controls, self.told = ManualClock(), {}, []
        self.keeper = ServiceKeeper(
            clock=self.clock,
            make_control=lambda name, settings: self.controls[name],
            on_state=lambda service, before: self.told.append((service.name, before, service.state)),
        )

    async def add(self, name="web", *checks, control=None, intent=Intent.STARTED, hold=False, **settings):
        self.controls[name] = control or FakeControl(pid=10)
        made = service_settings(*checks, **settings)
        service = await self.keeper.add(name, made, intent, hold=lambda _: hold)
        for each in made.checks:
            service.checks[each.type] = ManagedCheck(
                name=each.type, probe=f"{name}.{each.type}", settings=each, streak=StreakDetector(each.failures)
            )
        self.keeper.update(service)
        self.told.clear()
        return service

    def hear(self, service, *states, check="http"):
        for state in states:
            self.clock.advance(1.0)
            reading = Reading(probe="p", subject=service.subject, state=state, at=self.clock.monotonic(), message="m")
            self.keeper.hear(service, service.checks[check], reading)

    def states(self, name="web"):
        return [after for told, _, after in self.told if told == name]


@pytest.fixture
def house():
    return House()


@pytest.mark.parametrize(
    ("control", "intent", "state"),
    [
        (FakeControl(pid=10), Intent.STARTED, UP),
        (FakeControl(), Intent.STARTED, DOWN),
        (FakeControl(), Intent.STOPPED, STOPPED),
    ],
)
async def test_what_is_found_at_the_start(house, control, intent, state):
    assert (await house.add(control=control, intent=intent)).state is state


async def test_a_service_that_is_about_to_be_started_is_not_down(house):
    service = await house.add(control=FakeControl(), hold=True)
    assert service.state is STARTING
    await house.keeper.start("web")
    assert (service.state, house.states()) == (UP, [UP])


async def test_a_control_that_can_not_work_is_unknown_with_the_reason(house):
    control = FakeControl()
    control.refuse("open", "no bus", ErrorKind.OPERATOR)
    service = await house.add(control=control)
    assert (service.state, service.problem) == (UNKNOWN, "no bus")
    with pytest.raises(StepFailure, match="no bus"):
        await house.keeper.start("web")
    assert control.acts == []


async def test_checks_do_not_count_while_it_starts_and_it_is_up_as_soon_as_they_pass(house):
    service = await house.add("web", "http", control=FakeControl(), start_grace_s=8.0)
    await house.keeper.start("web")
    house.hear(service, FAILED, FAILED, FAILED)
    assert (service.state, service.checks["http"].streak.failures) == (STARTING, 0)
    house.hear(service, OK)
    assert service.state is UP
    house.hear(service, FAILED, FAILED)
    assert service.state is FAILING


async def test_every_check_has_to_pass_before_it_is_up(house):
    service = await house.add("web", "http", "tcp", control=FakeControl())
    await house.keeper.start("web")
    house.hear(service, OK, check="tcp")
    assert service.state is STARTING
    house.hear(service, OK)
    assert service.state is UP


async def test_after_the_grace_time_its_checks_count(house):
    service = await house.add("web", "http", control=FakeControl(), start_grace_s=2.5)
    await house.keeper.start("web")
    house.hear(service, FAILED, FAILED)
    assert service.state is STARTING
    house.hear(service, FAILED, FAILED)
    assert service.state is FAILING


async def test_two_failures_in_a_row_are_failing_and_unknown_is_neither(house):
    service = await house.add("web", "http")
    house.hear(service, FAILED, SILENT, OK, SILENT, FAILED)
    assert service.state is UP
    house.hear(service, SILENT, SILENT, SILENT)
    assert service.state is UP
    house.hear(service, FAILED)
    assert service.state is FAILING
    house.hear(service, SILENT, SILENT)
    assert service.state is FAILING
    house.hear(service, OK)
    assert (service.state, house.states()) == (UP, [FAILING, UP])


async def test_death_and_frost_are_seen_at_once(house):
    service = await house.add()
    house.controls["web"].freeze()
    assert service.state is FAILING
    house.controls["web"].thaw()
    assert service.state is UP
    house.controls["web"].die(-9)
    assert (service.state, service.run.message) == (DOWN, "killed by signal 9")
    house.controls["web"].lose_sight()
    assert service.state is UNKNOWN


async def test_our_own_restart_is_no_echo(house):
    service = await house.add(control=FakeControl(pid=10))
    assert await house.keeper.restart("web") == f"restarted web (pid {service.run.pid})"
    assert DOWN not in house.states()
    assert house.states() == [STARTING, UP]
    assert service.restarts == 1


async def test_a_fix_that_stops_and_starts_never_shows_it_as_down(house):
    service = await house.add(control=FakeControl(pid=10))
    with house.keeper.held("web"):
        await house.keeper.stop("web", force=True)
        assert service.run.state is RunState.GONE
        assert service.state is STARTING
        await house.keeper.start("web")
    assert DOWN not in house.states()
    assert (service.state, house.controls["web"].acts) == (UP, ["kill", "start"])


async def test_a_fix_that_ends_with_nothing_running_leaves_it_down(house):
    service = await house.add(control=FakeControl(pid=10))
    with house.keeper.held("web"):
        await house.keeper.stop("web", force=True)
    assert service.state is DOWN
    with house.keeper.held("nobody"), house.keeper.held(None):
        pass


async def test_a_stop_that_a_person_wants_is_intent_and_not_down(house):
    service = await house.add(control=FakeControl(pid=10, stop_s=0.0))
    service.intent = Intent.STOPPED
    await house.keeper.stop("web")
    assert service.state is STOPPED
    assert DOWN not in house.states()
    house.controls["web"].die()
    assert service.state is STOPPED


async def test_an_act_that_fails_says_why_and_shows_what_is_there(house):
    service = await house.add(control=FakeControl())
    house.controls["web"].refuse("start", "no such program")
    with pytest.raises(StepFailure, match="no such program"):
        await house.keeper.start("web")
    assert (service.state, service.operating) == (DOWN, "")
    with pytest.raises(StepFailure, match="no service db"):
        await house.keeper.start("db")


async def test_what_runs_is_not_started_twice(house):
    await house.add(control=FakeControl(pid=10))
    assert await house.keeper.start("web") == "web runs already (pid 10)"
    assert house.controls["web"].acts == []


async def test_a_process_that_somebody_else_started_begins_with_a_clean_slate(house):
    """The failures of the old process say nothing about the new one."""
    service = await house.add("web", "http")
    house.hear(service, FAILED, FAILED)
    house.controls["web"].die(1)
    house.controls["web"].appear()
    assert (service.state, service.checks["http"].streak.failures) == (STARTING, 0)
    house.hear(service, FAILED, OK)
    assert service.state is UP


async def test_a_process_that_was_replaced_without_a_gap_begins_with_a_clean_slate(house):
    service = await house.add("web", "http")
    house.hear(service, FAILED, FAILED)
    house.controls["web"].appear()
    assert service.state is STARTING


async def test_the_first_sight_of_what_runs_is_no_start(house):
    service = await house.add("web", "http")
    assert (service.state, service.grace_until) == (UP, None)


async def test_parents_and_children(house):
    for name, parents in (("web", ("app",)), ("app", ("db", "cache")), ("db", ()), ("cache", ())):
        await house.add(name, control=FakeControl(pid=10), depends_on=parents)
    keeper = house.keeper
    order = keeper.order()
    assert order.index("db") < order.index("app") < order.index("web")
    assert order.index("cache") < order.index("app")
    assert keeper.children_of("db") == ("web", "app")
    assert keeper.parents_down(keeper.services["app"]) == ()
    house.controls["db"].die()
    assert keeper.parents_down(keeper.services["app"]) == ("db",)
    assert keeper.parents_down(keeper.services["web"]) == ()
    assert keeper.facts(keeper.services["app"], 3.0).parents_down == ("db",)


def test_parents_come_before_children_whatever_the_order_of_names():
    for names in (("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")):
        parents = {"a": (), "b": ("a",), "c": ("b", "a")}
        assert start_order({name: parents[name] for name in names}) == ("a", "b", "c")


async def test_letting_go_closes_the_control_and_stops_nothing(house):
    await house.add(control=FakeControl(pid=10))
    control = house.controls["web"]
    await house.keeper.close()
    assert (control.closed, control.acts, house.keeper.services) == (True, [], {})


async def test_who_waits_for_a_change_is_told(house):
    service = await house.add()
    waiter = asyncio.create_task(service.changed.wait())
    await asyncio.sleep(0)
    house.controls["web"].die()
    assert await asyncio.wait_for(waiter, 5)


async def test_facts_hold_what_judgement_needs(house):
    service = await house.add("web", "http", "tcp")
    house.hear(service, FAILED, FAILED, FAILED)
    house.hear(service, OK, check="tcp")
    facts = house.keeper.facts(service, 12.0)
    assert [(each.name, each.failing, each.failures, each.known) for each in facts.checks] == [
        ("http", True, 3, True),
        ("tcp", False, 0, True),
    ]
    assert (facts.failing_for_s, facts.cpu_percent, facts.state) == (3.0, 12.0, FAILING)


def test_stored_intents():
    assert intents({"a": "stopped", "b": "started", "c": "?"}) == {
        "a": Intent.STOPPED,
        "b": Intent.STARTED,
        "c": Intent.STARTED,
    }
