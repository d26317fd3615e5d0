"""The public test kit: clocks that stand still or follow a loop's virtual time, a scripted control of a service, a
store in memory, and short ways to the values that judgement is given. Touches no machine; never used by the daemon."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from autonomyd.aio.clock import Clock
from autonomyd.host.controls.protocol import ControlError, ErrorKind, OnChange, PlainControl
from autonomyd.knowledge.store import Store
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import CheckFacts, GateLimits, PastFix, PauseFacts, ServiceFacts, Situation
from autonomyd.model.fix import Outcome
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueState, IssueType
from autonomyd.model.plan import Autonomy
from autonomyd.model.service import Intent, RunState, ServiceRun, ServiceState
from autonomyd.model.subject import service_subject
from autonomyd.settings.service import CheckSettings, ServiceSettings

WALL = 1.7e9
MONOTONIC = 1000.0


class ManualClock:
    """A clock that stands still until told. Times in seconds."""

    def __init__(self, monotonic: float = MONOTONIC, wall: float = WALL) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass. Raises ValueError for less than none."""
        if seconds < 0:
            raise ValueError("time does not run backwards; set_wall sets the wall clock")
        self._monotonic += seconds
        self._wall += seconds

    def set_wall(self, wall: float) -> None:
        """Set the wall clock, as a person or a time server does; the monotonic one does not notice."""
        self._wall = wall


class LoopClock:
    """Follows the running loop's time: with a loop of virtual time (looptime) waits cost nothing and are exact."""

    def __init__(self, wall: float = WALL) -> None:
        self._wall = wall

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return self._wall + self.monotonic()

    def set_wall(self, wall: float) -> None:
        """Set the wall clock; the monotonic one does not notice."""
        self._wall = wall - self.monotonic()


class FakeControl(PlainControl):
    """A ServiceControl whose service lives in memory. Delays are awaited with `asyncio.sleep`, so virtual time works.

    `acts` lists what was done to it ("start", "stop", "kill", "restart"). `refuse` makes the next acts of that name
    fail; `die`, `freeze` and `appear` are what happens to the process from outside."""

    kind = "process"

    def __init__(
        self, *, pid: int | None = None, start_s: float = 0.0, stop_s: float = 0.0, kind: str = "process"
    ) -> None:
        self.kind = kind
        self.start_s = start_s
        self.stop_s = stop_s
        self.acts: list[str] = []
        self.closed = False
        self._next_pid = 100 if pid is None else pid + 1
        self._run = ServiceRun(state=RunState.GONE) if pid is None else ServiceRun(state=RunState.RUNNING, pid=pid)
        self._refusals: dict[str, tuple[str, ErrorKind]] = {}
        self._on_change: OnChange = lambda run: None

    # --- the script ------------------------------------------------------------------------------------------------

    def die(self, code: int = 0) -> None:
        """The process exits with `code`; a negative one is the number of the signal that killed it."""
        message = f"exited with code {code}" if code >= 0 else f"killed by signal {-code}"
        self._become(ServiceRun(state=RunState.GONE, message=message))

    def freeze(self) -> None:
        """Somebody sends SIGSTOP."""
        self._become(ServiceRun(state=RunState.FROZEN, pid=self._run.pid, message="stopped by a signal"))

    def thaw(self) -> None:
        """Somebody sends SIGCONT."""
        self._become(ServiceRun(state=RunState.RUNNING, pid=self._run.pid))

    def appear(self) -> None:
        """Somebody else starts the service: a new process runs."""
        self._become(self._fresh())

    def lose_sight(self, message: str = "the bus is gone") -> None:
        """Nothing is known any more."""
        self._become(ServiceRun(state=RunState.UNKNOWN, message=message))

    def refuse(self, act: str, message: str = "refused", kind: ErrorKind = ErrorKind.PERMANENT) -> None:
        """Let every `act` ("open", "start", "stop", "restart") fail from now on."""
        self._refusals[act] = (message, kind)

    def allow(self, act: str) -> None:
        """End `refuse`."""
        self._refusals.pop(act, None)

    # --- what ServiceControl asks ------------------------------------------------------------------------------------

    async def open(self, on_change: OnChange) -> ServiceRun:
        self._refused("open")
        self._on_change = on_change
        return self._run

    def observe(self) -> ServiceRun:
        return self._run

    async def start(self) -> ServiceRun:
        self.acts.append("start")
        await asyncio.sleep(self.start_s)
        self._refused("start")
        if self._run.state in (RunState.GONE, RunState.UNKNOWN):
            self._become(self._fresh())
        return self._run

    async def stop(self, *, force: bool = False) -> ServiceRun:
        self.acts.append("kill" if force else "stop")
        await asyncio.sleep(0.0 if force else self.stop_s)
        self._refused("stop")
        self._become(ServiceRun(state=RunState.GONE, message="killed" if force else "stopped"))
        return self._run

    async def restart(self) -> ServiceRun:
        self.acts.append("restart")
        await asyncio.sleep(self.stop_s)
        self._become(ServiceRun(state=RunState.GONE, message="stopped"))
        await asyncio.sleep(self.start_s)
        self._refused("restart")
        self._become(self._fresh())
        return self._run

    async def close(self) -> None:
        self.closed = True

    def _fresh(self) -> ServiceRun:
        self._next_pid += 1
        return ServiceRun(state=RunState.RUNNING, pid=self._next_pid)

    def _become(self, run: ServiceRun) -> None:
        self._run = run
        self._on_change(run)

    def _refused(self, act: str) -> None:
        if act in self._refusals:
            raise ControlError(*self._refusals[act])


