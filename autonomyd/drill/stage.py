"""What a scenario plays on: the services, the daemon, the observers, and waiting that can be called off."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from autonomyd.drill.daemon import DaemonUnderDrill
from autonomyd.drill.services import SmallService
from autonomyd.drill.watch import ApiWatch, BystanderWatch, Shown

ASK_EVERY_S = 0.01
SETTLED_WITHIN_S = 10.0
SETTLE_S = 0.3
ITS_OWN = "autonomyd"
"""The actor of what the daemon does by itself."""

Value = TypeVar("Value")


class CalledOff(Exception):  # noqa: N818 - it is what happened, not a fault
    """The drill is being ended; every wait ends with this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One for all scenarios of a round."""

    scratch: Path
    daemon: DaemonUnderDrill
    services: dict[str, SmallService]
    api: ApiWatch
    bystanders: BystanderWatch
    rng: Random
    called_off: threading.Event

    def until(
        self, wanted: Callable[[], Value | None], *, within_s: float, every_s: float = ASK_EVERY_S
    ) -> Value | None:
        """The first answer of `wanted` that is neither None nor False; None when none came in time.
        Raises CalledOff."""
        deadline = time.monotonic() + within_s
        while True:
            found = wanted()
            if found is not None and found is not False:
                return found
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            self.rest(min(every_s, left_s))

    def rest(self, seconds: float) -> None:
        """Let time pass. Raises CalledOff."""
        if self.called_off.wait(seconds):
            raise CalledOff

    def shown(self, name: str) -> Shown | None:
        return self.api.now(f"service:{name}")

    def calm(self, name: str, *, within_s: float = SETTLED_WITHIN_S) -> bool:
        """Wait until the API, asked from now on, shows the service up and without an open issue."""
        began = time.monotonic()

        def shown_calm() -> bool:
            return self.api.answered_at >= began and _is_calm(self.shown(name))

        return self.until(shown_calm, within_s=within_s, every_s=0.03) is True

    def ready(self, name: str) -> SmallService:
        """The service, up and well for a short while of random length: faults do not keep time with the checks."""
        self.calm(name)
        self.rest(SETTLE_S * (1.0 + self.rng.random()))
        return self.services[name]

    def detected(self, subject: str, since: float) -> float | None:
        """Seconds from `since` until the API first showed `subject` not well, or with another process; when it was well
        again before the next look, until its issue says that it was opened. Raises ClientError."""
        before = self.api.before(subject, since)
        pid = None if before is None else before.pid
        sign = self.api.first(subject, since, lambda shown: not shown.calm or (pid is not None and shown.pid != pid))
        return sign.at - since if sign is not None else self._opened(subject, since)

    def _opened(self, subject: str, since: float) -> float | None:
        began = time.time() - (time.monotonic() - since)
        listed = (each["issue"] for each in self.daemon.get("/v1/issues", all=1))
        opened = [each["opened_at"] - began for each in listed if each["subject"] == subject]
        return min((after for after in opened if after >= 0), default=None)

    def was_told(self, subject: str) -> bool:
        """Whether the API lists a closed issue of `subject`. Raises ClientError."""
        listed = self.daemon.get("/v1/issues", all=1)
        return any(each["issue"]["subject"] == subject and each["issue"]["state"] == "resolved" for each in listed)

    def acts_on(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """What the daemon did of its own accord to these services, in words. Raises ClientError."""
        return tuple(
            f"{fix['plan']['strategy']} {fix['plan']['service']}"
            for fix in self.daemon.get("/v1/fixes", limit=1000)
            if fix["actor"] == ITS_OWN and fix["plan"]["service"] in names
        )


def _is_calm(shown: Shown | None) -> bool:
    return shown is not None and shown.calm
