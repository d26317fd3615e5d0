"""Real files: facts, checksums, tails, sizes, rotated logs, and the attacks on their removal."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomyd.host import rotated
from autonomyd.host.failure import RemovalRefused
from autonomyd.host.files import file_facts, file_sha256, folder_size, tail_lines
from autonomyd.host.opened import OpenFiles, is_open_elsewhere, open_files
from autonomyd.host.rotated import RotatedFile, remove_checked, rotated_logs


def write(path: Path, size: int = 10_000, mtime: float = 1_000.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (mtime, mtime))
    return path


def the_one(root: Path) -> RotatedFile:
    (found,) = rotated_logs(str(root)).files
    return found


# Facts


def test_age_and_size(tmp_path: Path) -> None:
    facts = file_facts(str(write(tmp_path / "beat", size=7, mtime=1000.0)), wall=1030.0)
    assert facts is not None
    assert (facts.size, facts.mtime, facts.age_s, facts.is_file, facts.unknown) == (7, 1000.0, 30.0, True, "")
    future = file_facts(str(tmp_path / "beat"), wall=900.0)
    assert future is not None
    assert future.age_s == -100.0


def test_nothing_there_and_something_unreadable(tmp_path: Path) -> None:
    assert file_facts(str(tmp_path / "none"), wall=0.0) is None
    assert file_facts(str(write(tmp_path / "file") / "below"), wall=0.0) is None
    (tmp_path / "round").symlink_to("round")
    found = file_facts(str(tmp_path / "round"), wall=0.0)
    assert found is not None
    assert "symbolic links" in found.unknown
    nul = file_facts("a\0b", wall=0.0)
    assert nul is not None
    assert nul.unknown


def test_the_checksum_is_bounded_and_of_files_only(tmp_path: Path) -> None:
    file = write(tmp_path / "file", size=3)
    assert file_sha256(str(file)) == "cd2eb0837c9b4c962c22d2ff8b5441b7b45805887f051d39bf133b583baf6860"
    assert file_sha256(str(file), limit_bytes=2) is None
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        file_sha256(str(tmp_path / "pipe"))


# Tails


def test_the_last_lines(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_bytes(b"one\r\ntwo\n\n\xff four\nfive")
    assert tail_lines(str(file), 3) == ("", "\ufffd four", "five")
    assert tail_lines(str(file), 99)[0] == "one"
    assert tail_lines(str(file), 0) == ()
    assert tail_lines(str(file), 99, limit_bytes=12) == ("", "\ufffd four", "five")
    assert tail_lines(str(file), 99, limit_bytes=3) == ("ive",)
    file.write_bytes(b"")
    assert tail_lines(str(file), 3) == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20), max_size=20),
    st.integers(1, 25),
    st.integers(1, 500),
)
def test_a_tail_is_the_end_of_the_file(tmp_path: Path, lines: list[str], count: int, limit: int) -> None:
    file = tmp_path / "log"
    file.write_bytes("".join(line + "\n" for line in lines).encode())
    assert tail_lines(str(file), count) == tuple(lines[-count:])
    cut = tail_lines(str(file), count, limit_bytes=limit)
    assert len(cut) <= count
    whole = [line for line in cut[1:] if line]
    assert whole == [line for line in lines[len(lines) - len(cut) + 1 :] if line]


# Sizes


def test_a_folder_takes_its_blocks_once_and_not_those_behind_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    file = write(root / "deep" / "file", size=100_000)
    os.link(file, root / "again")
    (root / "link").symlink_to(write(tmp_path / "outside", size=900_000))
    (root / "folder").symlink_to(tmp_path)
    found = folder_size(str(root))
    assert 100_000 <= found.bytes < 200_000
    assert found.incomplete == ""
    assert folder_size(str(root), entry_limit=1).incomplete
    assert folder_size(str(tmp_path / "none")).incomplete


# Rotated logs


def test_rotated_logs_come_oldest_first_and_nothing_else_does(tmp_path: Path) -> None:
    root = tmp_path / "log"
    write(root / "app.log", mtime=9.0)
    write(root / "app.log.1", mtime=8.0)
    write(root / "deep" / "er" / "app.log.2.gz", mtime=2.0)
    write(root / "journal" / "x.log.1")
    write(root / "my-backups" / "x.log.1")
    write(root / "keep" / "x.log.1")
    write(root / "app.log.3", mtime=3.0)
    write(root / "app.log.bak")
    outside = write(tmp_path / "outside" / "y.log.1")
    (root / "z.log.1").symlink_to(outside)
    (root / "elsewhere").symlink_to(outside.parent)
    os.mkfifo(root / "pipe.log.1")
    found = rotated_logs(str(root), protect=[str(root / "keep"), str(root / "app.log.3")])
    assert [Path(each.path).name for each in found.files] == ["app.log.2.gz", "app.log.1"]
    assert found.total_bytes == sum(each.bytes for each in found.files) >= 20_000
    assert (found.incomplete, found.truncated) == ("", False)


def test_another_filesystem_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "x.log.1")
    real = os.stat

    class Moved:
        def __init__(self, found: os.stat_result) -> None:
            self.st_dev = found.st_dev + 1
            self.st_mode = found.st_mode

    monkeypatch.setattr(rotated.os, "stat", lambda path: Moved(real(path)))
    assert rotated_logs(str(tmp_path)).files == ()


def test_a_huge_folder_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 9):
        write(tmp_path / f"x.log.{number}")
    monkeypatch.setattr(rotated, "ENTRY_LIMIT", 5)
    found = rotated_logs(str(tmp_path))
    assert (len(found.files), found.truncated) == (5, True)


def test_an_open_file_is_never_listed_nor_removed(tmp_path: Path) -> None:
    file = write(tmp_path / "x.log.1")
    closed = the_one(tmp_path)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nopen(sys.argv[1])\nf = open(sys.argv[1])\nprint(flush=True)\nsys.stdin.read()",
            file,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert (closed.device, closed.inode) in open_files([str(tmp_path)]).files
        assert rotated_logs(str(tmp_path)).files == ()
        with pytest.raises(RemovalRefused, match="is open"):
            remove_checked(closed, root=str(tmp_path))
        holder.communicate(b"")
    assert remove_checked(closed, root=str(tmp_path)) == closed.bytes
    assert not file.exists()


def test_the_kernel_tells_who_else_has_it_open(tmp_path: Path) -> None:
    file = write(tmp_path / "x")
    with file.open("rb") as mine:
        if is_open_elsewhere(mine.fileno()) is None:
            pytest.skip("no leases on this filesystem")
        assert is_open_elsewhere(mine.fileno()) is False
        with file.open("rb"):
            assert is_open_elsewhere(mine.fileno()) is True
        with file.open("ab"):
            assert is_open_elsewhere(mine.fileno()) is True
        assert is_open_elsewhere(mine.fileno()) is False


def test_what_cannot_be_seen_makes_it_incomplete_unless_the_kernel_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.log.1")
    blind = OpenFiles(files=frozenset(), incomplete="no permission to see the open files of process 7")
    assert rotated_logs(str(tmp_path), opened=blind).incomplete == ""
    with open(tmp_path / "x.log.1", "rb"):
        assert rotated_logs(str(tmp_path), opened=blind).files == ()
    monkeypatch.setattr(rotated, "is_open_elsewhere", lambda handle, hold=False: None)
    found = rotated_logs(str(tmp_path), opened=blind)
    assert found.incomplete == blind.incomplete
    monkeypatch.setattr(rotated, "open_files", lambda roots, but_not_own: blind)
    with pytest.raises(RemovalRefused, match="no permission"):
        remove_checked(found.files[0], root=str(tmp_path))
    assert (tmp_path / "x.log.1").exists()


# Removal


def test_a_hard_linked_file_frees_nothing(tmp_path: Path) -> None:
    os.link(write(tmp_path / "x.log.1"), tmp_path / "other")
    assert remove_checked(the_one(tmp_path), root=str(tmp_path)) == 0


def write_into(root: Path, victim: Path) -> None:
    with (root / "deep" / "x.log.1").open("ab") as file:
        file.write(b"more")


def replace_file(root: Path, victim: Path) -> None:
    os.replace(write(root / "new"), root / "deep" / "x.log.1")


def swap_file_for_link(root: Path, victim: Path) -> None:
    (root / "deep" / "x.log.1").unlink()
    (root / "deep" / "x.log.1").symlink_to(victim)


def swap_file_for_hard_link(root: Path, victim: Path) -> None:
    (root / "deep" / "x.log.1").unlink()
    os.link(victim, root / "deep" / "x.log.1")


def swap_folder_for_link(root: Path, victim: Path) -> None:
    (root / "deep").rename(root / "moved")
    (root / "deep").symlink_to(victim.parent)


def swap_file_for_pipe(root: Path, victim: Path) -> None:
    (root / "deep" / "x.log.1").unlink()
    os.mkfifo(root / "deep" / "x.log.1")


def swap_file_for_socket(root: Path, victim: Path) -> None:
    (root / "deep" / "x.log.1").unlink()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as sock:
        sock.bind(str(root / "deep" / "x.log.1"))


def remove_it(root: Path, victim: Path) -> None:
    (root / "deep" / "x.log.1").unlink()


@pytest.mark.parametrize(
    "attack",
    [
        write_into,
        replace_file,
        swap_file_for_link,
        swap_file_for_hard_link,
        swap_folder_for_link,
        swap_file_for_pipe,
        swap_file_for_socket,
        remove_it,
    ],
)
def test_what_changed_since_it_was_found_is_left_alone(tmp_path: Path, attack: Callable[[Path, Path], None]) -> None:
    root = tmp_path / "log"
    victim = write(tmp_path / "precious" / "x.log.1")
    write(root / "deep" / "x.log.1")
    found = the_one(root)
    attack(root, victim)
    before = {path: path.lstat().st_ino for path in tmp_path.rglob("*")}
    with pytest.raises(RemovalRefused):
        remove_checked(found, root=str(root))
    assert {path: path.lstat().st_ino for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("path", ["../precious/x.log.1", "deep/../../precious/x.log.1", "..", ".", "/etc/x.log.1"])
def test_nothing_outside_of_the_root_is_removed(tmp_path: Path, path: str) -> None:
    root = tmp_path / "log"
    victim = write(tmp_path / "precious" / "x.log.1")
    found = replace(the_one(victim.parent), path=os.path.join(root, path))
    root.mkdir()
    with pytest.raises(RemovalRefused):
        remove_checked(found, root=str(root))
    assert victim.exists()


def test_a_file_that_is_no_rotated_log_is_not_removed_whatever_was_planned(tmp_path: Path) -> None:
    write(tmp_path / "x.log.1")
    found = the_one(tmp_path)
    os.rename(found.path, tmp_path / "database")
    with pytest.raises(RemovalRefused, match="does not look like"):
        remove_checked(replace(found, path=str(tmp_path / "database")), root=str(tmp_path))


def test_a_root_behind_a_link_is_followed_once(tmp_path: Path) -> None:
    write(tmp_path / "real" / "x.log.1")
    (tmp_path / "link").symlink_to("real")
    found = rotated_logs(str(tmp_path / "link"))
    assert found.root == str(tmp_path / "real")
    assert remove_checked(found.files[0], root=str(tmp_path / "link")) > 0


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    for number in range(1, 4):
        write(tmp_path / "deep" / f"x.log.{number}")
    for each in rotated_logs(str(tmp_path)).files:
        remove_checked(each, root=str(tmp_path))
    with pytest.raises(RemovalRefused):
        remove_checked(each, root=str(tmp_path))
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert not [path for path in tmp_path.rglob("*") if stat.S_ISREG(path.lstat().st_mode)]
