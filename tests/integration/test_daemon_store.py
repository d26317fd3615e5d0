"""The daemon while its database is locked, read-only, full or damaged: it heals, says so, and loses nothing."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from autonomyd.drill.services import ServiceSpec
from tests.boxes.daemon import DaemonBox, until


@pytest.fixture
def box(tmp_path: Path) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path)
    made.make_services(ServiceSpec(name="web"))
    made.configure()
    yield made
    made.close()


def die(box: DaemonBox) -> int:
    """Kill the service; returns the pid of the one that took its place."""
    before = box.service("web")["pid"]
    os.kill(before, signal.SIGKILL)
    until(lambda: box.service("web")["pid"] not in (None, before), "another process")
    box.until_state("web")
    until(
        lambda: not [each for each in box.status()["issues"] if each["issue"]["subject"] == "service:web"],
        "its issue is closed",
    )
    return int(box.service("web")["pid"])


def downs(box: DaemonBox) -> int:
    return sum(each["issue"]["type"] == "service_down" for each in box.issues())


def healed(fixes: Any) -> int:
    return sum(fix["outcome"] == "healed" and fix["actor"] == "autonomyd" for fix in fixes)


def well(box: DaemonBox) -> bool:
    store = box.status()["store"]
    return bool(store["state"] == "ok" and store["pending"] == 0)


def test_locked_by_another_program(box: DaemonBox) -> None:
    box.start()
    box.until_state("web")
    die(box)
    with closing(sqlite3.connect(box.state_dir / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        die(box)
        die(box)
        store = box.status()["store"]
        assert store["state"] == "degraded"
        assert "locked" in store["message"]
        assert store["pending"] > 0
        assert {loop["state"] for loop in box.status()["loops"].values()} == {"running"}
        other.execute("ROLLBACK")
    until(lambda: well(box), "the store is well again")
    assert healed(box.fixes()) == 3
    assert downs(box) == 3
    with closing(sqlite3.connect(f"file:{box.state_dir / 'state.db'}?mode=ro", uri=True)) as looked:
        tables = {name for (name,) in looked.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {"issues", "fixes"} <= tables
        assert looked.execute("SELECT count(*) FROM fixes WHERE outcome = 'healed'").fetchone()[0] >= 3


def test_killed_while_locked_loses_nothing(box: DaemonBox) -> None:
    box.start()
    box.until_state("web")
    with closing(sqlite3.connect(box.state_dir / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        pid = die(box)
        box.post("/v1/pause", reason="while it is locked")
        box.kill()
        other.execute("ROLLBACK")
    box.start()
    assert box.status()["pause"]["reason"] == "while it is locked"
    assert healed(box.fixes()) == 1
    assert downs(box) == 1
    assert box.marked("web") == [pid]


def test_locked_at_the_start(box: DaemonBox) -> None:
    box.start()
    box.until_state("web")
    pid = die(box)
    assert box.end() == 0
    with closing(sqlite3.connect(box.state_dir / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        box.start()
        assert box.status()["store"]["state"] == "degraded"
        box.until_state("web")
        assert box.marked("web") == [pid]
        die(box)
        other.execute("ROLLBACK")
    until(lambda: well(box), "the store is well again")
    until(lambda: healed(box.fixes()) == 2 and downs(box) == 2, "both runs are in the database")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("needs root and mount")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=3m", "none", str(folder)], capture_output=True).returncode:
        pytest.skip("may not mount here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def small(tmp_path: Path, disk: Path) -> Iterator[DaemonBox]:
    """A daemon whose state lives on the small file system."""
    made = DaemonBox(tmp_path)
    made.state_dir = disk / "state"
    log = tmp_path / "web.log"
    made.make_services(ServiceSpec(name="web"))
    made.configure()
    text = made.config.read_text().replace("stop_timeout_s", f"stdout = {json.dumps(str(log))}, stop_timeout_s")
    made.config.write_text(text)
    yield made
    made.close()


@pytest.mark.real
def test_a_full_disk(small: DaemonBox, disk: Path) -> None:
    small.start()
    small.until_state("web")
    die(small)
    with (disk / "ballast").open("wb") as ballast:
        try:
            while True:
                os.write(ballast.fileno(), b"x" * 512)
        except OSError:
            pass
    for _ in range(6):
        small.post("/v1/resume")  # also resets the budget of restarts
        die(small)
        if small.status()["store"]["state"] == "degraded":
            break
    store = small.status()["store"]
    assert store["state"] == "degraded"
    assert "full" in store["message"]
    pid = die(small)
    (disk / "ballast").unlink()
    until(lambda: well(small), "the store is well again", within_s=40.0)
    assert healed(small.fixes()) == small.service("web")["restarts"] == downs(small)
    small.kill()
    small.start()
    assert healed(small.fixes()) == downs(small)
    assert small.marked("web") == [pid]


@pytest.mark.real
def test_a_database_that_may_not_be_written(box: DaemonBox) -> None:
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("needs root and mount")
    box.start()
    box.until_state("web")
    die(box)
    assert box.end() == 0
    database = str(box.state_dir / "state.db")
    if subprocess.run(["mount", "--bind", database, database], capture_output=True).returncode:
        pytest.skip("may not mount here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", database], check=True)
        box.start()
        until(lambda: box.status()["store"]["state"] == "degraded", "the store is read-only")
        assert "read-only" in box.status()["store"]["message"].lower()
        assert downs(box) >= 1
        die(box)
        assert healed(box.fixes()) >= 1
        box.post("/v1/services/web/stop")
        assert box.state("web") == "stopped"
    finally:
        subprocess.run(["umount", "-l", database], check=True)
    box.kill()
    box.start()
    until(lambda: well(box), "the store is well again")
    assert healed(box.fixes()) == 2
    assert downs(box) == 2
    assert box.state("web") == "stopped"


@pytest.mark.parametrize("where", ["head", "middle", "all", "empty"])
def test_damaged_between_two_runs(box: DaemonBox, where: str) -> None:
    box.start()
    box.until_state("web")
    pid = die(box)
    box.post("/v1/services/web/stop")
    box.post("/v1/services/web/start")
    pid = box.until_state("web")["pid"]
    before = {fix["id"]: fix["outcome"] for fix in box.fixes()}
    issues = {each["issue"]["id"] for each in box.issues() if each["issue"]["subject"] == "service:web"}
    assert box.end() == 0
    database = box.state_dir / "state.db"
    size = database.stat().st_size
    with database.open("r+b") as file:
        if where == "empty":
            file.truncate(0)
        else:
            file.seek({"head": 0, "middle": size // 2, "all": 0}[where])
            file.write(os.urandom({"head": 100, "middle": 4096, "all": size}[where]))
    box.start()
    assert box.service("web")["pid"] == pid
    after = {fix["id"]: fix["outcome"] for fix in box.fixes()}
    assert after | before == after
    assert issues <= {each["issue"]["id"] for each in box.issues()}
    if where in ("head", "all"):
        assert "damaged" in box.status()["store"]["message"] or "corrupt" in box.status()["store"]["message"]
    die(box)
    assert max(fix["id"] for fix in box.fixes()) > max(before)  # no number is given twice


def test_damaged_while_it_runs(box: DaemonBox) -> None:
    box.start()
    box.until_state("web")
    die(box)
    until(lambda: well(box))
    before = {fix["id"] for fix in box.fixes()}
    with (box.state_dir / "state.db").open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        file.write(os.urandom(size))
    (box.state_dir / "state.db-wal").write_bytes(b"")
    die(box)
    die(box)
    until(lambda: healed(box.fixes()) >= 3, "all is there again")
    assert before <= {fix["id"] for fix in box.fixes()}
    assert "state.db" in box.status()["store"]["path"]
    box.kill()
    box.start()
    assert healed(box.fixes()) >= 3
    assert downs(box) >= 3


def test_deleted_while_it_runs(box: DaemonBox) -> None:
    box.start()
    box.until_state("web")
    die(box)
    for file in box.state_dir.glob("state.db*"):
        file.unlink()
    die(box)
    assert {loop["state"] for loop in box.status()["loops"].values()} == {"running"}
    assert box.end() == 0


def test_a_state_folder_that_can_not_be_is_an_error_in_words(box: DaemonBox) -> None:
    box.state_dir.write_text("a file")
    refused = box.run()
    assert refused.returncode == 73
    assert str(box.state_dir) in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
