"""A stop or start that somebody asks systemd for is intent; what this daemon does itself, or a crash, is not."""

import asyncio

import pytest

from autonomyd.aio.supervisor import Supervisor
from autonomyd.engine import assembly
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.handlers import StepFailure
from autonomyd.host.controls.protocol import ControlError, ErrorKind
from autonomyd.knowledge.store import Store
from autonomyd.model.service import Intent, RunState, ServiceRun, ServiceState
from autonomyd.settings.root import Settings
from autonomyd.testing import FakeControl, ManualClock, service_settings

ASKED = ServiceRun(state=RunState.GONE, message="stopped through systemd", asked=True)
LEAVING = ServiceRun(state=RunState.STOPPING, pid=10)
COMING = ServiceRun(state=RunState.STARTING)


class Unit(FakeControl):
    """A unit that others act upon too: `hear` is what its control tells."""

    def __init__(self, *, pid: int | None = 10, kind: str = "systemd") -> None:
        super().__init__(pid=pid, kind=kind)

    def hear(self, *runs: ServiceRun) -> None:
        for run in runs:
            self._become(run)


class House:
    def __init__(self, control=None, intent=Intent.STARTED):
        self.control, self.intent, self.told, self.states = control or Unit(), intent, [], []
        self.keeper = ServiceKeeper(
            clock=ManualClock(),
            make_control=lambda name, settings: self.control,
            on_state=lambda service, before: self.states.append(service.state),
            on_intent=lambda service, intent: self.told.append((service.name, intent)),
        )

    async def service(self):
        service = await self.keeper.add("web", service_settings(), self.intent)
        self.states.clear()
        return service


async def test_a_stop_through_systemd_is_intent_and_the_service_is_never_down():
    house = House()
    service = await house.service()
    house.control.hear(LEAVING, ASKED)
    assert (service.intent, house.told) == (Intent.STOPPED, [("web", Intent.STOPPED)])
    assert house.states == [ServiceState.STOPPING, ServiceState.STOPPED]
    house.keeper.observe(service)
    assert len(house.told) == 1


async def test_a_crash_is_none():
    house = House()
    service = await house.service()
    house.control.die(-9)
    assert (service.intent, service.state, house.told) == (Intent.STARTED, ServiceState.DOWN, [])


async def test_a_restart_by_somebody_else_is_none():
    house = House()
    service = await house.service()
    house.control.hear(LEAVING, COMING)
    house.control.appear()
    assert (service.intent, service.state, house.told) == (Intent.STARTED, ServiceState.UP, [])


@pytest.mark.parametrize("way", [[], [COMING]], ids=["at once", "by and by"])
async def test_one_that_somebody_starts_again_is_wanted_again(way):
    house = House()
    service = await house.service()
    house.control.hear(LEAVING, ASKED, *way)
    house.control.appear()
    assert (service.intent, service.state) == (Intent.STARTED, ServiceState.UP)
    assert house.told == [("web", Intent.STOPPED), ("web", Intent.STARTED)]
    house.control.die()
    assert service.state is ServiceState.DOWN


async def test_what_was_stopped_before_the_daemon_started_is_wanted_again_when_somebody_starts_it():
    house = House(Unit(pid=None), Intent.STOPPED)
    service = await house.service()
    assert house.told == []
    house.control.appear()
    assert (service.intent, house.told) == (Intent.STARTED, [("web", Intent.STARTED)])


async def test_only_systemd_knows_who_started_it():
    house = House(Unit(pid=None, kind="command"), Intent.STOPPED)
    service = await house.service()
    house.control.appear()
    assert (service.intent, house.told) == (Intent.STOPPED, [])


async def test_one_that_is_found_inactive_is_as_wanted_as_it_was():
    house = House(Unit(pid=None))
    service = await house.service()
    assert (service.intent, service.state, house.told) == (Intent.STARTED, ServiceState.DOWN, [])


async def test_own_acts_and_their_late_signals_are_none():
    house = House()
    service = await house.service()
    for act in (house.keeper.restart, house.keeper.stop, house.keeper.start):
        await act("web")
        house.control.hear(house.control.observe())
    assert (service.intent, service.state, house.told) == (Intent.STARTED, ServiceState.UP, [])


async def test_a_persons_stop_and_start_by_this_daemon_are_not_told_twice():
    house = House()
    service = await house.service()
    with house.keeper.held("web"):
        service.intent = Intent.STOPPED
        await house.keeper.stop("web")
    with house.keeper.held("web"):
        service.intent = Intent.STARTED
        await house.keeper.start("web")
    assert (service.intent, service.state, house.told) == (Intent.STARTED, ServiceState.UP, [])


async def test_a_stop_while_a_fix_has_it_in_hand_counts_when_the_fix_lets_it_go():
    house = House()
    service = await house.service()
    with house.keeper.held("web"):
        house.control.hear(LEAVING, ASKED)
        assert (service.intent, house.told) == (Intent.STARTED, [])
    assert (service.intent, service.state) == (Intent.STOPPED, ServiceState.STOPPED)
    assert house.told == [("web", Intent.STOPPED)]


async def test_a_stop_that_cancels_our_own_restart_wins():
    class Overruled(Unit):
        async def restart(self):
            self.hear(LEAVING, ASKED)
            raise ControlError("canceled", ErrorKind.TRANSIENT)

    house = House(Overruled())
    service = await house.service()
    with pytest.raises(StepFailure, match="canceled"):
        await house.keeper.restart("web")
    assert (service.intent, service.state) == (Intent.STOPPED, ServiceState.STOPPED)
    assert "stays down" in await house.keeper.start("web")
    assert house.control.acts == []


async def test_a_service_that_a_reload_let_go_of_is_nobodys_business():
    house = House()
    service = await house.service()
    with house.keeper.held("web"):
        house.control.hear(LEAVING, ASKED)
        await house.keeper.remove("web")
    assert (service.intent, house.told) == (Intent.STARTED, [])


async def test_the_intent_outlives_the_daemon(tmp_path, monkeypatch):
    clock, control = ManualClock(), Unit()
    monkeypatch.setattr(assembly, "make_control", lambda *args, **kwargs: control)
    parts = assembly.assemble(
        settings=Settings(),
        clock=clock,
        state_dir=tmp_path,
        on_service=lambda service, before: None,
        on_issue=lambda issue, transition: None,
        watch_of=lambda name: None,
        wake=lambda: None,
        supervisor=Supervisor(clock),
    )
    path = str(tmp_path / "state.db")
    parts.records.attach(await Store.open(path, clock=clock))
    await parts.keeper.add("web", service_settings(), Intent.STARTED)
    control.hear(LEAVING, ASKED)
    await asyncio.sleep(0)
    await parts.records.close()
    parts.records.attach(await Store.open(path, clock=clock))
    assert await parts.records.restored_intents() == {"web": Intent.STOPPED}
    control.appear()
    await asyncio.sleep(0)
    assert await parts.records.restored_intents() == {"web": Intent.STARTED}
    events = await parts.records.read(parts.records.events.recent, [])
    assert {(event.kind, event.subject, event.actor) for event in events} == {
        ("service_stopped_outside", "service:web", "systemd"),
        ("service_started_outside", "service:web", "systemd"),
    }
    await parts.records.close()
