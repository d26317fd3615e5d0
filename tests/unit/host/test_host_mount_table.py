"""Which mounts are disks, which are remote, and that a remote one is never touched to find out."""

import os
from pathlib import Path

import pytest

from autonomyd.host import mounts as module
from autonomyd.host.mounts import Mount, disks, is_local, mount_of, parse_mountinfo, read_mounts, remotes


def mount(
    point: str, fs_type: str = "ext4", *, device: str = "8:1", source: str = "/dev/sda1", root: str = "/"
) -> Mount:
    return Mount(point=point, device=device, root=root, fs_type=fs_type, source=source)


def test_mountinfo_with_optional_fields_and_escapes() -> None:
    (first, second) = parse_mountinfo(
        b"27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\n"
        b"28 27 0:40 / /mnt/with\\040space ro,nosuid - nfs4 server:/x\\134y rw,vers=4\n"
    )
    assert first == Mount(point="/", device="254:0", root="/", fs_type="ext4", source="/dev/vda")
    assert (second.point, second.source, second.read_only) == ("/mnt/with space", "server:/x\\y", True)


def test_garbage_lines_are_passed_over() -> None:
    assert parse_mountinfo(b"\n - \nabc\n1 2 3\n") == ()


def test_a_covered_mount_is_left_out() -> None:
    found = parse_mountinfo(b"1 0 8:1 / /a rw - ext4 /dev/sda1 rw\n2 0 8:2 / /a rw - xfs /dev/sda2 rw\n")
    assert [each.fs_type for each in found] == ["xfs"]


def test_disks_are_the_real_local_filesystems_once_each(tmp_path: Path) -> None:
    folder = str(tmp_path)
    found = disks(
        [
            mount("/"),
            mount(folder, root="/srv"),  # a bind mount of the same
            mount("/proc", "proc", device="0:1", source="proc"),
            mount("/run", "tmpfs", device="0:2", source="tmpfs"),
            mount("/usr", "squashfs", device="7:0", source="/dev/loop0"),
            mount("/dev", "ext4", device="8:3", source="/dev/sdc"),
            mount("/sys", "nfs4", device="0:9", source="server:/x"),
        ]
    )
    assert [each.point for each in found] == ["/", "/dev"]


def test_a_file_that_is_a_bind_mount_is_no_disk(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.touch()
    assert disks([mount("/", "overlay", device="0:50", source="overlay"), mount(str(file))])[0].point == "/"
    assert len(disks([mount(str(file))])) == 0


def test_subvolumes_of_one_disk_are_one(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    found = disks(
        [
            mount(str(tmp_path), "btrfs", device="0:31", root="/@"),
            mount(str(tmp_path / "home"), "btrfs", device="0:32", root="/@home"),
        ]
    )
    assert [each.point for each in found] == [str(tmp_path)]


@pytest.mark.parametrize(
    ("fs_type", "remote"),
    [("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("9p", True), ("fuseblk", False), ("ext4", False)],
)
def test_remote_types(fs_type: str, remote: bool) -> None:
    assert mount("/x", fs_type).is_remote is remote


def test_remotes_leave_automount_points_alone() -> None:
    found = remotes([mount("/b", "nfs"), mount("/a", "autofs"), mount("/c", "ext4")])
    assert [each.point for each in found] == ["/b"]


def test_the_deepest_mount_holds_a_path() -> None:
    known = [mount("/"), mount("/var"), mount("/var/log")]
    points = [
        each.point if (each := mount_of(path, known)) else None for path in ("/", "/v", "/var", "/var/lo", "/var/log/x")
    ]
    assert points == ["/", "/", "/var", "/var", "/var/log"]


def test_a_link_into_a_remote_mount_is_not_local_and_the_mount_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = tmp_path / "remote"
    remote.mkdir()
    (tmp_path / "link").symlink_to("remote/deep/file")
    (tmp_path / "round").symlink_to("round")
    known = [mount("/"), mount(str(remote), "nfs4")]
    real_readlink = os.readlink

    def readlink(path: str) -> str:
        assert not path.startswith(str(remote)), "a hung server would hang this"
        return real_readlink(path)

    monkeypatch.setattr(module.os, "readlink", readlink)
    assert not is_local(str(tmp_path / "link"), known)
    assert not is_local(str(remote / "x"), known)
    assert not is_local(str(tmp_path / "link" / ".." / "x"), known)
    assert is_local(str(tmp_path / "not-there" / "x"), known)
    assert is_local(str(tmp_path / "round"), known)
    assert is_local("/", known)


def test_this_machine_has_a_root() -> None:
    assert any(each.point == "/" for each in read_mounts())
