"""A service's processes: CPU, memory, threads, descriptors, children, zombies of the whole tree."""

from collections.abc import Callable
from typing import ClassVar

from autonomyd.aio.clock import Clock
from autonomyd.host.process import TreeFacts, tree_facts
from autonomyd.host.process_facts import DEAD_STATES, HIDDEN_STATE, STOPPED_STATES
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, failed, ok, unknown


class ProcessProbe:
    """Sums over the main process and all its descendants. `pid_of` tells the main process now, None without one."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="cpu_percent", unit="%"),
        MetricSpec(name="rss_mb", unit="MB"),
        MetricSpec(name="threads"),
        MetricSpec(name="fds"),
        MetricSpec(name="children"),
        MetricSpec(name="zombies"),
    )

    def __init__(self, pid_of: Callable[[], int | None], clock: Clock) -> None:
        self._pid_of = pid_of
        self._clock = clock
        self._previous: TreeFacts | None = None
        self.frozen = False

    def pids(self) -> tuple[int, ...]:
        """The processes of the tree at the last look."""
        return tuple(self._previous.cpu) if self._previous is not None else ()

    def look_now(self) -> Look:
        pid = self._pid_of()
        if pid is None:
            self._previous = None
            self.frozen = False
            return ok(message="it has no process that is known")
        facts = tree_facts(pid, previous=self._previous, now=self._clock.monotonic())
        self._previous = facts
        if facts is None:
            return failed(f"process {pid} is gone")
        if facts.state == HIDDEN_STATE:
            return unknown("; ".join(facts.unknown) or f"process {pid} may not be looked at")
        if facts.state in DEAD_STATES:
            return failed(f"process {pid} is dead and waits for its parent")
        values = {
            "rss_mb": facts.rss_mb,
            "threads": float(facts.threads),
            "children": float(facts.children),
            "zombies": float(facts.zombies),
        }
        if facts.cpu_percent is not None:
            values["cpu_percent"] = facts.cpu_percent
        if facts.fds is not None:
            values["fds"] = float(facts.fds)
        # a frozen process has numbers like any other: the state letter alone tells
        self.frozen = facts.state in STOPPED_STATES
        return ok(values, "; ".join(facts.unknown))
