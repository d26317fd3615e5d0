"""Rotate one log of a service. Only a log that the configuration declares, with consent, is ever touched."""

from collections.abc import Callable

from autonomyd.aio.offload import in_thread
from autonomyd.execute.handlers import StepFailure
from autonomyd.host.pidfd import identify
from autonomyd.host.rotating import Rotated, RotationFailure, appears, rotate_by_copy, rotate_by_rename
from autonomyd.host.signals import named_signal, send_signal
from autonomyd.model.step import RotateLog, StepResult

MB = 1_000_000


class RotateLogHandler:
    """`declared` gives the logs of a service that may be rotated, `pid_of` its main process now."""

    def __init__(self, declared: Callable[[str], tuple[str, ...]], pid_of: Callable[[str], int | None]) -> None:
        self._declared = declared
        self._pid_of = pid_of

    async def apply(self, step: RotateLog) -> StepResult:
        if step.path not in self._declared(step.service):
            raise StepFailure(f"{step.path} is not among the logs of {step.service} that may be rotated")
        try:
            done = await in_thread(lambda: self._rotate(step))
        except RotationFailure as error:
            raise StepFailure(str(error)) from error
        return StepResult(
            ok=True,
            message=_words(step, done),
            details={"freed_bytes": float(done.freed), "dropped_bytes": float(done.dropped)},
        )

    async def undo(self, step: RotateLog) -> None:
        """Declared irreversible."""

    def _rotate(self, step: RotateLog) -> Rotated:
        if step.method == "copytruncate":
            return rotate_by_copy(step.path, keep=step.keep, compress=step.compress, tail_bytes=step.tail_bytes)
        pid = self._pid_of(step.service)
        process = None if pid is None else identify(pid)
        number = named_signal(step.signal)

        def reopen() -> bool:
            # a service that does not run has the log open nowhere: its next start makes a new one
            return process is None or (send_signal(process, number) and appears(step.path))

        return rotate_by_rename(
            step.path, keep=step.keep, compress=step.compress, tail_bytes=step.tail_bytes, reopen=reopen
        )


def _words(step: RotateLog, done: Rotated) -> str:
    if done.cut:
        words = f"cut {step.path} ({done.size / MB:.1f} MB) to its newest lines: there was no room for a copy"
    else:
        words = f"rotated {step.path} ({done.size / MB:.1f} MB)"
    gone = f"; {done.dropped / MB:.1f} MB of old lines are gone" if done.dropped else ""
    return f"{words}, {done.freed / MB:.1f} MB freed{gone}" + (f"; {done.note}" if done.note else "")
