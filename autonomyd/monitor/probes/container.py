"""`type = "container"`: a container of Docker or Podman: whether it runs and is healthy, how often its engine restarted
it, what it uses. Two short questions a look. An engine that does not answer is `unknown`, and no fault of the
container."""

from collections import deque
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.model.issue import IssueType
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Bound, Look, Surroundings, failed, ok, unknown
from autonomyd.settings.base import Percent, Seconds
from autonomyd.settings.container import ContainerControl, ContainerName
from autonomyd.settings.service import CheckSettings

if TYPE_CHECKING:
    from autonomyd.host.containers.api import EngineApi
    from autonomyd.host.containers.inspected import ContainerState
    from autonomyd.host.containers.stats import Usage

MB = 1_000_000
NS = 1e9


class ContainerOptions(CheckSettings):
    """A container that runs, is healthy by its image's own health check, was not killed for want of memory, and is not
    restarted over and over by its engine."""

    container: ContainerName | None = None
    """Name or id; default: the container that is the service."""
    restarts: int = Field(default=3, ge=1, le=1000)
    """So many restarts by the engine within `within_s` are a failure."""
    within_s: Seconds = 300.0
    """Time span of `restarts`, and for how long a process killed for want of memory is a failure."""
    cpu_percent: Annotated[float, Field(gt=0)] | None = None
    """CPU, in percent of one core, above which it is an issue."""
    memory_percent: Percent | None = None
    """Share of the container's memory limit above which it is an issue."""


class ContainerProbe:
    kind: ClassVar[str] = "container"
    Options: ClassVar[type[CheckSettings]] = ContainerOptions
    asks: ClassVar[bool] = False
    cheap: ClassVar[bool] = True
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="cpu_percent", unit="%"),
        MetricSpec(name="memory_mb", unit="MB"),
        MetricSpec(name="memory_percent", unit="%"),
        MetricSpec(name="restarts"),
    )
    bounds: ClassVar[tuple[Bound, ...]] = (
        Bound(
            value="cpu_percent",
            option="cpu_percent",
            words="uses too much CPU: its container takes {value:.0f} % of a core",
            unit="%",
            type=IssueType.PERFORMANCE_DEGRADATION,
        ),
        Bound(
            value="memory_percent",
            option="memory_percent",
            words="is short of memory: its container uses {value:.0f} % of its limit",
            unit="%",
            type=IssueType.PERFORMANCE_DEGRADATION,
        ),
    )

    def __init__(self, options: ContainerOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._api: EngineApi | None = None
        self._container = options.container or ""
        self._before: tuple[str, float, Usage] | None = None
        self._counted: tuple[str, int] | None = None
        self._restarted: deque[float] = deque(maxlen=options.restarts)
        self._oom = False
        self._oom_at: float | None = None
        self.dependency = False

    def place(self, around: Surroundings) -> None:
        control = around.settings.control
        own = control if isinstance(control, ContainerControl) else None
        if not self._container and own is not None:
            self._container = own.name
        self.dependency = own is None or own.name != self._container
        if around.containers is not None:
            self._api = around.containers.of(own.socket if own is not None else None).api

    def close(self) -> None:
        """It holds nothing: each look connects anew."""

    async def look(self) -> Look:
        from autonomyd.host.containers.api import EngineFailure, part
        from autonomyd.host.containers.inspected import state_of
        from autonomyd.host.containers.stats import usage

        if not self._container:
            return unknown("the service is no container: say which one by `container`")
        if self._api is None:
            return unknown("no container engine is at hand here")
        api, timeout_s = self._api, self._options.timeout_s
        path = f"/containers/{part(self._container)}/json"
        try:
            state = state_of(await api.ask("GET", path, timeout_s=timeout_s, trial=True))
        except EngineFailure as error:
            if getattr(error, "status", 0) == 404:
                return failed(f"there is no container {self._container}")
            return unknown(str(error))
        values = {"restarts": float(state.restarts)}
        trouble = self._trouble(state)
        if state.status == "running":
            try:
                values |= self._rates(state, await usage(api, state.id, timeout_s=timeout_s))
            except EngineFailure as error:
                return failed(trouble, values) if trouble else ok(values, f"it runs; {error}")
        return failed(trouble, values) if trouble else ok(values, f"it runs{_health(state)}")

    def _trouble(self, state: "ContainerState") -> str:
        """Why it counts as failing, "" when it is well."""
        from autonomyd.host.containers.inspected import ended_words

        now = self._clock.monotonic()
        self._count(state, now)
        within_s = self._options.within_s
        if state.status == "paused":
            return "the container is paused"
        if state.status == "restarting":
            return f"its engine restarts it: {ended_words(state)}"
        if state.status != "running":
            return f"the container is {state.status}: {ended_words(state)}"
        if state.health == "unhealthy":
            return "its own health check fails" + (f": {state.health_said}" if state.health_said else "")
        if len(self._restarted) == self._options.restarts and now - self._restarted[0] < within_s:
            return f"its engine restarted it {self._options.restarts} times within {now - self._restarted[0]:.0f} s"
        if self._oom_at is not None and now - self._oom_at < within_s:
            return f"a process in it was killed for want of memory (limit {state.memory_limit / MB:.0f} MB)"
        return ""

    def _count(self, state: "ContainerState", now: float) -> None:
        """The restarts since the last look, and a new want of memory; both begin anew with another container."""
        known = self._counted is not None and self._counted[0] == state.id
        before = self._counted[1] if known and self._counted is not None else state.restarts
        self._counted = (state.id, state.restarts)
        if not known:
            self._restarted.clear()
            self._oom_at = None
        elif state.oom_killed and not self._oom:
            self._oom_at = now
        elif not state.oom_killed:
            self._oom_at = None
        self._oom = state.oom_killed
        for _ in range(min(state.restarts - before, self._options.restarts)):
            self._restarted.append(now)

    def _rates(self, state: "ContainerState", used: "Usage") -> dict[str, float]:
        now = self._clock.monotonic()
        before, self._before = self._before, (state.id, now, used)
        values = {"memory_mb": used.memory / MB}
        if state.memory_limit > 0:
            values["memory_percent"] = 100.0 * used.memory / state.memory_limit
        if before is not None and before[0] == state.id and now > before[1] and used.cpu_ns >= before[2].cpu_ns:
            values["cpu_percent"] = 100.0 * (used.cpu_ns - before[2].cpu_ns) / NS / (now - before[1])
        return values


def _health(state: "ContainerState") -> str:
    return f" and is {state.health}" if state.health else ""
