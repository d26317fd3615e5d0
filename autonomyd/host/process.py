"""Cheap facts of one process and of its tree, good for a hundred services every second. It reads; it signals nobody."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from autonomyd.host.process_facts import ProcessCpu, ProcessFacts, TreeFacts

if sys.platform == "linux":
    from autonomyd.host import process_linux as system
else:
    from autonomyd.host import process_psutil as system

__all__ = [
    "ProcessFacts",
    "ProcessIdentity",
    "TreeFacts",
    "all_pids",
    "booted_at",
    "cmdline",
    "environ_value",
    "identity",
    "pss_mb",
    "read_process",
    "tree_facts",
    "tree_pids",
    "wants_to_run",
    "working_folder",
]

MB = 1048576
TREE_LIMIT = 4096
"""Processes of one tree that are looked at: a fork bomb must not stop the daemon too."""

read_process = system.read_process
cmdline = system.cmdline
environ_value = system.environ_value
all_pids = system.all_pids
booted_at = system.booted_at
working_folder = system.working_folder
wants_to_run = system.wants_to_run


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """One process and never another that got the same pid later (until the next boot)."""

    pid: int
    start_ticks: int

    @property
    def is_alive(self) -> bool:
        """Whether this very process runs. A zombie does not; one that may not be looked at counts as alive."""
        facts = read_process(self.pid)
        if facts is None or facts.is_dead:
            return False
        return bool(facts.unknown) or facts.start_ticks == self.start_ticks


def identity(pid: int) -> ProcessIdentity | None:
    """Who has this pid now, or None when nobody does or it may not be looked at."""
    facts = read_process(pid)
    if facts is None or facts.unknown:
        return None
    return ProcessIdentity(pid=pid, start_ticks=facts.start_ticks)


def pss_mb(pid: int) -> float | None:
    """Proportional memory in MB, None when it can't be had. Expensive: it walks the page tables."""
    found = system.pss_bytes(pid)
    return None if found is None else found / MB


def tree_facts(pid: int, *, previous: TreeFacts | None, now: float) -> TreeFacts | None:
    """The process `pid` with its descendants, or None when it is gone. `now` is monotonic seconds; `previous` is the
    last answer for this pid (of another process with the same pid: ignored)."""
    main = read_process(pid)
    if main is None:
        return None
    members = [main] if main.unknown else _members(main)
    cpu = {
        each.pid: ProcessCpu(start_ticks=each.start_ticks, own_s=each.cpu_s, reaped_s=each.reaped_cpu_s)
        for each in members
        if not each.unknown
    }
    if previous is not None and previous.start_ticks != main.start_ticks:
        previous = None
    fds, reason = _fds(main)
    return TreeFacts(
        pid=pid,
        start_ticks=main.start_ticks,
        at=now,
        name=main.name,
        state=main.state,
        started_at=main.started_at,
        uptime_s=0.0 if main.unknown else system.uptime_s(main),
        cpu_percent=_cpu_percent(cpu, previous, now),
        rss_mb=sum(each.rss_bytes for each in members) / MB,
        threads=sum(each.threads for each in members),
        children=len(members) - 1,
        zombies=sum(each.is_dead for each in members[1:]),
        fds=fds,
        cpu=cpu,
        unknown=tuple(filter(None, (main.unknown, reason))),
    )


def tree_pids(pid: int) -> tuple[int, ...]:
    """The process `pid` and all its descendants; empty when it is gone, itself alone when it may not be looked at."""
    main = read_process(pid)
    if main is None:
        return ()
    return (pid,) if main.unknown else tuple(each.pid for each in _members(main))


def _members(main: ProcessFacts) -> list[ProcessFacts]:
    children = None if main.is_dead else system.child_pids(main.pid, main.threads)
    if children is None:
        return [main] if main.is_dead else _members_by_parent(main)
    if not children:
        return [main]
    found = {main.pid: main}
    waiting = children
    while waiting and len(found) < TREE_LIMIT:
        pid = waiting.pop()
        if pid in found or (facts := read_process(pid)) is None:
            continue
        found[pid] = facts
        waiting.extend(system.child_pids(pid, facts.threads) or ())
    return list(found.values())


def _members_by_parent(main: ProcessFacts) -> list[ProcessFacts]:
    by_parent: dict[int, list[ProcessFacts]] = {}
    for pid in all_pids():
        facts = read_process(pid)
        if facts is not None and pid != main.pid:
            by_parent.setdefault(facts.ppid, []).append(facts)
    members = [main]
    for each in members:  # grows while it is walked: children of children
        members.extend(by_parent.pop(each.pid, ()))
    return members


def _fds(main: ProcessFacts) -> tuple[int | None, str]:
    if main.is_dead or main.unknown:
        return None, ""
    try:
        return system.count_fds(main.pid), ""
    except PermissionError:
        return None, f"no permission to count the descriptors of process {main.pid}"
    except OSError:
        return None, ""  # it went between the two looks; the next one says so


def _cpu_percent(cpu: Mapping[int, ProcessCpu], previous: TreeFacts | None, now: float) -> float | None:
    """Percent of one core since `previous`. Each process counts by its own difference, so a child that exits takes
    nothing away; what exited children used comes back through the parent that waited for them."""
    if previous is None or now <= previous.at:
        return None
    own = reaped = 0.0
    seen_ticks = previous.start_ticks + previous.uptime_s * system.TICKS_PER_S
    for pid, this in cpu.items():
        last = previous.cpu.get(pid)
        if last is None or last.start_ticks != this.start_ticks:
            # An older one that only now came into the tree (its parent ended): what it used before is not of this span.
            if this.start_ticks >= seen_ticks - 1:
                own += this.own_s
                reaped += this.reaped_s
        else:
            own += max(0.0, this.own_s - last.own_s)
            reaped += max(0.0, this.reaped_s - last.reaped_s)
    if reaped:
        # A child that was seen before and has been waited for since: what it had used then was counted then.
        reaped -= sum(last.own_s + last.reaped_s for pid, last in previous.cpu.items() if pid not in cpu)
    return 100.0 * (own + max(0.0, reaped)) / (now - previous.at)
