"""Network mounts: space and inodes, each asked in a thread of its own, because a server that is away hangs who asks."""

from typing import ClassVar

from autonomyd.host.machine import METRICS, HostCollector
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, ok

TIMEOUT_S = 4.0


class MountsProbe:
    """Looks at all network mounts; one that does not answer is named in the message, and delays no other."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = METRICS

    def __init__(self, collector: HostCollector) -> None:
        self._collector = collector

    async def look(self) -> tuple[Look, ...]:
        facts = await self._collector.collect_remote(timeout_s=TIMEOUT_S)
        note = "; ".join(facts.unknown)
        if not facts.values:
            return (ok(message=note),)
        return tuple(Look(values=values, subject=subject, message=note) for subject, values in facts.values.items())
