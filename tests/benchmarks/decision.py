"""From an open issue to the decision about it, all facts read from a machine with many processes: a service was killed,
its port is free or taken by a stranger, its configuration is not what it was."""

import asyncio
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import running
import structlog
from figure import Figure, Options

from autonomyd import AutonomousOperationSystem, make_settings
from autonomyd.model.issue import Issue
from autonomyd.monitor.probes import check_kinds

PROCESSES = 500
CONFIG = "".join(f"key_{number} = {number}\n" for number in range(200))


def measure(options: Options) -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    with running.scratch() as scratch:
        others = [subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL) for _ in range(PROCESSES)]
        free, taken = asyncio.run(_decisions(scratch.folder, int(options.pick(200, 50))))
        running.end_all({each.pid for each in others})
        for each in others:
            each.returncode = -signal.SIGKILL  # reaped above
    return [
        Figure(
            what=f"decision, facts read, {what}", value=1e3 * statistics.median(took), unit="ms", target=20.0,
            bound=100.0, note=f"{PROCESSES} processes beside it; longest {1e3 * max(took):.1f} ms",
        )
        for what, took in (("port free", free), ("port taken", taken))
    ]  # fmt: skip


async def _decisions(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each decision: with the service's port free, and with a stranger on it."""
    port = running.free_ports(1)[0]
    (folder / "app.toml").write_text(CONFIG)
    control = {"type": "process", "command": running.service_command(port), "pidfile": str(folder / "web.pid")}
    web = {
        "control": control, "config_files": [str(folder / "app.toml")],
        "checks": [{"type": "http", "url": f"http://127.0.0.1:{port}/", "every_s": 1.0}],
    }  # fmt: skip
    tables = {"daemon": {"state_dir": str(folder / "state")}, "services": {"web": web}}
    settings = make_settings(tables, checks=check_kinds())
    async with AutonomousOperationSystem(settings) as system:
        known = system.parts.known_good
        await _until(lambda: bool(known.goods_of("web", str(folder / "app.toml"))))
        (folder / "app.toml").write_text(CONFIG + "key_7 = 8\n")
        system.parts.pause.pause(for_s=None, reason="it is measured", actor="benchmark")
        pid = running.answer_of(port)
        assert pid is not None
        (folder / "web.pid").write_text(f"{pid}\n")
        os.kill(pid, signal.SIGKILL)
        await _until(lambda: bool(system.monitoring.book.open_issues()))
        issue = system.monitoring.book.open_issues()[0]
        free = [await _timed(system, issue) for _ in range(rounds)]
        stranger = subprocess.Popen(running.service_command(port))
        await _until(lambda: running.answer_of(port) == stranger.pid)
        taken = [await _timed(system, issue) for _ in range(rounds)]
        stranger.kill()
        stranger.wait()
    return free, taken


async def _timed(system: AutonomousOperationSystem, issue: Issue) -> float:
    began = time.perf_counter()
    decision = await system.parts.healing.consider(issue)
    took = time.perf_counter() - began
    assert decision is not None
    return took


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + running.DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise running.TooSlowError("the service's state did not come")
        await asyncio.sleep(0.02)
