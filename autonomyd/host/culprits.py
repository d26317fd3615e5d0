"""Which child of a process is to blame: the one that uses the CPU, the one that leaves dead children. For a thread."""

import time
from collections import Counter

from autonomyd.host.process import ProcessFacts, ProcessIdentity, read_process, tree_facts

SPAN_S = 0.3
MOST_SHARE = 0.8
"""The one to blame has at least this share of it all."""


def busiest_child(pid: int) -> tuple[ProcessIdentity, str, float] | None:
    """(who, name, share 0..1) of the descendant of `pid` that used nearly all the CPU of the tree over 0.3 s; None when
    it was the process itself, or many."""
    before = _cpu(pid)
    time.sleep(SPAN_S)
    after = _cpu(pid)
    used = {one: after[one] - before[one] for one in after.keys() & before.keys()}
    total = sum(used.values())
    if total <= 0.0:
        return None
    most = max(used, key=lambda one: used[one])
    facts = read_process(most.pid)
    share = used[most] / total
    if most.pid == pid or share < MOST_SHARE or facts is None:
        return None
    return most, facts.name, share


def parent_of_zombies(pid: int) -> tuple[ProcessIdentity, str, int] | None:
    """(who, name, dead children) of the descendant of `pid` that leaves most dead children; None when it is the process
    itself, or nobody."""
    facts = tree_facts(pid, previous=None, now=0.0)
    members = [each for each in map(read_process, facts.cpu if facts else ()) if each is not None]
    counts = Counter(each.ppid for each in members if each.is_dead)
    if not counts:
        return None
    parent, dead = counts.most_common(1)[0]
    found: ProcessFacts | None = next((each for each in members if each.pid == parent), None)
    if found is None or parent == pid:
        return None
    return ProcessIdentity(pid=parent, start_ticks=found.start_ticks), found.name, dead


def _cpu(pid: int) -> dict[ProcessIdentity, float]:
    facts = tree_facts(pid, previous=None, now=0.0)
    if facts is None:
        return {}
    return {ProcessIdentity(pid=each, start_ticks=cpu.start_ticks): cpu.own_s for each, cpu in facts.cpu.items()}
