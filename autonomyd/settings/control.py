"""`[services.NAME] control = {...}`: how a service is started, stopped and found."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from autonomyd.settings.base import Argv, Seconds, Table
from autonomyd.settings.container import ContainerControl, LaunchdControl
from autonomyd.settings.pattern import checked_pattern


class ProcessControl(Table):
    """The daemon starts the process itself, adopts it again after its own restart, and reaps it."""

    type: Literal["process"]
    """This kind of control."""
    command: Argv
    """Program and arguments; no shell."""
    cwd: str | None = None
    """Working folder; default: the daemon's state folder."""
    env: dict[str, str] = Field(default_factory=dict)
    """Added to the daemon's own environment."""
    stdout: str | None = None
    """File that standard output and error are appended to; default: logs/NAME.log in the state folder."""
    pidfile: str | None = None
    """The pid file that the service writes itself, if it does."""
    stop_signal: Literal["TERM", "INT", "QUIT", "HUP"] = "TERM"
    """First signal of a stop; KILL follows after stop_timeout_s."""
    reload_signal: Literal["HUP", "USR1", "USR2"] | None = None
    """Signal at which it reads its configuration anew; without it, it can't be reloaded."""
    stop_timeout_s: Seconds = 10.0
    """Time for an orderly stop before SIGKILL."""


class SystemdControl(Table):
    """A systemd unit, over D-Bus."""

    type: Literal["systemd"]
    """This kind of control."""
    unit: str = Field(pattern=r"^[A-Za-z0-9:_.\\@-]+\.[a-z]+$")
    """Full unit name, with its suffix: nginx.service."""
    reload: bool = False
    """The unit can be reloaded (it has ExecReload=): a changed configuration then needs no restart."""
    stop_timeout_s: Seconds = 100.0
    """Time for the unit's stop job before autonomyd calls it failed (systemd's own default is 90 s)."""


class CommandControl(Table):
    """Anything else: commands that start and stop it, and a pid file or pattern that finds it."""

    type: Literal["command"]
    """This kind of control."""
    start: Argv
    """Starts the service and returns."""
    stop: Argv | None = None
    """Stops the service; without it, stop_signal goes to the process."""
    restart: Argv | None = None
    """Restarts the service; without it: stop, then start."""
    reload: Argv | None = None
    """Makes it read its configuration anew; without it, it can't be reloaded."""
    pidfile: str | None = None
    """Where the service's pid is written."""
    match: str | None = None
    """Regular expression on the full command line; the oldest process that matches is the service."""
    cwd: str | None = None
    """Working folder of the commands."""
    env: dict[str, str] = Field(default_factory=dict)
    """Added to the daemon's own environment."""
    stop_signal: Literal["TERM", "INT", "QUIT", "HUP"] = "TERM"
    """Signal of a stop without a stop command; KILL follows after stop_timeout_s."""
    start_timeout_s: Seconds = 30.0
    """Time for a command to return."""
    stop_timeout_s: Seconds = 10.0
    """Time for the real exit after a stop."""

    @field_validator("match")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return None if value is None else checked_pattern(value)


AnyControl = ProcessControl | SystemdControl | CommandControl | ContainerControl | LaunchdControl

Control = Annotated[AnyControl, Field(discriminator="type")]
