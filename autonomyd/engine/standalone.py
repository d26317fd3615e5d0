"""What a subsystem needs when it is used alone, without the daemon: nothing is stored, no service is kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import NoReturn

from autonomyd.engine.approvals import ApprovalDesk
from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.history import FixHistory
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.pause import PauseSwitch
from autonomyd.engine.services import ServiceKeeper
from autonomyd.engine.situation import SituationReader
from autonomyd.engine.trust import Trust
from autonomyd.engine.verify import Verifier
from autonomyd.execute.runner import Runner
from autonomyd.execute.steps.custom import CallHandler
from autonomyd.execute.steps.files import RemoveFilesHandler
from autonomyd.execute.steps.probes import ProbeIntervalHandler
from autonomyd.model.fix import Fix
from autonomyd.model.issue import Transition
from autonomyd.model.step import CallStrategy, RemoveFiles, SetProbeInterval, StepResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """The parts of a healing that belongs to no daemon."""

    situations: SituationReader
    runner: Runner
    history: FixHistory
    pause: PauseSwitch
    keeper: ServiceKeeper
    trust: Trust
    approvals: ApprovalDesk


def alone(
    monitoring: SelfMonitoringSystem,
    *,
    call: Callable[[str], Awaitable[StepResult]],
    on_state: Callable[[Fix], None],
) -> Alone:
    """`call` carries out a registered strategy, `on_state` hears of every state of a fix."""
    clock = monitoring.clock
    history = FixHistory(clock)
    pause = PauseSwitch(clock)
    keeper = ServiceKeeper(clock=clock, make_control=_no_services, on_state=lambda service, before: None)
    cleaner = Cleaner(lambda: monitoring.settings.cleanup)
    verifier = Verifier(
        clock=clock,
        monitoring=monitoring,
        keeper=keeper,
        watch_of=lambda name: None,
        verify_s=lambda: monitoring.settings.healing.verify_s,
    )
    ids = count(1)
    runner = Runner(
        clock=clock,
        handlers={
            CallStrategy: CallHandler(call),
            RemoveFiles: RemoveFilesHandler(cleaner.remove),
            SetProbeInterval: ProbeIntervalHandler(monitoring.sampler.set_interval),
        },
        journal=_in_memory,
        validate=verifier.validate,
        next_id=lambda: next(ids),
        on_state=on_state,
    )
    situations = SituationReader(
        clock=clock,
        settings=lambda: monitoring.settings,
        keeper=keeper,
        history=history,
        pause=pause,
        cleaner=cleaner,
        cpu_of=lambda subject: None,
    )
    approvals = count(1)
    return Alone(
        situations=situations,
        runner=runner,
        history=history,
        pause=pause,
        keeper=keeper,
        trust=Trust(clock=clock),
        approvals=ApprovalDesk(clock=clock, next_id=lambda: next(approvals)),
    )


async def _in_memory(fix: Fix, moves: tuple[Transition, ...]) -> None:
    """The runner keeps the fix; without a store there is nothing to survive a crash for."""


def _no_services(name: str, settings: object) -> NoReturn:
    raise LookupError(f"a healing used alone keeps no services: {name}")
