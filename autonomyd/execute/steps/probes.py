"""Change how often a probe runs."""

from collections.abc import Callable

from autonomyd.execute.handlers import StepFailure
from autonomyd.model.step import SetProbeInterval, StepResult


class ProbeIntervalHandler:
    def __init__(self, set_interval: Callable[[str, float], None]) -> None:
        self._set_interval = set_interval

    async def apply(self, step: SetProbeInterval) -> StepResult:
        return self._set(step.probe, step.after_s)

    async def undo(self, step: SetProbeInterval) -> StepResult:
        return self._set(step.probe, step.before_s)

    def _set(self, probe: str, every_s: float) -> StepResult:
        try:
            self._set_interval(probe, every_s)
        except KeyError:
            raise StepFailure(f"the probe {probe} is no longer there") from None
        return StepResult(ok=True, message=f"{probe} now runs every {every_s:g} s")
