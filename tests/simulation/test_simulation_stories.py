"""Whole stories in virtual time: a fault in, and what the daemon made of it."""

import asyncio

import pytest

from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Autonomy
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.settings.service import RestartLimit
from autonomyd.testing import issue

pytestmark = pytest.mark.looptime(resolution=1e-9)
UP = ServiceState.UP


def strategies(world):
    return [(fix.plan.strategy, fix.outcome) for fix in world.fixes]


async def test_a_service_that_dies_is_started_at_once_not_at_the_next_turn(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(12.3)
        web.control.die(-9)
        took_s = await world.until(lambda: world.state("web") is UP, within_s=5.0)
        await asyncio.sleep(5.0)
    assert took_s < 1.0
    assert strategies(world) == [("start", Outcome.HEALED)]
    assert world.open_issues() == []
    assert [after for _, _, after in world.issue_moves] == [
        "open", "diagnosed", "planned", "fixing", "verifying", "resolved",
    ]  # fmt: skip


async def test_a_frozen_service_is_killed_and_started(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(5.0)
        web.control.freeze()
        await world.until(lambda: world.state("web") is UP and world.fixes, within_s=15.0)
    assert strategies(world) == [("kill-and-start", Outcome.HEALED)]
    assert web.control.acts == ["kill", "start"]
    assert [before for _, before, _ in world.issue_moves].count("") == 1


async def test_a_hung_service_is_restarted_and_its_own_restart_opens_no_issue(world):
    world = world()
    web = await world.add("web", stop_s=3.0)
    async with world.running():
        await asyncio.sleep(5.0)
        web.hung = True
        await world.until(lambda: world.state("web") is UP and world.fixes, within_s=30.0)
        await asyncio.sleep(30.0)
    assert strategies(world) == [("restart", Outcome.HEALED)]
    assert web.control.acts == ["restart"]
    assert [before for _, before, _ in world.issue_moves].count("") == 1


async def test_when_a_restart_does_not_help_the_next_rung_is_taken(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(5.0)
        web.hung = web.stays_hung = True
        await world.until(lambda: len(world.fixes) >= 2, within_s=300.0)
    assert [strategy for strategy, _ in strategies(world)[:2]] == ["restart", "kill-and-start"]


async def test_a_busy_service_is_left_alone(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(5.0)
        web.hung, web.cpu = True, 98.0
        await asyncio.sleep(600.0)
        assert web.control.acts == []
        web.hung = False
        await asyncio.sleep(5.0)
        assert world.open_issues() == []


async def test_what_a_person_stopped_stays_stopped(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(5.0)
        await world.requests.carry_out("stop", "web", actor="uid=1000")
        await asyncio.sleep(900.0)
        assert (world.state("web"), web.control.acts, world.open_issues()) == (ServiceState.STOPPED, ["stop"], [])
        await world.requests.carry_out("start", "web", actor="uid=1000")
        await asyncio.sleep(5.0)
        assert world.state("web") is UP
        web.control.die(1)
        await world.until(lambda: world.state("web") is UP, within_s=5.0)
    assert world.issue_moves[0][1:] == ("", "open")


async def test_while_paused_nothing_is_done_and_afterwards_it_is(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        world.pause.pause(for_s=120.0, reason="release", actor="x")
        await asyncio.sleep(5.0)
        web.control.die(1)
        await asyncio.sleep(100.0)
        assert (web.control.acts, world.state("web")) == ([], ServiceState.DOWN)
        await world.until(lambda: world.state("web") is UP, within_s=60.0)
    assert strategies(world) == [("start", Outcome.HEALED)]


@pytest.mark.parametrize("autonomy", [Autonomy.OBSERVE, Autonomy.SHADOW, Autonomy.ASK])
async def test_a_service_that_may_not_be_touched_is_not(world, autonomy):
    world = world()
    web = await world.add("web", autonomy=autonomy)
    async with world.running():
        web.control.die(1)
        await asyncio.sleep(300.0)
        assert web.control.acts == []
        assert [state for _, _, state in world.open_issues()] == ["refused"]


async def test_nothing_is_done_on_what_is_not_known(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(5.0)
        web.silent = True
        await asyncio.sleep(300.0)
        assert (world.state("web"), world.open_issues()) == (UP, [])
        web.control.lose_sight()
        await asyncio.sleep(300.0)
        assert world.state("web") is ServiceState.UNKNOWN
    assert web.control.acts == []


async def test_the_parent_is_healed_first_and_its_child_follows(world):
    world = world()
    db = await world.add("db", start_s=3.0)
    web = await world.add("web", depends_on=("db",))
    async with world.running():
        await asyncio.sleep(5.0)
        web.control.die(1)
        db.control.die(1)
        await world.until(lambda: world.state("web") is UP and world.state("db") is UP, within_s=60.0)
        await asyncio.sleep(15.0)
        assert world.open_issues() == []
    started = {fix.plan.service: fix.started_at for fix in world.journal_rows}
    ended = {fix.plan.service: fix.ended_at for fix in world.fixes}
    assert ended["db"] <= started["web"] or web.control.acts == ["start"]
    assert db.control.acts == web.control.acts == ["start"]


async def test_a_service_that_will_not_live_is_parked_and_tried_again_slowly(world):
    world = world(park_retry_s=900.0)
    web = await world.add("web", restart=RestartLimit(max=3, within_s=300.0))
    async with world.running():
        await asyncio.sleep(5.0)
        web.control.refuse("start", "exited at once")
        web.control.die(1)
        await world.until(lambda: any(state == "parked" for _, _, state in world.open_issues()), within_s=300.0)
        assert web.control.acts == ["start"] * 3 + web.control.acts[3:]
        tried = len(web.control.acts)
        (issue,) = world.monitoring.book.open_issues()
        assert issue.next_try_at > world.clock.wall()
        await asyncio.sleep(800.0)
        assert len(web.control.acts) == tried
        web.control.allow("start")
        await world.until(lambda: world.state("web") is UP, within_s=400.0)
        await asyncio.sleep(10.0)
        assert {kind for kind, _, _ in world.open_issues()} <= {"low_availability"}, "it was long away"
        await asyncio.sleep(600.0)
        assert world.open_issues() == []


async def test_what_could_not_be_verified_is_resolved_once_its_checks_pass(world):
    world = world()
    web = await world.add("web", start_grace_s=3.0)
    async with world.running():
        await asyncio.sleep(5.0)
        web.silent = True
        web.control.die(1)
        await world.until(lambda: world.fixes, within_s=60.0)
        assert strategies(world) == [("start", Outcome.UNVERIFIED)]
        await asyncio.sleep(100.0)
        assert len(world.open_issues()) == 1  # nothing known: it neither heals nor resolves
        web.silent = False
        await asyncio.sleep(120.0)
        assert world.open_issues() == []
    assert web.control.acts == ["start"]


async def test_setting_the_clock_neither_delays_nor_hurries_healing(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(5.0)
        for wall in (0.0, 4e9):
            world.clock.set_wall(wall)
            web.control.die(1)
            took_s = await world.until(lambda: world.state("web") is UP, within_s=60.0)
            assert took_s < 2.0
            await asyncio.sleep(60.0)
        assert world.supervisor.stalled() == ()


async def test_two_services_are_healed_side_by_side(world):
    world = world()
    slow = await world.add("slow", start_s=20.0, start_grace_s=30.0)
    quick = await world.add("quick")
    async with world.running():
        slow.control.die(1)
        quick.control.die(1)
        took_s = await world.until(lambda: world.state("quick") is UP, within_s=60.0)
        assert took_s < 2.0
        assert slow.control.observe().state is RunState.GONE
        await world.until(lambda: world.state("slow") is UP, within_s=60.0)
    assert world.keeper.services["slow"].intent is Intent.STARTED


async def test_a_fix_counts_as_healed_only_when_it_lasts(world):
    """A start after which the process lives for two seconds is none; the next one is watched longer than that."""
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(60.0)
        web.control.die(1)
        await world.until(lambda: world.state("web") is UP, within_s=5.0)
        await asyncio.sleep(2.0)
        web.control.die(1)
        await world.until(lambda: len(world.fixes) == 1, within_s=5.0)
        assert world.fixes[0].outcome is Outcome.INEFFECTIVE
        await world.until(lambda: len(world.fixes) == 2, within_s=30.0)
        healed = world.fixes[1]
        assert healed.outcome is Outcome.HEALED
        assert (healed.ended_at or 0.0) - healed.started_at >= 4.0
        assert world.open_issues() == []


async def test_a_hiccup_shorter_than_the_interval_is_no_fault(world):
    world = world()
    web = await world.add("web")
    async with world.running():
        await asyncio.sleep(5.0)
        for _ in range(20):
            web.hung = True
            await asyncio.sleep(0.8)
            web.hung = False
            await asyncio.sleep(7.3)
    assert web.control.acts == []


async def test_the_restart_of_a_stack_leaves_out_what_may_not_be_touched(world):
    world = world()
    await world.add("db")
    for name, more in (("web", {}), ("seen", {"autonomy": Autonomy.OBSERVE}), ("off", {})):
        await world.add(name, depends_on=("db",), **more)
    world.keeper.services["off"].intent = Intent.STOPPED
    about = issue(IssueType.SERVICE_UNHEALTHY, service="db")
    facts = world.situations.service_of(about)
    assert (set(facts.children), facts.off_limits) == ({"web", "seen"}, ("seen",))


async def test_a_child_that_its_parents_fix_stops_opens_no_issue(world):
    world = world()
    db = await world.add("db")
    web = await world.add("web", depends_on=("db",))
    async with world.running():
        await asyncio.sleep(5.0)
        db.hung = db.stays_hung = True
        await world.until(lambda: "stop" in web.control.acts, within_s=600.0)
        db.hung = db.stays_hung = False
        await world.until(lambda: world.state("db") is UP and world.state("web") is UP, within_s=60.0)
        await asyncio.sleep(10.0)
    assert ("restart-stack", Outcome.HEALED) in strategies(world)
    assert world.troubled == {"service:db"}
    assert [name for name, _ in strategies(world)].count("start") == 0
    assert web.control.acts == ["stop", "start"]
