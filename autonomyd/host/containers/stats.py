"""What a container uses now: one answer of the engine, without the second that its own rates would take."""

from dataclasses import dataclass
from typing import Any

from autonomyd.host.containers.api import EngineApi, EngineFailure, part
from autonomyd.host.containers.inspected import number, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """`cpu_ns` is CPU time since the container started; memory is in bytes, without what is only file cache that can
    go at any time."""

    cpu_ns: int
    memory: int


async def usage(api: EngineApi, container: str, *, timeout_s: float) -> Usage:
    """Raises EngineFailure, EngineRefusal."""
    query = {"stream": "false", "one-shot": "true"}
    return usage_in(await api.ask("GET", f"/containers/{part(container)}/stats", query=query, timeout_s=timeout_s))


def usage_in(answer: Any) -> Usage:
    """The figures in an answer. Raises EngineFailure when they are not there.

    Memory as `docker stats` counts it: usage less the inactive file cache (total_inactive_file on cgroup v1)."""
    whole = table(answer)
    cpu = table(table(whole.get("cpu_stats")).get("cpu_usage")).get("total_usage")
    memory = table(whole.get("memory_stats"))
    used = memory.get("usage")
    if not isinstance(cpu, int) or not isinstance(used, int):
        raise EngineFailure("the container engine tells no CPU time or memory of it")
    details = table(memory.get("stats"))
    cache = number(details.get("total_inactive_file")) or number(details.get("inactive_file"))
    return Usage(cpu_ns=cpu, memory=used - cache if cache < used else used)
