"""What a scenario plays on: the services, the daemon, the observers, and waiting that can be called off."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from autonomyd.control.client import ClientError
from autonomyd.drill import disk
from autonomyd.drill.daemon import DaemonUnderDrill, DrillError
from autonomyd.drill.services import SmallService, make_services
from autonomyd.drill.tables import quoted, service_table
from autonomyd.drill.verdict import BYSTANDERS, Scenario
from autonomyd.drill.watch import ApiWatch, BystanderWatch, Shown

ASK_EVERY_S = 0.01
UP_WITHIN_S = 20.0
SETTLED_WITHIN_S = 10.0
SETTLE_S = 1.2
ITS_OWN = "autonomyd"
"""The actor of what the daemon does by itself."""

Value = TypeVar("Value")


class CalledOff(Exception):  # noqa: N818 - it is what happened, not a fault
    """The drill is being ended; every wait ends with this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One for each scenario: a daemon of its own, so that no fault is judged by what an earlier one taught it. `aside`
    are processes that are no service's; they end with the stage."""

    scratch: Path
    daemon: DaemonUnderDrill
    services: dict[str, SmallService]
    api: ApiWatch
    bystanders: BystanderWatch
    rng: Random
    called_off: threading.Event
    aside: "list[subprocess.Popen[str]]" = field(default_factory=list)

    @property
    def web(self) -> SmallService:
        return self.services["web"]

    @property
    def redis(self) -> SmallService:
        return self.services["redis"]

    def pids(self) -> dict[str, int]:
        """Who runs now, by name of the service; of those of which exactly one does."""
        alive = {name: each.alive() for name, each in self.services.items()}
        return {name: pids[0] for name, pids in alive.items() if len(pids) == 1}

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

    def calm(self, *names: str, within_s: float = SETTLED_WITHIN_S) -> bool:
        """Wait until the API, asked from now on, shows these services (all without a name) up and without an open
        issue."""
        began = time.monotonic()

        def shown_calm() -> bool:
            return self.api.answered_at >= began and all(_is_calm(self.shown(name)) for name in names or self.services)

        return self.until(shown_calm, within_s=within_s, every_s=0.03) is True

    def settle(self) -> None:
        """All well, for a while of random length: faults do not keep time with the checks."""
        self.calm()
        self.rest(SETTLE_S + self.rng.random())

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


@contextlib.contextmanager
def set_stage(
    scenario: Scenario, scratch: Path, rng: Random, *, socket: Path, ports: range, called_off: threading.Event
) -> Iterator[Stage]:
    """Services, daemon and observers of a scenario, all up and well; whatever happens, all is ended after. `socket`
    is the daemon's (its path must be short). Raises DrillError when they do not come up, OSError, CalledOff."""
    scratch.mkdir()
    services = make_services((*scenario.services, *BYSTANDERS), scratch, rng, among=ports)
    daemon = DaemonUnderDrill(scratch, socket)
    daemon.config.write_text(configuration(daemon, services, scenario, scratch), "utf-8")
    stage = Stage(
        scratch=scratch,
        daemon=daemon,
        services=services,
        api=ApiWatch(daemon.client),
        bystanders=BystanderWatch(tuple(services[spec.name] for spec in BYSTANDERS)),
        rng=rng,
        called_off=called_off,
    )
    with contextlib.ExitStack() as ends:
        for service in services.values():
            if service.spec.own_disk:
                disk.mount(service.log.parent)
                ends.callback(disk.unmount, service.log.parent)
        ends.callback(_end, stage)
        daemon.start()
        stage.api.start()
        if not stage.calm(within_s=UP_WITHIN_S):
            words = ", ".join(name for name in services if not _is_calm(stage.shown(name)))
            raise DrillError(f"{words} did not come up\n{daemon.tail()}")
        stage.bystanders.start()
        yield stage


def configuration(
    daemon: DaemonUnderDrill, services: dict[str, SmallService], scenario: Scenario, scratch: Path
) -> str:
    """The daemon's configuration: its own folders, a look a second; all else as it comes."""
    head = (
        f"[daemon]\nstate_dir = {quoted(str(daemon.state_dir))}\nsocket = {quoted(str(daemon.socket))}\n\n"
        "[intervals]\nmonitoring_s = 1.0\ninsight_s = 5.0\n\n"
    )
    return head + "\n".join((scenario.tables(str(scratch)), *(service_table(each) for each in services.values())))


def _end(stage: Stage) -> None:
    """The observers, the daemon, then every process that was started."""
    stage.api.stop()
    stage.bystanders.stop()
    stage.daemon.end()
    for process in stage.aside:
        process.kill()
        process.communicate()
    for service in stage.services.values():
        service.end()


def _is_calm(shown: Shown | None) -> bool:
    return shown is not None and shown.calm


def failed_request(error: ClientError) -> str:
    """A request to the daemon that failed, as a complaint."""
    return f"the daemon refused: {error.message}"
