"""A change that is being tried, the hands of the embedding program, and the runner of one who uses the parts alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.execute.runner import Runner, Validation
from autonomyd.execute.steps.probes import ProbeIntervalHandler
from autonomyd.model.candidate import OptimizationCandidate
from autonomyd.model.fix import Fix, Outcome
from autonomyd.model.issue import Transition
from autonomyd.model.plan import Plan
from autonomyd.model.step import SetProbeInterval

TIMEOUT_S = 60.0
ACTOR = "autonomyd"

log = structlog.get_logger(__name__)

Apply = Callable[[Plan], Awaitable[Fix]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The hands that the embedding program gave with its own candidate."""

    apply: Callable[[], Awaitable[object]]
    measure: Callable[[], Awaitable[float]]
    undo: Callable[[], Awaitable[object]]


@dataclass(slots=True, kw_only=True)
class Experiment:
    """A change in force. `judged` once it was verified; it stays until its subject is in trouble."""

    candidate: OptimizationCandidate
    since: float
    before: float
    looks: int = 0
    unknowns: int = 0
    judged: bool = False
    program: Program | None = None


async def called(call: Callable[[], Awaitable[object]]) -> tuple[object, str]:
    """(result, ""), or (None, what went wrong): the code of the embedding program is a step's boundary."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await call(), ""
    except TimeoutError:
        return None, f"no answer within {TIMEOUT_S:g} s"
    except Exception as error:
        log.warning("program_optimization_raised", exc_info=error)
        return None, f"{type(error).__name__}: {error}"


def own_runner(monitoring: SelfMonitoringSystem) -> Apply:
    """A runner for use alone: the same way, without a journal."""
    ids = iter(range(1, 2**62))

    async def journal(fix: Fix, moves: tuple[Transition, ...]) -> None:
        """Nothing outlives the program that uses the parts alone."""

    async def validate(plan: Plan, since: float) -> Validation:
        return Validation(outcome=Outcome.HEALED, message="the interval is in force; its effect is measured later")

    runner = Runner(
        clock=monitoring.clock,
        handlers={SetProbeInterval: ProbeIntervalHandler(monitoring.sampler.set_interval)},
        journal=journal,
        validate=validate,
        next_id=lambda: next(ids),
    )
    return lambda plan: runner.run(plan, actor=ACTOR)
