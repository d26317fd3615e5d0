"""The machine itself: CPU, load, memory, swap, pressure, disks, network."""

from typing import ClassVar

from autonomyd.host.machine import METRICS, HostCollector
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, ok, unknown


class HostProbe:
    """All of the host's metrics in one look; what can't be read on this machine is told as `unknown`."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = METRICS

    def __init__(self, collector: HostCollector) -> None:
        self._collector = collector
        self.unknown: tuple[str, ...] = ()

    def look_now(self) -> tuple[Look, ...]:
        facts = self._collector.collect()
        self.unknown = facts.unknown
        if not facts.values:
            return (unknown("nothing could be read: " + "; ".join(facts.unknown)),)
        return tuple(Look(state=ok().state, values=values, subject=subject) for subject, values in facts.values.items())
