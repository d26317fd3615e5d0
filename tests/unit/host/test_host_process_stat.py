"""The parsing of /proc/PID/stat and the arithmetic of trees, without a machine."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from autonomyd.host.process import _cpu_percent
from autonomyd.host.process_facts import ProcessCpu, TreeFacts
from autonomyd.host.process_linux import PAGE_BYTES, TICKS_PER_S, parse_stat

TAIL = b" S 7 1 1 0 -1 4194560 100 0 0 0 250 50 30 20 20 0 3 0 4242 1000 12 18446744073709551615 0 0 0\n"


def tree(at: float, cpu: dict[int, ProcessCpu]) -> TreeFacts:
    return TreeFacts(
        pid=1,
        start_ticks=0,
        at=at,
        name="x",
        state="S",
        started_at=0.0,
        uptime_s=at,
        cpu_percent=None,
        rss_mb=1.0,
        threads=1,
        children=len(cpu) - 1,
        zombies=0,
        fds=3,
        cpu=cpu,
    )


def cpu(own_s: float, reaped_s: float = 0.0, start_ticks: int = 0) -> ProcessCpu:
    return ProcessCpu(start_ticks=start_ticks, own_s=own_s, reaped_s=reaped_s)


@given(st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), max_size=15))
def test_any_name_is_read_as_it_is(name: str) -> None:
    facts = parse_stat(12, b"12 (" + name.encode() + b")" + TAIL, boot=1000.0)
    assert facts is not None
    assert facts.name == name
    assert (facts.state, facts.ppid, facts.threads, facts.start_ticks) == ("S", 7, 3, 4242)
    assert facts.cpu_s == 300 / TICKS_PER_S
    assert facts.reaped_cpu_s == 50 / TICKS_PER_S
    assert facts.rss_bytes == 12 * PAGE_BYTES
    assert facts.started_at == 1000.0 + 4242 / TICKS_PER_S


def test_a_name_that_imitates_the_line_is_still_a_name() -> None:
    facts = parse_stat(12, b"12 (a) R 1 (b) Z 2)" + TAIL, boot=0.0)
    assert facts is not None
    assert (facts.name, facts.state, facts.ppid) == ("a) R 1 (b) Z 2", "S", 7)


def test_a_line_that_vanished_is_a_process_that_is_gone() -> None:
    assert parse_stat(12, b"", boot=0.0) is None


def test_the_first_look_has_no_rate() -> None:
    assert _cpu_percent({1: cpu(5.0)}, None, 10.0) is None
    assert _cpu_percent({1: cpu(5.0)}, tree(10.0, {1: cpu(5.0)}), 10.0) is None


def test_percent_is_of_one_core_and_over_the_tree() -> None:
    before = tree(10.0, {1: cpu(5.0), 2: cpu(1.0)})
    assert _cpu_percent({1: cpu(5.5), 2: cpu(2.0)}, before, 11.0) == 150.0


def test_an_exited_child_takes_nothing_away() -> None:
    before = tree(10.0, {1: cpu(5.0), 2: cpu(100.0)})
    assert _cpu_percent({1: cpu(5.5)}, before, 11.0) == 50.0


def test_what_a_child_used_until_its_end_comes_through_its_parent() -> None:
    before = tree(10.0, {1: cpu(5.0, reaped_s=1.0), 2: cpu(100.0)})
    assert _cpu_percent({1: cpu(5.0, reaped_s=101.25)}, before, 11.0) == 25.0


def test_short_lived_children_that_were_never_seen_count() -> None:
    before = tree(10.0, {1: cpu(5.0, reaped_s=1.0)})
    assert _cpu_percent({1: cpu(5.0, reaped_s=1.5)}, before, 11.0) == 50.0


def test_a_new_child_counts_and_an_older_one_that_joins_does_not() -> None:
    before = tree(10.0, {1: cpu(5.0)})
    born = cpu(0.5, start_ticks=round(10.5 * TICKS_PER_S))
    joined = cpu(900.0, start_ticks=round(2.0 * TICKS_PER_S))
    assert _cpu_percent({1: cpu(5.0), 2: born, 3: joined}, before, 11.0) == 50.0


def test_a_pid_that_was_used_again_is_a_new_process() -> None:
    before = tree(10.0, {1: cpu(5.0), 2: cpu(70.0)})
    again = replace(cpu(0.25), start_ticks=round(10.5 * TICKS_PER_S))
    assert _cpu_percent({1: cpu(5.0), 2: again}, before, 11.0) == 25.0


SECONDS = st.floats(0, 1000)
TREES = st.dictionaries(st.integers(1, 6), st.builds(cpu, SECONDS, SECONDS, st.integers(0, 100)), max_size=6)


@given(TREES, TREES)
def test_a_rate_is_never_negative(before: dict[int, ProcessCpu], after: dict[int, ProcessCpu]) -> None:
    percent = _cpu_percent(after, tree(10.0, before), 11.0)
    assert percent is not None
    assert percent >= 0.0
