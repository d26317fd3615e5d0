"""The pause: automation stops, observation goes on. Survives a restart."""

from collections.abc import Callable
from dataclasses import dataclass

from autonomyd.aio.clock import Clock
from autonomyd.model.facts import PauseFacts
from autonomyd.model.status import PauseStatus

RUNNING = PauseStatus(paused=False)


@dataclass(slots=True)
class PauseSwitch:
    """`on_change` hears of every change (to store it, and to wake healing). `ends_at` is monotonic: a jump of the clock
    neither shortens nor lengthens a pause."""

    clock: Clock
    status: PauseStatus = RUNNING
    on_change: Callable[[PauseStatus], None] = lambda status: None
    ends_at: float | None = None

    def pause(self, *, for_s: float | None, reason: str, actor: str) -> PauseStatus:
        until = None if for_s is None else self.clock.wall() + for_s
        self.ends_at = None if for_s is None else self.clock.monotonic() + for_s
        return self._set(PauseStatus(paused=True, until=until, reason=reason, actor=actor))

    def restore(self, status: PauseStatus) -> None:
        """Take back the pause of the last run."""
        self.status = status
        left_s = None if status.until is None else status.until - self.clock.wall()
        self.ends_at = None if left_s is None else self.clock.monotonic() + left_s

    def resume(self, *, actor: str) -> PauseStatus:
        return self._set(PauseStatus(paused=False, actor=actor))

    def expire(self) -> None:
        """End a pause whose time is over."""
        if self.status.paused and self.ends_at is not None and self.clock.monotonic() >= self.ends_at:
            self._set(PauseStatus(paused=False, reason="the pause is over", actor="autonomyd"))

    def facts(self) -> PauseFacts:
        return PauseFacts(paused=self.status.paused, reason=self.status.reason, until=self.status.until)

    def _set(self, status: PauseStatus) -> PauseStatus:
        self.status = status
        self.on_change(status)
        return status
