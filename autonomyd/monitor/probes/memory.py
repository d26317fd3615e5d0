"""Proportional memory (PSS) of a service's processes. It walks page tables, so it is looked at once a minute."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from autonomyd.host.process import pss_mb
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, ok, unknown

EVERY_S = 60.0
MAX_PROCESSES = 64


class MemoryProbe:
    """`pids_of` tells the processes of the tree now."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="pss_mb", unit="MB"),)

    def __init__(self, pids_of: Callable[[], Iterable[int]]) -> None:
        self._pids_of = pids_of

    def look_now(self) -> Look:
        found = [pss_mb(pid) for pid in list(self._pids_of())[:MAX_PROCESSES]]
        known = [each for each in found if each is not None]
        if not found:
            return ok(message="it has no process that is known")
        if len(known) < len(found):
            return unknown("the memory of its processes may not be looked at")
        return ok({"pss_mb": sum(known)})
