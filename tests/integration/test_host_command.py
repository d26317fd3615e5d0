"""Commands that end, fail, hang, flood and leave children, on both event loops."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from autonomyd.host.command import run_command
from autonomyd.host.failure import CommandFailure
from autonomyd.host.process import read_process, tree_facts

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return asyncio.run if request.param == "asyncio" else uvloop.run


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


async def until(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


def is_gone(pid: int) -> bool:
    facts = read_process(pid)
    return facts is None or facts.is_dead


def test_output_error_and_code(run: Run) -> None:
    result = run(run_command(shell("echo out; echo err >&2; exit 2"), timeout_s=5.0))
    assert (result.code, result.output, result.error, result.timed_out) == (2, "out\n", "err\n", False)
    assert 0 < result.duration_s < 5


def test_the_input_is_empty_and_the_folder_and_the_variables_are_given(run: Run, tmp_path: Path) -> None:
    result = run(run_command(shell('cat; pwd; echo "$A$HOME"'), timeout_s=5.0, cwd=tmp_path, env={"A": "b"}))
    assert result.output == f"{tmp_path}\nb{os.environ.get('HOME', '')}\n"


def test_what_systemd_told_the_daemon_is_not_passed_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/x")
    assert run(run_command(shell('echo "<$NOTIFY_SOCKET>"'), timeout_s=5.0)).output == "<>\n"


def test_a_command_that_a_signal_ended(run: Run) -> None:
    assert run(run_command(shell("kill -9 $$"), timeout_s=5.0)).code == -signal.SIGKILL


def test_bytes_that_are_not_text(run: Run) -> None:
    assert run(run_command(shell(r"printf 'a\377b'"), timeout_s=5.0)).output == "a\ufffdb"


def test_a_flood_is_bounded_and_does_not_block_the_command(run: Run) -> None:
    script = "import sys; sys.stdout.write('x' * 3_000_000); sys.stderr.write('y' * 10)"
    result = run(run_command([sys.executable, "-c", script], timeout_s=10.0, output_limit=1000))
    assert (result.code, len(result.output), result.error, result.truncated) == (0, 1000, "y" * 10, True)


def test_the_whole_group_ends_at_the_deadline(run: Run, tmp_path: Path) -> None:
    """The child ignores SIGTERM, as does its child: only SIGKILL to the group helps."""
    pids = tmp_path / "pids"
    script = f"trap '' TERM; sleep 60 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait; sleep 60"

    async def main() -> None:
        result = await run_command(shell(script), timeout_s=0.3)
        assert (result.timed_out, result.code) == (True, None)
        members = [int(pid) for pid in pids.read_text().split()]
        assert len(members) == 2
        await until(lambda: all(is_gone(pid) for pid in members))

    run(main())


def test_a_polite_command_says_goodbye_at_the_deadline(run: Run) -> None:
    began = time.perf_counter()
    result = run(run_command(shell("trap 'echo bye; exit 0' TERM; echo hi; sleep 60 & wait"), timeout_s=0.3))
    assert (result.output, result.timed_out) == ("hi\nbye\n", True)
    assert time.perf_counter() - began < 5


def test_a_frozen_command_ends_at_the_deadline(run: Run) -> None:
    assert run(run_command(shell("kill -STOP $$"), timeout_s=0.2)).timed_out


def test_the_group_ends_when_the_caller_is_cancelled(run: Run, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait"

    async def main() -> None:
        running = asyncio.create_task(run_command(shell(script), timeout_s=60.0))
        await until(pids.exists)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        members = [int(pid) for pid in pids.read_text().split()]
        await until(lambda: all(is_gone(pid) for pid in members))

    run(main())


def test_a_caller_that_is_cancelled_at_once_leaves_nothing(run: Run) -> None:
    def children() -> int:
        facts = tree_facts(os.getpid(), previous=None, now=0.0)
        assert facts is not None
        return facts.children

    async def main() -> None:
        before = children()
        running = asyncio.create_task(run_command(["sleep", "60"], timeout_s=60.0))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: children() == before)

    run(main())


def test_a_child_left_in_the_background_is_neither_waited_for_nor_killed(run: Run) -> None:
    """This is what a start script does; the child even holds the pipes open."""

    async def main() -> None:
        result = await run_command(shell("sleep 30 & echo $!"), timeout_s=20.0)
        assert result.code == 0
        assert result.duration_s < 5
        pid = int(result.output)
        assert not is_gone(pid)
        os.kill(pid, signal.SIGKILL)

    run(main())


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "empty"),
        (["/no/such/program"], "no such file"),
        (["/etc/passwd"], "permission denied"),
        (["true\0"], "can't start"),
    ],
)
def test_what_cannot_start(run: Run, argv: list[str], words: str) -> None:
    with pytest.raises(CommandFailure) as caught:
        run(run_command(argv, timeout_s=5.0))
    assert words in caught.value.message


def test_a_folder_that_is_not_there(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandFailure, match="is not there"):
        run(run_command(["true"], timeout_s=5.0, cwd=tmp_path / "none"))


def test_a_script_without_a_first_line(tmp_path: Path) -> None:
    """On asyncio only: uvloop hands such a file to the shell, as execvp does."""
    script = tmp_path / "script"
    script.write_text("echo hi\n")
    script.chmod(0o755)
    with pytest.raises(CommandFailure, match="needs a first line"):
        asyncio.run(run_command([str(script)], timeout_s=5.0))
