"""What a started service does not get from the daemon that its unit gave to the daemon: group, OOM score, variables."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop

from autonomyd.host.command import run_command
from autonomyd.host.inherited import PRIVATE_NAMES, give_ordinary_oom_score, service_credentials
from autonomyd.host.spawn import service_environment

PID = 4711
SHIELDED = -500
# The daemon as the unit starts it: root, in the group of the control socket alone.
IN_THE_UNITS_GROUP = """
import os, sys
from pathlib import Path
os.setgroups([54321])
os.setgid(54321)
from autonomyd.host.spawn import spawn
folder = Path(sys.argv[1])
child = spawn(["/bin/sh", "-c", "id -u; id -g; id -G"], cwd=folder, env={}, output=folder / "out")
os.waitpid(child.identity.pid, 0)
print((folder / "out").stat().st_gid)
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with the daemon ("self", shielded from the OOM killer) and its child, which inherited that."""
    for name in ("self", str(PID)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "oom_score_adj").write_text(f"{SHIELDED}\n")
    return tmp_path


def score(proc: Path) -> int:
    return int((proc / str(PID) / "oom_score_adj").read_text())


def test_a_child_loses_the_shield_of_the_daemon(proc: Path) -> None:
    give_ordinary_oom_score(PID, proc=proc)
    assert score(proc) == 0


@pytest.mark.parametrize("own", [0, 200])
def test_a_daemon_without_a_shield_leaves_the_score_alone(proc: Path, own: int) -> None:
    for name in ("self", str(PID)):
        (proc / name / "oom_score_adj").write_text(f"{own}\n")
    give_ordinary_oom_score(PID, proc=proc)
    assert score(proc) == own


def test_a_score_that_the_child_chose_stays(proc: Path) -> None:
    (proc / str(PID) / "oom_score_adj").write_text("-1000\n")
    give_ordinary_oom_score(PID, proc=proc)
    assert score(proc) == -1000


def test_no_score_to_write_is_no_error(proc: Path, tmp_path: Path) -> None:
    give_ordinary_oom_score(PID + 1, proc=proc)
    give_ordinary_oom_score(PID, proc=tmp_path / "none")


def test_credentials_are_inherited_where_the_daemon_has_no_group_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getegid", lambda: 0)
    assert service_credentials() == {}
    monkeypatch.setattr(os, "getegid", lambda: 1000)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert service_credentials() == {}


def test_a_service_of_a_root_daemon_runs_in_roots_group(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: changes the group of a process")
    done = subprocess.run(
        [sys.executable, "-c", IN_THE_UNITS_GROUP, str(tmp_path)], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_text().split() == ["0", "0", "0"]
    assert done.stdout.strip() == "54321", "the file stays with the group that may read the daemon's own"


def test_no_fact_about_the_daemons_unit_reaches_a_service() -> None:
    told = dict.fromkeys(PRIVATE_NAMES, "x") | {"LISTEN_ADDRESS": "::1", "WATCHDOG_URL": "y"}
    assert service_environment(told, {"JOURNAL_STREAM": "own"}) == {
        "LISTEN_ADDRESS": "::1",
        "WATCHDOG_URL": "y",
        "JOURNAL_STREAM": "own",
    }


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_no_fact_about_the_daemons_unit_reaches_a_check(runner: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PRIVATE_NAMES:
        monkeypatch.setenv(name, "x")
    assert callable(runner)
    result = runner(run_command(["/usr/bin/env"], timeout_s=5.0))
    assert not PRIVATE_NAMES & {line.partition("=")[0] for line in result.output.splitlines()}
