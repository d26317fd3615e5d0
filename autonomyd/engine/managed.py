"""One service as it runs: what its control observes, what its checks say, and the state that follows."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.host.controls.protocol import ServiceControl
from autonomyd.model.facts import CheckFacts, ServiceFacts
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import Intent, RunState, ServiceRun, ServiceState
from autonomyd.model.status import CheckStatus
from autonomyd.model.subject import Subject, service_subject
from autonomyd.settings.service import CheckSettings, ServiceSettings

UNSEEN = ServiceRun(state=RunState.UNKNOWN, message="not looked at yet")
PASSES_KEPT = 4
DEATHS_KEPT = 20
GRAIN_S = 0.001
"""How long a look took and when it ended come from two clocks."""
_WITHOUT_PROCESS = (RunState.GONE, RunState.UNKNOWN)


@dataclass(slots=True, kw_only=True)
class ManagedCheck:
    """A check of a service: its name within the service, the probe's full name, and the judge of its readings.
    `silent`: its newest look could not tell. `dependency`: it asks something else than the service itself.
    `cheap`: it may be looked at a few times a second; `recalls`: it goes on failing after what it saw once. `begin`
    tells the probe that a new process has started."""

    name: str
    probe: str
    settings: CheckSettings
    streak: StreakDetector
    last: Reading | None = None
    passes: int = 0
    silent: bool = False
    asks: bool = False
    about_service: bool = True
    dependency: bool = False
    cheap: bool = False
    recalls: bool = False
    begin: Callable[[], None] = lambda: None
    passed_at: deque[float] = field(default_factory=lambda: deque(maxlen=PASSES_KEPT))


@dataclass(slots=True, kw_only=True)
class ManagedService:
    """Times are monotonic unless they end in `_at`. `grace_until` is set while it starts, `operating` names our own act
    under way, `holders` counts who has it in hand (a fix, a request): what happens meanwhile is our own echo. `deaths`
    are the last unasked ends, `lived_s` how long the process lived that ended last, `last_pid` its number. `available`:
    in how many percent of how many known seconds of the last day it worked."""

    name: str
    settings: ServiceSettings
    control: ServiceControl
    checks: dict[str, ManagedCheck] = field(default_factory=dict)
    run: ServiceRun = UNSEEN
    intent: Intent = Intent.STARTED
    state: ServiceState = ServiceState.UNKNOWN
    state_since_at: float | None = None
    operating: str = ""
    holders: int = 0
    has_run: bool = False
    grace_until: float | None = None
    settled_from: float = 0.0
    reloaded_at: float = 0.0
    restarts: int = 0
    frozen_since: float | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS_KEPT))
    lived_s: float | None = None
    last_pid: int | None = None
    fallback_since: float | None = None
    available: tuple[float, float] | None = None
    problem: str = ""
    outdated: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def subject(self) -> Subject:
        return service_subject(self.name)

    @property
    def has_process(self) -> bool:
        return self.run.state not in _WITHOUT_PROCESS

    def begin(self, now: float) -> None:
        """A new process has started: checks do not count until they pass or the grace time is over."""
        self.grace_until = now + self.settings.start_grace_s
        self.settled_from = now
        self.frozen_since = None
        for check in self.checks.values():
            check.streak.reset()
            check.passes = 0
            check.passed_at.clear()
            check.silent = False
            check.begin()

    def hear(self, check: ManagedCheck, reading: Reading, now: float) -> None:
        """Take a reading of one of the checks in."""
        check.last = reading
        began = reading.at - reading.duration_s + GRAIN_S
        if reading.state is ReadingState.OK:
            # a heartbeat speaks of the moment it was written: one of the process before proves nothing
            began -= reading.values.get("heartbeat_age_s", 0.0)
        if began < self.settled_from:
            return  # this look began before the process did: it tells of the one before
        if reading.state is ReadingState.FAILED and check.passed_at and began < check.passed_at[-1]:
            return  # a look that began later has passed: two can be under way side by side
        check.silent = reading.state is ReadingState.UNKNOWN
        if reading.state is ReadingState.OK:
            check.passes += 1
            check.passed_at.append(began)
        elif reading.state is ReadingState.FAILED:
            check.passes = 0
            check.passed_at.clear()
        if self.grace_until is not None and reading.state is ReadingState.FAILED and now < self.grace_until:
            return
        check.streak.observe(reading.at, reading.state, took_s=reading.duration_s)

    def end_grace(self, now: float) -> None:
        """It is not merely slow to start: what its checks have said since the start counts from now on."""
        self.grace_until = None
        for check in self.checks.values():
            if check.last is not None and check.last.state is ReadingState.FAILED and not check.passes:
                for _ in range(check.settings.failures):
                    check.streak.observe(check.last.at, ReadingState.FAILED, took_s=now - self.settled_from)

    def ended(self, now: float) -> None:
        """Its process has ended, and nobody asked for it."""
        self.deaths.append(now)
        self.lived_s = now - self.settled_from

    def settle(self, now: float) -> ServiceState:
        """The state that follows from everything known now."""
        if self.grace_until is not None and (self._all_pass() or now >= self.grace_until):
            self.grace_until = None
        return self._state()

    def verified(self, *, samples: int, since: float = -math.inf) -> bool:
        """Whether every check that can tell, one at least, has passed its last `samples` looks (at most 4), all of
        them begun since the process started and since `since` (monotonic seconds)."""
        telling = [check for check in self.checks.values() if not check.silent]
        return bool(telling) and all(
            check.passes >= samples and sum(at >= since for at in check.passed_at) >= samples for check in telling
        )

    @property
    def failing_since(self) -> float | None:
        """When the first of the checks that fail now began to."""
        since = [check.streak.since for check in self.failing_checks() if check.streak.since is not None]
        return min(since, default=None)

    def seen_well(self, since: float) -> bool:
        """Whether every check that can tell has passed in a look begun since then; without checks, that it runs and has
        not been seen frozen."""
        telling = [check for check in self.checks.values() if not check.silent]
        if not telling:
            return self.run.state is RunState.RUNNING and self.frozen_since is None
        return all(check.streak.failures == 0 and check.passed_at and check.passed_at[-1] >= since for check in telling)

    def failing_checks(self) -> tuple[ManagedCheck, ...]:
        return tuple(check for check in self.checks.values() if check.streak.raised)

    def facts(
        self,
        *,
        now: float,
        wall_now: float,
        cpu_percent: float | None,
        parents_down: tuple[str, ...],
        exceeded: tuple[str, ...] = (),
        parents_unsure: tuple[str, ...] = (),
        children: tuple[str, ...] = (),
    ) -> ServiceFacts:
        since = self.failing_since
        started_at = self.run.started_at
        return ServiceFacts(
            name=self.name,
            state=self.state,
            run=self.run.state,
            run_message=self.run.message,
            intent=self.intent,
            autonomy=self.settings.autonomy,
            checks=tuple(_check_facts(check) for check in self.checks.values()),
            cpu_percent=cpu_percent,
            failing_for_s=0.0 if since is None else now - since,
            run_age_s=None if started_at is None else wall_now - started_at,
            parents_down=parents_down,
            exceeded=exceeded,
            parents_unsure=parents_unsure,
            children=children,
            stopped=self.frozen_since is not None and self.run.state is not RunState.FROZEN,
            deaths=tuple(self.deaths),
            fallback=None if self.settings.fallback is None else self.control.fallback,
            fallback_left_s=self._fallback_left_s(now),
            can_reload=self.control.can_reload,
        )

    def _fallback_left_s(self, now: float) -> float:
        if self.settings.fallback is None or self.fallback_since is None:
            return 0.0
        return max(0.0, self.fallback_since + self.settings.fallback.retry_s - now)

    def check_statuses(self, wall_of: Callable[[float], float]) -> tuple[CheckStatus, ...]:
        if self.run.state is RunState.GONE:
            return tuple(_not_asked(check) for check in self.checks.values())
        return tuple(
            CheckStatus(
                name=check.name,
                type=check.settings.type,
                state=check.last.state if check.last else ReadingState.UNKNOWN,
                message=check.last.message if check.last else "not looked at yet",
                at=wall_of(check.last.at) if check.last else None,
                duration_ms=check.last.duration_s * 1000.0 if check.last else None,
                failures=check.streak.failures,
            )
            for check in self.checks.values()
        )

    def _all_pass(self) -> bool:
        return self.verified(samples=1)

    def _state(self) -> ServiceState:
        run = self.run.state
        if run is RunState.UNKNOWN:
            return ServiceState.UNKNOWN
        if self.operating == "stop" or run is RunState.STOPPING:
            return ServiceState.STOPPED if run is RunState.GONE else ServiceState.STOPPING
        if run is RunState.GONE:
            if self.intent is Intent.STOPPED and not self.operating:
                return ServiceState.STOPPED
            return ServiceState.STARTING if self.operating or self.holders else ServiceState.DOWN
        if run is RunState.STARTING or self.operating:
            return ServiceState.STARTING
        if self.grace_until is not None and self.checks:
            return ServiceState.STARTING
        return ServiceState.FAILING if run is RunState.FROZEN or self.failing_checks() else ServiceState.UP


def _check_facts(check: ManagedCheck) -> CheckFacts:
    return CheckFacts(
        name=check.name,
        kind=check.settings.type,
        failing=check.streak.raised,
        failures=check.streak.failures,
        needed=check.settings.failures,
        known=check.streak.last is not ReadingState.UNKNOWN,
        asks=check.asks,
        about_service=check.about_service,
        dependency=check.dependency,
        message=check.last.message if check.last else "",
        failing_for_s=check.streak.failing_for_s,
        answered=check.last is not None and bool(check.last.values),
        recalls=check.recalls,
    )


def _not_asked(check: ManagedCheck) -> CheckStatus:
    return CheckStatus(
        name=check.name,
        type=check.settings.type,
        state=ReadingState.UNKNOWN,
        message="the service does not run",
        at=None,
        duration_ms=None,
        failures=0,
    )


def start_order(depends_on: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Names with every parent before its children. The settings have refused cycles and unknown names already."""
    ordered: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        for parent in depends_on.get(name, ()):
            visit(parent)
        ordered.append(name)

    for name in depends_on:
        visit(name)
    return tuple(ordered)