@asynccontextmanager
async def memory_store(clock: Clock | None = None) -> AsyncIterator[Store]:
    """A store that leaves nothing behind."""
    store = await Store.open(":memory:", clock=clock or ManualClock())
    try:
        yield store
    finally:
        await store.close()


def service_settings(*checks: str, **more: Any) -> ServiceSettings:
    """A service that the daemon runs itself, with a check a second of each kind in `checks`, failing at the second
    failure in a row; `more` replaces any key of the configuration."""
    fields: dict[str, Any] = {
        "control": {"type": "process", "command": ["web"]},
        "checks": tuple(CheckSettings(type=kind, every_s=1.0, timeout_s=0.5) for kind in checks),
    }
    return ServiceSettings(**(fields | more))


# --- short ways to the values that judgement is given -------------------------------------------------------------


def issue(kind: IssueType = IssueType.SERVICE_DOWN, *, service: str = "web", **more: Any) -> Issue:
    """An open issue of `service`; `more` replaces any field."""
    fields: dict[str, Any] = {
        "id": 1,
        "type": kind,
        "subject": service_subject(service),
        "metric": "process" if kind is IssueType.SERVICE_DOWN else "checks",
        "severity": Severity.CRITICAL,
        "state": IssueState.OPEN,
        "summary": f"{service} has a problem",
        "opened_at": WALL,
        "updated_at": WALL,
    }
    return Issue(**(fields | more))


def check(name: str = "http", *, failing: bool = False, failures: int | None = None, **more: Any) -> CheckFacts:
    """A check that needs 2 failures in a row; failing ones have failed exactly as often, if nothing else is said."""
    count = (2 if failing else 0) if failures is None else failures
    fields: dict[str, Any] = {
        "name": name,
        "kind": name,
        "failing": failing,
        "failures": count,
        "needed": 2,
        "known": True,
    }
    return CheckFacts(**(fields | more))


def service(run: RunState = RunState.RUNNING, *, name: str = "web", **more: Any) -> ServiceFacts:
    """A service that a person wants to run, that may be acted on, and whose process is in state `run`."""
    state = {RunState.GONE: ServiceState.DOWN, RunState.UNKNOWN: ServiceState.UNKNOWN}.get(run, ServiceState.FAILING)
    fields: dict[str, Any] = {
        "name": name,
        "state": state,
        "run": run,
        "run_message": "",
        "intent": Intent.STARTED,
        "autonomy": Autonomy.ACT,
    }
    return ServiceFacts(**(fields | more))


def situation(about: ServiceFacts | None = None, *, limits: GateLimits | None = None, **more: Any) -> Situation:
    """Not paused, nothing done before, at the ManualClock's first moment."""
    fields: dict[str, Any] = {
        "now": MONOTONIC,
        "wall_now": WALL,
        "luck": 0.5,
        "pause": PauseFacts(paused=False),
        "limits": limits or GateLimits(),
        "service": about,
    }
    return Situation(**(fields | more))


def past_fix(strategy: str = "start", *, ago_s: float = 60.0, **more: Any) -> PastFix:
    """A fix of `web` that ended `ago_s` before the ManualClock's first moment and healed."""
    fields: dict[str, Any] = {
        "strategy": strategy,
        "cause": Cause.PROCESS_GONE,
        "service": "web",
        "issue_key": "service_down|service:web|process",
        "outcome": Outcome.HEALED,
        "disruptive": False,
        "at": MONOTONIC - ago_s,
    }
    return PastFix(**(fields | more))


def diagnosis(
    cause: Cause | None = Cause.PROCESS_GONE,
    *,
    confidence: float = 99.0,
    signals: Iterable[str] = ("process",),
    **more: Any,
) -> Diagnosis:
    """One ranked cause, or none at all (undetermined)."""
    causes = () if cause is None else (RankedCause(cause=cause, confidence=confidence),)
    fields: dict[str, Any] = {"subject": service_subject("web"), "causes": causes, "signals": tuple(signals)}
    return Diagnosis(**(fields | more))
