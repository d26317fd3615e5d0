"""Random faults, people and losses of sight, hours of them: what must never happen, and that all is well in the end."""

import asyncio
import random

import pytest

from autonomyd.model.fix import Outcome
from autonomyd.model.plan import Autonomy, Plan
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.settings.service import RestartLimit

pytestmark = pytest.mark.looptime(resolution=1e-9, noop_cycles=12)
LIMIT = RestartLimit(max=3, within_s=300.0)
NAMES = ("db", "app", "web")


class Watcher:
    """Looks at every decision as it is made."""

    def __init__(self, world):
        self.world, self.plans = world, []
        world.decided = self.decided

    def decided(self, issue_id, value):
        if not isinstance(value, Plan):
            return
        world = self.world
        service = world.keeper.services[value.service]
        diagnosis = world.healing.diagnoses[issue_id]
        assert not world.pause.facts().paused
        assert service.run.state is not RunState.UNKNOWN
        assert service.intent is Intent.STARTED
        assert service.settings.autonomy is Autonomy.ACT
        assert world.keeper.parents_down(service) == ()
        assert all(gate.passed for gate in value.gates)
        if value.disruptive:
            assert diagnosis.certain or len(diagnosis.signals) >= 2
        self.plans.append(value)


async def storm(world, rng, events):  # noqa: C901 - a table of what can happen
    """`events` random things, some seconds apart."""
    for _ in range(events):
        await asyncio.sleep(rng.choice([0.05, 0.7, 3.0, 11.0, 40.0]))
        name = rng.choice(NAMES)
        script, running = world.scripts[name], world.scripts[name].control.observe().state is RunState.RUNNING
        match rng.choice(
            [
                "die",
                "die",
                "freeze",
                "hang",
                "stuck",
                "silent",
                "blind",
                "refuse",
                "pause",
                "stop",
                "start",
                "clock",
                "heal",
            ]
        ):
            case "die":
                script.control.die(rng.choice([0, 1, -9, -11]))
            case "freeze" if running:
                script.control.freeze()
            case "hang":
                script.hung, script.cpu = True, rng.choice([0.0, 20.0, 99.0])
            case "stuck":
                script.hung = script.stays_hung = True
            case "silent":
                script.silent = not script.silent
            case "blind":
                script.control.lose_sight()
            case "refuse":
                script.control.refuse(rng.choice(["start", "stop", "restart"]))
            case "pause":
                world.pause.pause(for_s=rng.choice([5.0, 60.0]), reason="storm", actor="x")
            case "stop" | "start" as verb:
                await world.requests.carry_out(verb, name, actor="uid=1000")
            case "clock":
                world.clock.set_wall(rng.choice([0.0, 1.7e9, 4e9]))
            case "heal":
                clear(script)


def clear(script):
    """The faults are over."""
    script.hung = script.stays_hung = script.silent = False
    for act in ("start", "stop", "restart"):
        script.control.allow(act)
    match script.control.observe().state:
        case RunState.UNKNOWN:
            script.control.appear()
        case RunState.FROZEN:
            script.control.thaw()


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_rules_hold_and_all_is_well_in_the_end(world, seed):
    random.seed(seed)  # the jitter of the daemon itself is chance, too
    rng = random.Random(seed)
    world = world(park_retry_s=200.0)
    watcher = Watcher(world)
    for name, parents in zip(NAMES, ((), ("db",), ("app",)), strict=True):
        await world.add(name, depends_on=parents, restart=LIMIT, start_s=rng.choice([0.0, 0.5, 4.0]))
    async with world.running():
        await storm(world, rng, 40)
        for name in NAMES:
            clear(world.scripts[name])
        world.pause.resume(actor="x")
        for name in NAMES:
            await world.requests.carry_out("start", name, actor="uid=1000")
        await asyncio.sleep(1500.0)
        assert {name: world.state(name) for name in NAMES} == dict.fromkeys(NAMES, ServiceState.UP)
        assert world.open_issues() == []
        assert world.runner.running == {}
    at_most(LIMIT, world)
    for number in {number for number, _, _ in world.issue_moves}:
        assert [after for each, _, after in world.issue_moves if each == number].count("resolved") == 1
    assert all(fix.outcome is not None for fix in world.fixes)
    assert len([fix for fix in world.fixes if fix.actor == "autonomyd"]) == len(watcher.plans)


def at_most(limit, world):
    """The daemon never tried more often than its restart limit allows, by the clock that cannot be set."""
    for name in NAMES:
        ended = [past.at for past in world.history.past if past.service == name]
        for first, last in zip(ended, ended[limit.max :], strict=False):
            assert last - first >= limit.within_s, name


@pytest.mark.parametrize("seed", range(2))
async def test_without_a_fault_nothing_is_ever_done(world, seed):
    random.seed(seed)
    rng = random.Random(seed)
    world = world()
    for name in NAMES:
        await world.add(name)
    async with world.running():
        for _ in range(40):
            await asyncio.sleep(rng.choice([1.0, 30.0, 100.0]))
            script = world.scripts[rng.choice(NAMES)]
            match rng.choice(["busy", "silent", "clock", "hiccup"]):
                case "busy":
                    script.cpu = rng.choice([0.0, 99.0])
                case "silent":
                    script.silent = not script.silent
                case "clock":
                    world.clock.set_wall(rng.choice([0.0, 4e9]))
                case "hiccup":
                    script.hung = True
                    await asyncio.sleep(1.0)  # one look at most falls into it
                    script.hung = False
        assert world.fixes == []
        assert [name for name in NAMES if world.scripts[name].control.acts] == []
        assert {fix.outcome for fix in world.fixes} <= set(Outcome)
