"""Facts of real processes and trees: names, states, children, ends, and what psutil says of the same."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from autonomyd.host import process, process_psutil
from autonomyd.host.process import (
    ProcessIdentity,
    all_pids,
    cmdline,
    environ_value,
    identity,
    pss_mb,
    read_process,
    tree_facts,
    wants_to_run,
)

NO_PID = 2**22 + 5
"""Above the largest pid that Linux gives."""


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, **options: object) -> subprocess.Popen[bytes]:
        running.append(subprocess.Popen(argv, stdout=subprocess.PIPE, **options))  # type: ignore[call-overload]
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.wait()
        assert each.stdout is not None
        each.stdout.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


Start = Callable[..., "subprocess.Popen[bytes]"]


def test_this_process_as_psutil_sees_it() -> None:
    mine, other = read_process(os.getpid()), psutil.Process()
    assert mine is not None
    assert (mine.ppid, mine.name) == (os.getppid(), other.name())
    assert mine.threads >= 1
    assert mine.started_at == pytest.approx(other.create_time(), abs=2.0)
    assert mine.rss_bytes == pytest.approx(other.memory_info().rss, rel=0.2)
    times = other.cpu_times()
    assert mine.cpu_s == pytest.approx(times.user + times.system, abs=0.2)


async def test_the_fallback_says_the_same(started: Start) -> None:
    child = started("sleep", "60")
    await until(lambda: cmdline(child.pid) == ("sleep", "60"))
    ours, theirs = read_process(child.pid), process_psutil.read_process(child.pid)
    assert ours is not None
    assert theirs is not None
    assert (ours.ppid, ours.name, ours.threads) == (theirs.ppid, theirs.name, theirs.threads)
    assert process_psutil.read_process(NO_PID) is None
    assert process_psutil.cmdline(child.pid) == cmdline(child.pid) == ("sleep", "60")
    assert process_psutil.count_fds(os.getpid()) > 0
    with pytest.raises(ProcessLookupError):
        process_psutil.count_fds(NO_PID)


def test_the_fallback_finds_trees_by_parents(started: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    child = started("/bin/sh", "-c", "sleep 60 & echo; wait")
    assert child.stdout is not None
    child.stdout.readline()
    monkeypatch.setattr(process, "system", process_psutil)
    facts = tree_facts(child.pid, previous=None, now=0.0)
    assert facts is not None
    assert facts.children == 1
    assert facts.fds is not None


async def test_a_hostile_name(started: Start, tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b c"
    program.symlink_to("/bin/sleep")
    child = started(str(program), "60")

    def seen() -> tuple[str, str]:
        facts = read_process(child.pid)
        return (facts.name, facts.state) if facts else ("", "")

    await until(lambda: seen() == ("a) Z 1 (b c", "S"))


def test_nobody_has_this_pid() -> None:
    assert read_process(NO_PID) is None
    assert tree_facts(NO_PID, previous=None, now=0.0) is None
    assert identity(NO_PID) is None
    assert pss_mb(NO_PID) is None
    assert cmdline(NO_PID) == ()
    assert environ_value(NO_PID, "PATH") is None


async def test_a_tree_with_threads_grandchildren_and_a_zombie(started: Start) -> None:
    child = started(
        *python(
            "import os, subprocess, threading, time\n"
            "def forker():\n"
            "    subprocess.Popen(['/bin/sh', '-c', 'sleep 60 & sleep 60'])\n"
            "    time.sleep(60)\n"
            "threading.Thread(target=forker, daemon=True).start()\n"
            "if os.fork() == 0: os._exit(0)\n"
            "time.sleep(60)\n"
        )
    )

    def seen() -> tuple[int, int]:
        facts = tree_facts(child.pid, previous=None, now=0.0)
        assert facts is not None
        return facts.children, facts.zombies

    await until(lambda: seen() == (4, 1))
    facts = tree_facts(child.pid, previous=None, now=0.0)
    assert facts is not None
    assert facts.threads == 6  # two of the main process, three of the others, one of the zombie
    assert facts.rss_mb > 1
    assert 0 <= facts.uptime_s < 60
    assert facts.unknown == ()


async def test_the_states_of_a_process(started: Start) -> None:
    child = started("sleep", "60")
    who = identity(child.pid)
    assert who is not None
    assert who.is_alive
    assert not ProcessIdentity(pid=who.pid, start_ticks=who.start_ticks - 1).is_alive

    def state() -> str:
        facts = read_process(child.pid)
        return facts.state if facts else ""

    await until(lambda: state() == "S")
    child.send_signal(19)
    await until(lambda: state() == "T")
    assert who.is_alive
    child.kill()
    await until(lambda: state() == "Z")
    assert not who.is_alive
    dead = tree_facts(child.pid, previous=None, now=0.0)
    assert dead is not None
    assert (dead.state, dead.fds, dead.children) == ("Z", None, 0)
    child.wait()
    assert read_process(child.pid) is None
    assert not who.is_alive


async def test_descriptors_are_counted(started: Start) -> None:
    child = started(
        *python("import os, time\nfds = [os.dup(0) for _ in range(20)]\nprint(len(fds), flush=True)\ntime.sleep(60)")
    )
    assert child.stdout is not None
    child.stdout.readline()
    facts = tree_facts(child.pid, previous=None, now=0.0)
    assert facts is not None
    assert facts.fds == len(os.listdir(f"/proc/{child.pid}/fd"))
    assert facts.fds >= 23


async def test_cpu_is_measured_over_the_tree(started: Start) -> None:
    child = started("/bin/sh", "-c", "(while :; do :; done) & wait")
    await until(lambda: (facts := tree_facts(child.pid, previous=None, now=0.0)) is not None and facts.children == 1)
    last = tree_facts(child.pid, previous=None, now=time.monotonic())
    assert last is not None
    assert last.cpu_percent is None
    pids = [pid for pid in last.cpu if pid != child.pid]

    def busy() -> bool:
        facts = tree_facts(child.pid, previous=last, now=time.monotonic())
        return facts is not None and (facts.cpu_percent or 0.0) > 5.0

    try:
        await until(busy)
    finally:
        for pid in pids:
            os.kill(pid, 9)


async def test_one_that_spins_in_any_thread_wants_to_run_and_one_that_sleeps_does_not(started: Start) -> None:
    burn = "import threading, time; threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start(); time.sleep(60)"
    spinner, sleeper = started(sys.executable, "-c", burn), started("sleep", "60")
    await until(lambda: len(list(Path(f"/proc/{spinner.pid}/task").iterdir())) == 2)
    await until(lambda: all(wants_to_run(spinner.pid) for _ in range(20)))
    assert not all(wants_to_run(sleeper.pid) for _ in range(20))
    assert not wants_to_run(NO_PID)
    assert isinstance(process_psutil.wants_to_run(spinner.pid), bool)
    assert not process_psutil.wants_to_run(NO_PID)


async def test_processes_that_vanish_while_they_are_read_do_no_harm(started: Start) -> None:
    child = started(*python("import os\nwhile True:\n    if os.fork() == 0: os._exit(0)\n    os.wait()\n"))
    last = None
    for now in range(300):
        last = tree_facts(child.pid, previous=last, now=float(now + 1))
        assert last is not None
        assert (last.cpu_percent or 0.0) >= 0.0
    for pid in all_pids():
        read_process(pid)


async def test_arguments_and_variables(started: Start) -> None:
    # The exec is seen to succeed a moment before the kernel shows the new arguments, hence the waiting.
    child = started("sleep", "59.5", env={"WANTED": "x=y", "NOTWANTED": "z", "LONG": "x" * 100_000})
    await until(lambda: cmdline(child.pid) == ("sleep", "59.5"))
    assert environ_value(child.pid, "WANTED") == "x=y"
    assert environ_value(child.pid, "ANT") is None
    assert environ_value(child.pid, "LONG") == "x" * 100_000
    odd = started(*python("import time; time.sleep(60)"), "", "a b", "\udcff")
    await until(lambda: cmdline(odd.pid)[3:] == ("", "a b", "\ufffd"))


def test_the_proportional_memory_of_this_process() -> None:
    mine = read_process(os.getpid())
    found = pss_mb(os.getpid())
    assert mine is not None
    assert found is not None
    assert 1 < found <= mine.rss_bytes / 2**20 * 1.2


@pytest.mark.real
def test_without_permission_facts_are_absent_with_a_reason() -> None:
    if os.getuid() != 0:
        pytest.skip("needs root, to become somebody else")
    code = (
        "import os\n"
        "from autonomyd.host.process import tree_facts, cmdline, environ_value, pss_mb\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "facts = tree_facts(os.getppid(), previous=None, now=0.0)\n"
        "print(facts.state, facts.threads > 0, facts.fds is None or facts.fds > 0, pss_mb(os.getppid()),\n"
        "      environ_value(os.getppid(), 'PATH'), len(cmdline(os.getppid())) > 0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(python(code), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1:] == ["True", "True", "None", "None", "True"]
