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

    @property
    def can_reload(self) -> bool:
        """Whether `reload` can work here."""

    async def reload(self) -> ServiceRun:
        """Lets the running service read its configuration anew. Raises ControlError."""

    @property
    def fallback(self) -> bool:
        """Whether what it runs, or would start, is the fallback command."""

    def use_fallback(self, on: bool) -> None:
        """Which command the next start runs. Raises ControlError(operator) when there is no other."""

    async def close(self) -> None:
        """Stops watching. Never stops the service."""


class PlainControl:
    """What a control answers that can neither reload nor fall back; the others override it."""

    @property
    def can_reload(self) -> bool:
        return False

    async def reload(self) -> ServiceRun:
        raise ControlError("it can't be told to read its configuration anew", ErrorKind.OPERATOR)

    @property
    def fallback(self) -> bool:
        return False

    def use_fallback(self, on: bool) -> None:
        if on:
            raise ControlError("no fallback command is declared for it", ErrorKind.OPERATOR)
