"""Watches the logs of a service that may be rotated: one that has outgrown `rotate.max_mb`, or logs that a full disk
is full of, are an issue of the service, so that its own gates decide about the rotation."""

from collections.abc import Callable
from typing import ClassVar

from autonomyd.aio.offload import in_thread
from autonomyd.engine.facts.logs import LOG_DISK, LOG_MB, largest, rotatable
from autonomyd.engine.managed import ManagedService
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.reading import MetricSpec, Reading, ReadingState
from autonomyd.model.service import Intent
from autonomyd.monitor.probe import Look, ok, unknown

MB = 1_000_000

Report = Callable[[Finding], object]
Clear = Callable[[tuple[IssueType, str], str], object]


class LogSizes:
    """A probe of one service's logs and the judge of what it sees. `full_disks` gives the mount points of the disks
    that are known to fill."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name=LOG_MB, unit="MB"),
        MetricSpec(name=LOG_DISK, unit="MB"),
    )

    def __init__(
        self, service: ManagedService, full_disks: Callable[[], tuple[str, ...]], *, report: Report, clear: Clear
    ) -> None:
        self._service = service
        self._full_disks = full_disks
        self._report = report
        self._clear = clear

    async def look(self) -> Look:
        settings, disks = self._service.settings, self._full_disks()
        try:
            top, filling = await in_thread(lambda: (largest(settings), rotatable(settings, disks)))
        except OSError as error:
            return unknown(f"its logs could not be looked at: {error.strerror or error}")
        return ok({LOG_MB: top / MB, LOG_DISK: sum(log.bytes for log in filling) / MB})

    def judge(self, reading: Reading) -> None:
        """Open or clear what the newest look tells; one that could not tell does neither."""
        service, rotate = self._service, self._service.settings.rotate
        if reading.state is not ReadingState.OK or rotate is None or service.intent is Intent.STOPPED:
            return
        log_mb, disk_mb = reading.values[LOG_MB], reading.values[LOG_DISK]
        if rotate.max_mb is not None:
            words = f"a log of {service.name} has {log_mb:.1f} MB, over its bound of {rotate.max_mb:g} MB"
            self._tell(LOG_MB, log_mb > rotate.max_mb, words, log_mb, rotate.max_mb)
        words = f"the logs of {service.name} take {disk_mb:.1f} MB of a disk that is nearly full"
        self._tell(LOG_DISK, disk_mb > 0.0, words, disk_mb, None)

    def _tell(self, metric: str, trouble: bool, words: str, value: float, threshold: float | None) -> None:
        if not trouble:
            self._clear((IssueType.RESOURCE_EXHAUSTION, metric), f"its logs take {value:.1f} MB now")
            return
        self._report(
            Finding(
                type=IssueType.RESOURCE_EXHAUSTION,
                metric=metric,
                subject=self._service.subject,
                severity=Severity.WARNING,
                summary=words,
                value=value,
                threshold=threshold,
                certain=True,
            )
        )
