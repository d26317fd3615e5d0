"""A service as the daemon sees it run: its state, the wish of a person, what its control observes."""

from dataclasses import dataclass
from enum import StrEnum


class ServiceState(StrEnum):
    """`starting` lasts until its checks pass or the grace time is over; `unknown` until the first look."""

    UNKNOWN = "unknown"
    STOPPED = "stopped"
    STARTING = "starting"
    UP = "up"
    FAILING = "failing"
    DOWN = "down"
    STOPPING = "stopping"


class Intent(StrEnum):
    """What a person last asked for. A service stopped by a person is not healed until started again."""

    STARTED = "started"
    STOPPED = "stopped"


class RunState(StrEnum):
    """What a control knows about the running of its service. `frozen`: stopped by a signal (SIGSTOP)."""

    RUNNING = "running"
    FROZEN = "frozen"
    STARTING = "starting"
    STOPPING = "stopping"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRun:
    """One observation by a control. `pid` is the main process (None when it has none or is not known);
    `started_at` is epoch seconds of the process start; `message` is set when the state needs words
    ("exited with code 1", "killed by SIGKILL", "unit not found"). `asked`: it is gone because somebody else than this
    daemon asked the service manager to stop it, which is a wish and no fault."""

    state: RunState
    pid: int | None = None
    started_at: float | None = None
    message: str = ""
    asked: bool = False
