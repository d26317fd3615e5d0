"""Rotating logs for real: by copy, by rename, on a disk full to its last byte, and broken off half-way."""

import gzip
import os
import subprocess
import sys
import textwrap

import pytest

from autonomyd.host import rotating
from autonomyd.host.rotating import RotationFailure, _opened, appears, rotate_by_copy, rotate_by_rename

LINES = [f"line {number} of the log\n" for number in range(2000)]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("".join(LINES))
    path.chmod(0o640)
    return path


def by_copy(log, **more):
    return rotate_by_copy(str(log), **{"keep": 2, "compress": True, "tail_bytes": 1000} | more)


def by_rename(log, reopen, **more):
    return rotate_by_rename(str(log), **{"keep": 2, "compress": True, "tail_bytes": 1000} | more, reopen=reopen)


def names(log):
    return sorted(os.listdir(log.parent))


def test_a_copy_is_packed_and_the_open_log_goes_on(log):
    with log.open("a") as writer:
        done = by_copy(log)
        writer.write("after\n")
    assert log.read_text() == "after\n"
    assert gzip.decompress((log.parent / "app.log.1.gz").read_bytes()).decode() == "".join(LINES)
    assert (log.parent / "app.log.1.gz").stat().st_mode & 0o777 == 0o640
    assert (done.cut, done.dropped, done.size) == (False, 0, len("".join(LINES)))


def test_older_ones_move_up_and_only_so_many_stay(log):
    for round_ in range(4):
        log.write_text(f"round {round_}\n")
        by_copy(log, compress=round_ % 2 == 0)
    assert names(log) == ["app.log", "app.log.1", "app.log.2.gz"]
    assert (log.parent / "app.log.1").read_text() == "round 3\n"
    assert gzip.decompress((log.parent / "app.log.2.gz").read_bytes()) == b"round 2\n"


def test_keep_none_leaves_the_newest_lines(log):
    done = by_copy(log, keep=0)
    assert names(log) == ["app.log"]
    assert log.read_text().splitlines()[-1] == LINES[-1].strip()
    assert log.stat().st_size <= 1000
    assert done.cut
    assert done.dropped == done.size - log.stat().st_size


def test_other_files_are_never_touched(log):
    others = ["app.log.bak", "app.log.conf", "other.log.1", "app.log.12345", "app.log.1.gz.tmp", "xapp.log.1"]
    for name in others:
        (log.parent / name).write_text("precious")
    (log.parent / "app.log.1").symlink_to(log.parent / "other.log.1")
    for _ in range(5):
        by_copy(log, keep=1, compress=False)
    assert all((log.parent / name).read_text() == "precious" for name in others)


def test_a_link_or_a_second_name_is_refused(log, tmp_path):
    link = tmp_path / "link.log"
    link.symlink_to(log)
    with pytest.raises(RotationFailure, match="symbolic link"):
        by_copy(link)
    os.link(log, tmp_path / "second.log")
    with pytest.raises(RotationFailure, match="one name"):
        by_copy(log)
    with pytest.raises(RotationFailure, match="not rotated"):
        by_copy(tmp_path / "none.log")
    assert log.read_text() == "".join(LINES)


def test_rename_and_a_service_that_opens_its_log_anew(log):
    def reopen():
        log.write_text("new\n")
        return True

    by_rename(log, reopen)
    assert log.read_text() == "new\n"
    assert gzip.decompress((log.parent / "app.log.1.gz").read_bytes()).decode() == "".join(LINES)


def test_rename_while_somebody_still_writes_is_packed_later(log):
    def reopen():
        log.write_text("new\n")
        return True

    with log.open("a") as old:
        done = by_rename(log, reopen)
        assert "may still be open" in done.note
        old.write("late\n")
    assert (log.parent / "app.log.1").read_text().endswith("late\n")
    by_rename(log, reopen)
    assert gzip.decompress((log.parent / "app.log.2.gz").read_bytes()).endswith(b"late\n")


