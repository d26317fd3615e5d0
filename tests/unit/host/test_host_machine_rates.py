"""The parsing of the kernel's tables and the arithmetic of rates, without a machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.host.machine import METRICS, cpu_shares, rates
from autonomyd.host.machine_counters import CpuSeconds, HostCounters
from autonomyd.host.machine_linux import parse_cpu, parse_load, parse_memory, parse_network, parse_pressure

NETWORK = b"""Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0:4096 2 1 2 0 0 0 0 2048 3 4 8 0 0 0 0
veth12a: 7 2 1 2 0 0 0 0 7 3 4 8 0 0 0 0
"""


def counters(**changes: object) -> HostCounters:
    values: dict[str, object] = {"cpu": None, "network": {}, "disks": {}, **changes}
    return HostCounters(**values)  # type: ignore[arg-type]


def test_cpu_of_a_new_and_of_an_old_kernel() -> None:
    full = parse_cpu(b"cpu  100 20 30 400 5 6 7 8 9 10\ncpu0 1 2\n")
    assert full == CpuSeconds(user=120, system=43, idle=400, iowait=5, steal=8)
    assert parse_cpu(b"cpu 1 2 3 4\n") == CpuSeconds(user=3, system=3, idle=4)


def test_shares_add_up_and_waiting_is_not_work() -> None:
    values = cpu_shares(
        CpuSeconds(user=0, system=0, idle=0), CpuSeconds(user=30, system=10, idle=40, iowait=15, steal=5)
    )
    assert values["cpu.percent"] == 45.0
    assert values["cpu.iowait_percent"] == 15.0
    assert sum(value for name, value in values.items() if name != "cpu.percent") == 100.0


def test_no_time_between_two_looks_gives_no_share() -> None:
    assert cpu_shares(CpuSeconds(user=1, system=1, idle=1), CpuSeconds(user=1, system=1, idle=1)) == {}


TICKS = st.floats(0, 1e9)
CPU = st.builds(CpuSeconds, user=TICKS, system=TICKS, idle=TICKS, iowait=TICKS, steal=TICKS)


@given(CPU, CPU)
def test_shares_stay_between_0_and_100_whatever_the_kernel_counts(before: CpuSeconds, after: CpuSeconds) -> None:
    for value in cpu_shares(before, after).values():
        assert -1e-6 <= value <= 100.000001


def test_memory_says_used_and_available_of_one_total() -> None:
    values = parse_memory(
        b"MemTotal: 4096 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n"
    )
    assert values == {
        "memory.percent": 75.0,
        "memory.used_mb": 3.0,
        "memory.available_mb": 1.0,
        "swap.percent": 50.0,
        "swap.used_mb": 1.0,
    }


def test_a_machine_without_swap_has_none_in_use() -> None:
    assert parse_memory(b"MemTotal: 4096 kB\nMemAvailable: 1024 kB\n")["swap.percent"] == 0.0


def test_load_is_also_told_per_core() -> None:
    assert parse_load(b"3.00 2.00 1.00 1/99 4242\n", 4) == {
        "load.1": 3.0,
        "load.5": 2.0,
        "load.15": 1.0,
        "load.per_core": 0.75,
    }


def test_pressure_takes_the_ten_second_average() -> None:
    text = b"some avg10=1.50 avg60=2.00 avg300=3.00 total=1\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=2\n"
    assert parse_pressure(text, {b"some": "a", b"full": "b"}) == {"a": 1.5, "b": 0.25}
    assert parse_pressure(text, {b"some": "a"}) == {"a": 1.5}


def test_network_leaves_out_loopback_and_what_is_counted_twice() -> None:
    assert parse_network(NETWORK) == {"eth0": (4096, 2048, 5, 10)}


def test_rates_are_per_second_and_in_kilobytes() -> None:
    before = counters(network={"eth0": (0, 0, 0, 0)}, disks={"vda": (0, 0, 0.0), "vdb": (0, 0, 0.0)})
    after = counters(network={"eth0": (20480, 10240, 10, 20)}, disks={"vda": (10240, 20480, 1.0), "vdb": (0, 0, 5.0)})
    assert rates(before, after, 10.0) == {
        "network.receive_kb_s": 2.0,
        "network.send_kb_s": 1.0,
        "network.errors_s": 1.0,
        "network.drops_s": 2.0,
        "disk.read_kb_s": 1.0,
        "disk.write_kb_s": 2.0,
        "disk.busy_percent": 50.0,
    }


def test_an_interface_that_comes_goes_or_starts_over_is_no_negative_traffic() -> None:
    before = counters(network={"eth0": (10_000_000, 0, 0, 0), "ppp0": (5, 5, 5, 5)})
    after = counters(network={"eth0": (1024, 0, 0, 0), "wg0": (99_999_999, 0, 0, 0)})
    assert rates(before, after, 1.0)["network.receive_kb_s"] == 0.0


@pytest.mark.parametrize("spec", METRICS, ids=lambda spec: spec.name)
def test_every_metric_has_the_unit_of_its_name(spec: object) -> None:
    name, unit = spec.name, spec.unit  # type: ignore[attr-defined]
    expected = "%" if "percent" in name else "KB/s" if name.endswith("kb_s") else "1/s" if name.endswith("_s") else "MB"
    assert unit == ("" if name.startswith("load.") else expected)
