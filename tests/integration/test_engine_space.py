"""Which logs are a disk's growth, which files of a cache may go, and what the doctor finds."""

import os
import time

import pytest

from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.facts import logs as facts
from autonomyd.engine.facts.logs import rotatable
from autonomyd.host.doctor import configuration, examined
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probes import check_kinds
from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.load import make_settings
from autonomyd.testing import ManualClock

DAY_S = 86_400.0


def service_of(tmp_path, **more):
    tables = {"control": {"type": "process", "command": ["true"]}, **more}
    return make_settings({"services": {"web": tables}}, checks=check_kinds()).services["web"]


def test_logs_that_fill_the_disk(tmp_path, monkeypatch):
    (tmp_path / "big.log").write_text("x" * 100_000)
    (tmp_path / "small.log").write_text("x" * 10_000)
    (tmp_path / "link.log").symlink_to(tmp_path / "big.log")
    names = [str(tmp_path / name) for name in ("small.log", "big.log", "link.log", "none.log")]
    settings = service_of(tmp_path, logs=names, rotate={"keep": 5})
    monkeypatch.setattr(facts, "disk_bytes", lambda path: (1_000_000, 2_000_000))
    found = rotatable(settings, (str(tmp_path),))
    assert [(os.path.basename(log.path), log.keep) for log in found] == [("big.log", 5), ("small.log", 5)]
    monkeypatch.setattr(facts, "disk_bytes", lambda path: (100_000_000, 2_000_000))
    assert rotatable(settings, (str(tmp_path),)) == (), "something else fills the disk"
    assert rotatable(settings, ("/proc",)) == (), "on another disk"
    assert rotatable(service_of(tmp_path, logs=names), (str(tmp_path),)) == (), "without consent"


async def test_a_cache_loses_what_nobody_used(tmp_path):
    old, new, read, opened = (tmp_path / name for name in ("old.bin", "new.bin", "read.bin", "opened.bin"))
    for path in (old, new, read, opened):
        path.write_bytes(b"x" * 500_000)
    clock = ManualClock(wall=time.time() + 10 * DAY_S)
    fresh = clock.wall() - DAY_S
    os.utime(new, (fresh, fresh))
    os.utime(read, (fresh, old.stat().st_mtime))
    cleanup = CleanupSettings(root=str(tmp_path), kind="cache", older_days=7, quota_mb=1.0, target_percent=10.0)
    cleaner = Cleaner(lambda: (cleanup,), clock=clock)
    with opened.open("rb"):
        found = await cleaner.preview(f"folder:{tmp_path}")
        assert found.kind == "cache"
        assert found.files == (str(old),)
        freed, skipped = await cleaner.remove(found.root, found.files)
    assert (freed > 0, skipped) == (True, ())
    assert sorted(os.listdir(tmp_path)) == ["new.bin", "opened.bin", "read.bin"]


async def test_a_cache_file_that_is_used_meanwhile_stays(tmp_path):
    old = tmp_path / "old.bin"
    old.write_bytes(b"x" * 900_000)
    clock = ManualClock(wall=time.time() + 10 * DAY_S)
    cleanup = CleanupSettings(root=str(tmp_path), kind="cache", quota_mb=1.0, target_percent=10.0)
    cleaner = Cleaner(lambda: (cleanup,), clock=clock)
    found = await cleaner.preview(f"folder:{tmp_path}")
    os.utime(old, (clock.wall(), old.stat().st_mtime))
    freed, skipped = await cleaner.remove(found.root, found.files)
    assert (freed, len(skipped)) == (0, 1)
    assert old.exists()


async def test_the_journal_and_its_room(tmp_path):
    (tmp_path / "system.journal").write_bytes(b"x" * 3_000_000)
    cleanup = CleanupSettings(root=str(tmp_path), kind="journal", quota_mb=2.0, target_percent=50.0)
    found = await Cleaner(lambda: (cleanup,)).preview(f"folder:{tmp_path}")
    assert (found.kind, found.target_bytes, found.files) == ("journal", 1_000_000, ())
    assert found.total_bytes >= 2_000_000
    with pytest.raises(ValueError, match="quota_mb"):
        CleanupSettings(root=str(tmp_path), kind="journal")


async def test_the_doctor_on_a_sound_and_on_an_odd_configuration(tmp_path):
    sound = make_settings({"daemon": {"state_dir": str(tmp_path)}}, checks=check_kinds())
    found = {each.name: each for each in await examined(sound)}
    assert found.keys() == {"python dependencies", "commands", "container engine", "network", "dns", "disk"}
    assert found["python dependencies"].state is ReadingState.OK
    assert found["disk"].state is ReadingState.OK
    odd = make_settings(
        {
            "daemon": {"state_dir": "/proc/none/state"},
            "containers": {"socket": "/nonexistent.sock"},
            "services": {
                "web": {
                    "control": {"type": "process", "command": ["no-such-program-here"]},
                    "checks": [
                        {"type": "http", "url": "http://no-such-name.invalid/"},
                        {"type": "command", "argv": ["no-such-plugin"]},
                    ],
                },
                "box": {"control": {"type": "container", "name": "box"}},
            },
        },
        checks=check_kinds(),
    )
    found = {each.name: each for each in await examined(odd)}
    assert found["commands"].message == "not found, or not executable: no-such-plugin, no-such-program-here"
    assert "no-such-name.invalid" in found["dns"].message
    assert "/nonexistent.sock" in found["container engine"].message
    assert found["disk"].state is ReadingState.FAILED
    assert all(each.advice for each in found.values() if each.state is ReadingState.FAILED)
    assert configuration("x.toml:3: nonsense", "x.toml").state is ReadingState.FAILED
    assert configuration("", "x.toml").state is ReadingState.OK
