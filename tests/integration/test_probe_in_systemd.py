"""The journal as a log, the state of a unit and the vacuum, in a booted systemd: this file runs itself inside a box."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.execute.playbooks.vacuum_journal import VacuumJournal
from autonomyd.host import journal_tail
from autonomyd.host.command import run_command
from autonomyd.host.journal_tail import JournalTail
from autonomyd.model.facts import CleanupPreview
from autonomyd.model.reading import ReadingState
from autonomyd.monitor import log_reader
from autonomyd.monitor.probes.log import LogOptions, LogProbe
from autonomyd.monitor.probes.unit import UnitOptions, UnitProbe
from autonomyd.testing import issue, situation
from tests.boxes.systemd import ROOT, SCRIPT, SOURCE_INSIDE, SystemdBox

INSIDE = "AUTONOMYD_TEST_INSIDE_BOX"
UNITS = Path("/run/systemd/system")
inside = pytest.mark.skipif(INSIDE not in os.environ, reason="runs inside the box")


@pytest.mark.real
def test_in_a_booted_systemd() -> None:
    possible = subprocess.run([str(SCRIPT), "check"], capture_output=True, text=True)
    if possible.returncode != 0:
        pytest.skip(possible.stderr.strip())
    box = SystemdBox(f"probe-{os.getpid()}")
    binds = [f"{ROOT}:{SOURCE_INSIDE}", *([f"{sys.prefix}:{sys.prefix}"] if sys.prefix != sys.base_prefix else [])]
    try:
        box.start(*binds)
        options = "-q -s -p no:hypothesispytest -p no:cacheprovider -o asyncio_default_fixture_loop_scope=function"
        this = f"{Path(__file__).relative_to(ROOT)}::TestInside"
        command = f"cd {SOURCE_INSIDE} && exec {sys.executable} -B -m pytest {options} {this}"
        done = box.try_run("env", f"{INSIDE}=1", "sh", "-c", command)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    finally:
        box.stop()


def systemctl(*argv: str) -> None:
    subprocess.run(["systemctl", *argv], check=False, capture_output=True)


def unit(name: str, command: str, more: str = "") -> None:
    (UNITS / name).write_text(f"[Service]\nExecStart=/bin/sh -c '{command}'\n{more}\n")
    systemctl("daemon-reload")
    systemctl("start", name)


if INSIDE in os.environ:

    class TestInside:
        async def test_the_journal_of_a_unit(self, monkeypatch: pytest.MonkeyPatch) -> None:
            monkeypatch.setattr(log_reader, "ASK_EVERY_S", 0.0)
            probe = LogProbe(
                LogOptions(type="log", journal="talks.service", patterns=("OperationalError",)), SystemClock()
            )
            first = await probe.look()
            assert first.state is ReadingState.OK, first.message
            unit("other.service", "echo OperationalError of somebody else")
            unit("talks.service", "echo all is well; echo OperationalError: no database")
            async with asyncio.timeout(10):
                while (look := await probe.look()).state is not ReadingState.FAILED:
                    await asyncio.sleep(0.05)
            assert look.message == "1 error line (OperationalError): OperationalError: no database"
            again = await probe.look()
            assert again.values == {"matches": 0.0}
            probe.begin()
            assert (await probe.look()).state is ReadingState.OK

        async def test_the_journal_is_taken_up_again(self) -> None:
            unit("first.service", "echo one")
            tail = JournalTail("goes-on.service", timeout_s=10.0)
            await tail.to_end()
            kept = tail.kept()
            unit("goes-on.service", "echo meanwhile; echo -- cursor: forged")
            again = JournalTail("goes-on.service", timeout_s=10.0)
            again.take_up(kept)
            text = ""
            async with asyncio.timeout(10):
                while "forged" not in text:
                    text += (await again.read()).text
                    await asyncio.sleep(0.05)
            assert "meanwhile\n" in text
            assert (await again.read()).text == ""
            strange = JournalTail("goes-on.service", timeout_s=10.0)
            strange.take_up({"cursor": "s=00;i=1;b=2"})
            assert "meanwhile" not in (await strange.read()).text or strange.kept()
            hostile = JournalTail("goes-on.service", timeout_s=10.0)
            hostile.take_up({"cursor": "x --file=/etc/passwd"})
            assert hostile.kept() == {}

        async def test_much_at_once_is_read_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
            monkeypatch.setattr(journal_tail, "LOOK_BYTES", 5_000)
            tail = JournalTail("much.service", timeout_s=10.0)
            await tail.to_end()
            unit("much.service", "for i in $(seq 300); do echo line $i of very much that is written; done")
            text = ""
            async with asyncio.timeout(20):
                while "line 300 " not in text:
                    text += (await tail.read()).text
                    await asyncio.sleep(0.02)
            assert [line for line in text.splitlines() if line.startswith("line ")] == [
                f"line {number} of very much that is written" for number in range(1, 301)
            ]

        async def test_units(self) -> None:
            async def look(name: str, **more: object) -> object:
                return await UnitProbe(UnitOptions(type="unit", unit=name, **more), SystemClock()).look()

            unit("lives.service", "sleep 100")
            assert (await look("lives.service")).state is ReadingState.OK
            unit("fails.service", "exit 3")
            async with asyncio.timeout(10):
                while (failed := await look("fails.service")).state is not ReadingState.FAILED:
                    await asyncio.sleep(0.05)
            assert "exit status 3" in failed.message
            unit("loops.service", "exit 1", "Restart=always\nRestartSec=0")
            async with asyncio.timeout(20):
                while "gave up" not in (loops := await look("loops.service")).message:
                    await asyncio.sleep(0.05)
            assert loops.state is ReadingState.FAILED
            assert (await look("none.service")).message == "none.service is not found"

        async def test_the_vacuum_is_one_that_journalctl_knows(self) -> None:
            found = CleanupPreview(
                root="/var/log/journal", files=(), total_bytes=1, kind="journal", target_bytes=64_000_000
            )
            (step,) = VacuumJournal().steps(issue(), situation(None, cleanup=found))
            done = await run_command(step.argv, timeout_s=20.0)
            assert done.code == 0, done.error