def test_a_service_that_does_not_obey_gets_its_log_back(log):
    with pytest.raises(RotationFailure, match="its name back"):
        by_rename(log, lambda: False)
    assert names(log) == ["app.log"]
    assert log.read_text() == "".join(LINES)


def test_waiting_for_a_file(tmp_path):
    assert not appears(str(tmp_path / "none"), within_s=0.02)
    assert appears(str(tmp_path), within_s=0.02)


@pytest.mark.parametrize("point", ["_written", "move_up", "ftruncate"])
def test_broken_off_anywhere_nothing_is_lost(log, point, monkeypatch):
    """A crash at any point: every line is still in the log or in a rotation, and the next rotation goes well."""

    class Crash(BaseException):
        pass

    def crash(*args, **more):
        raise Crash

    if point == "ftruncate":
        monkeypatch.setattr(rotating.os, "ftruncate", crash)
    else:
        monkeypatch.setattr(rotating._Log, point, crash)
    with pytest.raises(Crash):
        by_copy(log)
    monkeypatch.undo()
    assert log.read_text() == "".join(LINES)
    by_copy(log, keep=3)
    assert gzip.decompress((log.parent / "app.log.1.gz").read_bytes()).decode() == "".join(LINES)


def test_a_cut_that_breaks_off_leaves_a_readable_log(log, monkeypatch):
    class Crash(BaseException):
        pass

    def crash(*args):
        raise Crash

    monkeypatch.setattr(rotating.os, "ftruncate", crash)
    with pytest.raises(Crash):
        by_copy(log, keep=0)
    monkeypatch.undo()
    text = log.read_text()
    assert text.endswith(LINES[-1])
    known = {line.strip() for line in LINES}
    assert sum(line not in known for line in text.splitlines()) <= 1, "only the line at the border may be cut"


FULL_DISK = """
    import os, subprocess, sys
    folder = sys.argv[1]
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder]).returncode:
        sys.exit(77)
    from autonomyd.host.rotating import rotate_by_copy
    with open(f"{folder}/data.db", "wb") as file:
        file.write(b"precious" * 1000)
    with open(f"{folder}/app.log.1", "wb") as file:
        file.write(b"old line\\n" * 30000)
    written = 0
    with open(f"{folder}/app.log", "ab", buffering=0) as log:
        try:
            while True:
                log.write(b"line %07d\\n" % written)
                written += 1
        except OSError as error:
            print(error.errno)
        print(os.statvfs(folder).f_bavail)
        done = rotate_by_copy(f"{folder}/app.log", keep=2, compress=True, tail_bytes=1_000_000)
        log.write(b"after\\n")
    text = open(f"{folder}/app.log", "rb").read()
    lines = text.splitlines()
    print(done.cut, lines[-1].endswith(b"after"), len(text) < 1_100_000, sorted(os.listdir(folder)))
    print(all(line.startswith(b"line ") and len(line) == 12 for line in lines[:-1]))
    print(open(f"{folder}/data.db", "rb").read() == b"precious" * 1000, done.freed > 2_000_000)
"""


def test_a_disk_full_to_the_last_byte(tmp_path):
    code = textwrap.dedent(FULL_DISK)
    argv = ["unshare", "--mount", sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": os.getcwd()})
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("needs the right to mount (root) and unshare of util-linux")
    assert done.stderr == ""
    told = done.stdout.splitlines()
    assert told[:2] == ["28", "0"]
    assert told[2] == "True True True ['app.log', 'data.db']"
    assert told[3:] == ["True", "True True"]


def test_the_list_of_old_ones(log):
    for name in ("app.log.2.gz", "app.log.1", "app.log.x", "app.log.10"):
        (log.parent / name).write_text("abc")
    with _opened(str(log)) as opened:
        found = opened.old()
    assert [(each.name, each.bytes) for each in found] == [
        ("app.log.1", 3),
        ("app.log.2.gz", 3),
        ("app.log.10", 3),
    ]
