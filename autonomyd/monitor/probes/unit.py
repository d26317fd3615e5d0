"""`type = "unit"`: how a systemd unit ended, how often systemd restarted it, whether it gave up."""

import math
from collections import deque
from typing import Annotated, ClassVar

from pydantic import Field

from autonomyd.aio.clock import Clock
from autonomyd.host.unit_facts import UnitFacts, unit_facts
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown
from autonomyd.settings.base import Seconds
from autonomyd.settings.service import CheckSettings

ASK_EVERY_S = 0.9
"""systemd is asked by a program of its own: not more often, however often the check is looked at."""
PASSING = frozenset({"activating", "deactivating", "reloading", "refreshing", "maintenance"})


class UnitOptions(CheckSettings):
    """A systemd unit; failed, not active, or restarted too often is a failure."""

    unit: str = Field(pattern=r"^[A-Za-z0-9:_.\\@-]+\.[a-z]+$")
    """Full unit name, with its suffix: nginx.service."""
    active: bool = True
    """Whether it must be active; a unit that a timer starts need not, but its last run must have ended well."""
    max_restarts: Annotated[int, Field(ge=0)] = 3
    """Most restarts by systemd itself within `within_s`."""
    within_s: Seconds = 600.0
    """Time span."""


class UnitProbe:
    kind: ClassVar[str] = "unit"
    Options: ClassVar[type[CheckSettings]] = UnitOptions
    asks: ClassVar[bool] = False
    cheap: ClassVar[bool] = True
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="unit_restarts"),)

    def __init__(self, options: UnitOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._asked_at = -math.inf
        self._facts = UnitFacts()
        self._counts: deque[tuple[float, int]] = deque(maxlen=4096)

    async def look(self) -> Look:
        now = self._clock.monotonic()
        if now - self._asked_at >= ASK_EVERY_S:
            self._asked_at = now
            self._facts = await unit_facts(self._options.unit, timeout_s=self._options.timeout_s)
        return self._judged(self._facts, now)

    def _judged(self, facts: UnitFacts, now: float) -> Look:
        options = self._options
        if facts.unknown:
            return unknown(facts.unknown)
        if facts.load != "loaded":
            return failed(f"{options.unit} is {facts.load.replace('-', ' ')}")
        restarts = self._restarts(facts.restarts, now)
        values = {"unit_restarts": float(facts.restarts)}
        if facts.gave_up:
            return failed(
                f"{options.unit} failed so often that systemd gave up: after mending it, systemctl reset-failed", values
            )
        if facts.active == "failed":
            return failed(f"{options.unit} failed: {facts.result}, exit status {facts.status}", values)
        if facts.active in PASSING and facts.sub != "auto-restart":
            return unknown(f"{options.unit} is {facts.active}")
        if options.active and facts.active != "active":
            return failed(f"{options.unit} is {facts.active} ({facts.sub})", values)
        if facts.result not in ("success", ""):
            return failed(f"{options.unit} ended last with {facts.result}", values)
        if restarts > options.max_restarts:
            words = f"systemd restarted {options.unit} {restarts} times within {options.within_s:g} s"
            return failed(f"{words}, at most {options.max_restarts} are allowed", values)
        return ok(values, f"{facts.active} ({facts.sub})")

    def _restarts(self, count: int, now: float) -> int:
        """How many within the time span; the count begins anew when a person starts the unit."""
        if self._counts and count < self._counts[-1][1]:
            self._counts.clear()
        if not self._counts or count != self._counts[-1][1]:
            self._counts.append((now, count))
        while len(self._counts) > 1 and now - self._counts[1][0] > self._options.within_s:
            self._counts.popleft()
        return count - self._counts[0][1]
