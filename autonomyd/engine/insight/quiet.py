"""Which hours are quiet: those of the configuration, else those that the machine's own use has shown."""

from collections.abc import Callable

from autonomyd.aio.clock import Clock
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.records import Records
from autonomyd.learn.hours import Hours
from autonomyd.model.subject import HOST
from autonomyd.model.window import MaintenanceWindow
from autonomyd.plan.windows import next_begin, open_window
from autonomyd.settings.root import Settings

KEY = "busy_hours"
KEEP_EVERY_S = 3600.0


class QuietHours:
    """`tick` takes a look at the CPU's use; `busy` and `next_at` tell of an hour."""

    def __init__(
        self, *, clock: Clock, settings: Callable[[], Settings], records: Records, monitoring: SelfMonitoringSystem
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._records = records
        self._monitoring = monitoring
        self._hours = Hours()
        self._kept_at = clock.monotonic()

    async def restore(self) -> None:
        """Take back what earlier runs have learned."""
        self._hours.load(await self._records.read(lambda: self._records.states.get(KEY), None))

    async def tick(self) -> None:
        """One look."""
        used = self._monitoring.metrics.last(HOST, "cpu.percent")
        if used is not None:
            self._hours.observe(self._clock.wall(), used)
        if self._clock.monotonic() - self._kept_at >= KEEP_EVERY_S:
            await self.close()

    async def close(self) -> None:
        """Keep what was learned."""
        self._kept_at = self._clock.monotonic()
        self._records.remember(KEY, self._hours.dump())

    def busy(self) -> tuple[bool | None, str]:
        """Whether it is a busy hour now (None: not known), and from what that is known."""
        now = self._clock.wall()
        windows = self._windows()
        if windows:
            opened = open_window(windows, now)
            return opened is None, "outside the quiet hours" if opened is None else "within the quiet hours"
        mean, usual, busy = self._hours.mean(now), self._hours.usual(), self._hours.busy(now)
        if busy is None or mean is None or usual is None:
            return None, "its use is not known yet"
        return busy, f"the CPU is usually at {mean:.0f} % in this hour, at {usual:.0f} % in the median hour"

    def next_at(self) -> float | None:
        """When the next quiet hour begins, epoch seconds; None when none is known."""
        now = self._clock.wall()
        windows = self._windows()
        return next_begin(windows, now) if windows else self._hours.quiet_at(now)

    def _windows(self) -> tuple[MaintenanceWindow, ...]:
        return tuple(each.window() for each in self._settings().risk.quiet)
