"""At the start: services that the daemon itself runs are started, parents first."""

import asyncio

import structlog

from autonomyd.engine.managed import ManagedService
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.runner import Overtaken, Runner
from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import Autonomy, Plan, Risk
from autonomyd.model.service import Intent, RunState, ServiceState
from autonomyd.model.step import StartService

ACTOR = "start-up"
PARENT_EXTRA_S = 5.0

log = structlog.get_logger(__name__)


def wants_start(service: ManagedService, pause: PauseSwitch) -> bool:
    """Only `process` services are brought up: the others have somebody else who starts them at boot, and one that
    is down is an issue like any other."""
    return (
        service.control.kind == "process"
        and service.run.state is RunState.GONE
        and service.intent is Intent.STARTED
        and service.settings.autonomy is Autonomy.ACT
        and not service.problem
        and not pause.facts().paused
    )


async def bring_up(keeper: ServiceKeeper, runner: Runner, waiting: tuple[str, ...], pause: PauseSwitch) -> None:
    """Start `waiting`, each as soon as its parents are up (or their grace time is over)."""
    await asyncio.gather(*(_bring_up(keeper, runner, name, pause) for name in waiting))


async def _bring_up(keeper: ServiceKeeper, runner: Runner, name: str, pause: PauseSwitch) -> None:
    service = keeper.services.get(name)
    if service is None:
        return

    def overtaken() -> str:
        return "" if keeper.services.get(name) is service and wants_start(service, pause) else "no longer wanted"

    for parent in service.settings.depends_on:
        if not await _until_up(keeper, parent):
            # not started without its parent: it is down, and follows as soon as the parent has been healed
            log.warning("start_waits_for_parent", service=name, parent=parent)
            _let_go(keeper, service)
            return
    plan = Plan(
        strategy="start",
        cause=Cause.REQUESTED,
        steps=(StartService(service=name),),
        confidence=100.0,
        risk=Risk.LOW,
        disruptive=False,
        reversible=True,
        service=name,
        preview=(f"start {name}",),
    )
    try:
        await runner.run(plan, actor=ACTOR, overtaken=overtaken)
    except Overtaken:
        # while it waited a person stopped or started it, automation was paused, or the configuration changed
        _let_go(keeper, service)


def _let_go(keeper: ServiceKeeper, service: ManagedService) -> None:
    """Nobody is about to start it any more."""
    service.operating = ""
    keeper.update(service)


async def _until_up(keeper: ServiceKeeper, name: str) -> bool:
    parent = keeper.services.get(name)
    if parent is None:
        return True
    try:
        async with asyncio.timeout(parent.settings.start_grace_s + PARENT_EXTRA_S):
            while parent.state is not ServiceState.UP:
                await parent.changed.wait()
    except TimeoutError:
        return False
    return True
