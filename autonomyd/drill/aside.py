"""What stands beside the services: programs that are nobody's business, and what a person changes by hand."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from autonomyd.drill import stranger
from autonomyd.drill.services import PYTHON, SmallService
from autonomyd.drill.stage import Stage

INNOCENT_S = 300
WORKED_S = 4.0


def work_for_a_while(stage: Stage) -> None:
    """What has just been started has not proved yet that it works: a change comes when it has."""
    stage.rest(WORKED_S)


def hold_port(stage: Stage, port: str, seconds: str) -> "subprocess.Popen[str]":
    """Start a stranger that takes a port as soon as it is free, and holds it for that many seconds."""
    return _started(stage, *PYTHON, str(stranger.__file__), port, seconds)


def innocent(stage: Stage) -> "subprocess.Popen[str]":
    """Start a program that only waits."""
    return _started(stage, "sleep", str(INNOCENT_S))


def _started(stage: Stage, *argv: str) -> "subprocess.Popen[str]":
    made = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=stage.scratch, text=True, start_new_session=True
    )
    stage.aside.append(made)
    return made


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one line of the service's configuration file."""

    good: str
    bad: str

    def make(self, service: SmallService) -> None:
        text = service.config.read_text("utf-8")
        service.config.write_text(text.replace(self.good, self.bad), "utf-8")

    def was_undone(self, service: SmallService) -> list[str]:
        """A complaint unless the file is as it was before."""
        return [] if self.good in _lines(service.config) else ["the configuration file is not what it was"]

    def was_kept(self, service: SmallService) -> list[str]:
        """A complaint unless the file is as the person left it."""
        return [] if self.bad in _lines(service.config) else ["the person's change was taken back"]


def release_is(service: SmallService, name: str) -> list[str]:
    """A complaint unless the link names this release."""
    now = service.release.resolve().name
    return [] if now == name else [f"the link names release {now}, not {name}"]


def not_adopted(stage: Stage) -> list[str]:
    """Complaints about services of which the daemon shows another process than the one that runs. Raises
    ClientError."""
    shown = stage.daemon.get("/v1/services")
    pids = stage.pids()
    return [f"the daemon did not take {name} over" for name, pid in pids.items() if shown[name]["pid"] != pid]


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()
