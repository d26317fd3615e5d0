"""What every control of a service can do. A control acts and observes; it never decides."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from autonomyd.model.service import ServiceRun

OnChange = Callable[[ServiceRun], None]
"""Called on the loop with what is known now, at every change that the control hears of, its own acts included."""


class ErrorKind(StrEnum):
    """What the caller can do: try again later, stop trying, or ask a person to change something."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    OPERATOR = "operator"


class ControlError(Exception):
    """An act did not succeed. The text says what failed and where, in a line or two."""

    def __init__(self, message: str, kind: ErrorKind) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


class ServiceControl(Protocol):
    """The hands for one service. Acts on one service follow one another; they never overlap."""

    kind: str
    """The `type` of the configuration: "process", "systemd", "command"."""

    async def open(self, on_change: OnChange) -> ServiceRun:
        """Finds and adopts what runs now, and calls `on_change` from then on. Starts nothing.

        Raises ControlError(operator) when this kind of control cannot work here at all."""

    def observe(self) -> ServiceRun:
        """What is known now. Costs a read of /proc at most and never waits."""

    async def start(self) -> ServiceRun:
        """Returns when the process runs or the job is done. What runs already is adopted, never doubled.

        Raises ControlError."""

    async def stop(self, *, force: bool = False) -> ServiceRun:
        """Returns when the service really ended, all that belongs to it included. `force`: SIGKILL at once.

        Raises ControlError when something survived."""

    async def restart(self) -> ServiceRun:
        """Stop, then start, as one act. Raises ControlError."""

    async def close(self) -> None:
        """Stops watching. Never stops the service."""
