"""The pause: automation stops, observation goes on. Survives a restart."""

from collections.abc import Callable
from dataclasses import dataclass

from autonomyd.aio.clock import Clock
from autonomyd.model.facts import PauseFacts
from autonomyd.model.status import PauseStatus

RUNNING = PauseStatus(paused=False)


@dataclass(slots=True)
class PauseSwitch:
    """`on_change` hears of every change (to store it, and to wake healing)."""

    clock: Clock
    status: PauseStatus = RUNNING
    on_change: Callable[[PauseStatus], None] = lambda status: None

    def pause(self, *, for_s: float | None, reason: str, actor: str) -> PauseStatus:
        until = None if for_s is None else self.clock.wall() + for_s
        return self._set(PauseStatus(paused=True, until=until, reason=reason, actor=actor))

    def resume(self, *, actor: str) -> PauseStatus:
        return self._set(PauseStatus(paused=False, actor=actor))

    def expire(self) -> None:
        """End a pause whose time is over."""
        if self.status.paused and self.status.until is not None and self.clock.wall() >= self.status.until:
            self._set(PauseStatus(paused=False, reason="the pause is over", actor="autonomyd"))

    def facts(self) -> PauseFacts:
        return PauseFacts(paused=self.status.paused, reason=self.status.reason, until=self.status.until)

    def _set(self, status: PauseStatus) -> PauseStatus:
        self.status = status
        self.on_change(status)
        return status
