"""The state of a path taken and put back: real files, owners, modes, times, attributes, links, full disks."""

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autonomyd.host import filestate
from autonomyd.host.failure import FileRefused
from autonomyd.host.filestate import capture, drop_leftover, look, put, replaceable
from autonomyd.host.objects import ObjectError, ObjectStore
from autonomyd.model.change import ABSENT, FileKind, FileState, alike

OLD, NEW = b"delay = 0.8\n", b"delay = 1.2\n"


@pytest.fixture
def objects(tmp_path):
    return ObjectStore(tmp_path / "state" / "objects")


@pytest.fixture
def conf(tmp_path):
    folder = tmp_path.resolve() / "etc"
    folder.mkdir()
    path = folder / "app.conf"
    path.write_bytes(OLD)
    path.chmod(0o640)
    os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_001_987_654_321))
    return path


def put_new(path, objects, content=NEW, **more):
    before = capture(str(path), objects)
    after = FileState(
        kind=FileKind.FILE, sha256=objects.put(content), mode=before.mode or 0o600, uid=before.uid, gid=before.gid,
        xattrs=before.xattrs,
    )  # fmt: skip
    put(str(path), after, expected=before, objects=objects, mark="m", **{"times": False} | more)
    return before, after


def with_xattr(path):
    try:
        os.setxattr(path, "user.note", b"\x00kept\xff")
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return False
        raise
    return True


def test_a_write_keeps_owner_mode_and_attributes_and_the_way_back_restores_the_times_too(conf, objects):
    attributes = with_xattr(conf)
    if os.geteuid() == 0:
        os.chown(conf, 12345, 54321)
    found = conf.stat()
    before, after = put_new(conf, objects)
    assert conf.read_bytes() == NEW
    assert alike(look(str(conf)), after)
    changed = conf.stat()
    assert (changed.st_mode, changed.st_uid, changed.st_gid) == (found.st_mode, found.st_uid, found.st_gid)
    assert changed.st_mtime_ns > found.st_mtime_ns
    put(str(conf), before, expected=after, objects=objects, mark="m", times=True)
    back = conf.stat()
    assert conf.read_bytes() == OLD
    assert (back.st_mtime_ns, back.st_mode) == (found.st_mtime_ns, found.st_mode)
    assert not attributes or os.getxattr(conf, "user.note") == b"\x00kept\xff"
    assert os.listdir(conf.parent) == ["app.conf"]


def test_a_file_can_be_made_and_unmade_removed_and_brought_back(conf, objects):
    made = conf.with_name("aside")
    _, after = put_new(made, objects)
    put(str(made), ABSENT, expected=after, objects=objects, mark="m", times=False)
    assert not made.exists()
    before = capture(str(conf), objects)
    put(str(conf), ABSENT, expected=before, objects=objects, mark="m", times=False)
    assert not conf.exists()
    put(str(conf), before, expected=ABSENT, objects=objects, mark="m", times=True)
    assert conf.read_bytes() == OLD
    assert conf.stat().st_mtime_ns == before.mtime_ns


def test_a_link_is_switched_and_switched_back_without_being_followed(conf, objects):
    link = conf.with_name("current")
    link.symlink_to("releases/2")
    before = capture(str(link), objects)
    assert (before.kind, before.target) == (FileKind.LINK, "releases/2")
    after = FileState(kind=FileKind.LINK, target="releases/1", uid=before.uid, gid=before.gid)
    put(str(link), after, expected=before, objects=objects, mark="m", times=False)
    assert os.readlink(link) == "releases/1"
    put(str(link), before, expected=after, objects=objects, mark="m", times=True)
    assert os.readlink(link) == "releases/2"
    assert os.lstat(link).st_mtime_ns == before.mtime_ns


def test_a_file_that_somebody_changed_meanwhile_is_left_as_it_is(conf, objects):
    before = capture(str(conf), objects)
    conf.write_bytes(b"by hand\n")
    with pytest.raises(FileRefused, match="somebody changes it") as refused:
        put(str(conf), before, expected=before, objects=objects, mark="m", times=False)
    assert refused.value.unfit
    assert conf.read_bytes() == b"by hand\n"
    assert os.listdir(conf.parent) == ["app.conf"]


def test_no_link_on_the_way_is_followed(conf, objects, tmp_path):
    (tmp_path / "door").symlink_to(conf.parent)
    through = tmp_path.resolve() / "door" / "app.conf"
    with pytest.raises(FileRefused, match=r"through the symbolic link .*door: name the real path"):
        capture(str(through), objects)


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/a//b", "/a/", "/a/./b", "/nul\0"])
def test_only_a_plain_absolute_path_is_taken(path):
    with pytest.raises(FileRefused, match="no absolute, plain path"):
        look(path)


def test_what_is_no_file_is_refused_and_a_pipe_is_not_waited_for(conf, objects):
    os.mkfifo(conf.with_name("pipe"))
    for name in ("pipe", "."):
        with pytest.raises(FileRefused, match=r"neither a file nor a link|plain path"):
            look(str(conf.parent / name) if name != "." else f"{conf.parent}/.")
    with pytest.raises(FileRefused, match="neither a file nor a link"):
        look(str(conf.parent))
    with pytest.raises(FileRefused, match="no such file"):
        look(str(conf.parent / "missing" / "x"))


def test_a_file_with_two_names_is_refused_before_anything_is_done(conf):
    os.link(conf, conf.with_name("other"))
    with pytest.raises(FileRefused, match="2 names"):
        replaceable(str(conf))


def test_an_immutable_file_is_refused_with_the_word_for_it(conf):
    if subprocess.run(["chattr", "+i", conf], capture_output=True).returncode != 0:
        pytest.skip("this filesystem has no immutable flag, or this is not root")
    try:
        with pytest.raises(FileRefused, match="immutable"):
            replaceable(str(conf))
    finally:
        subprocess.run(["chattr", "-i", conf], check=True)


@pytest.mark.real
def test_a_read_only_mount_is_refused_with_the_word_for_it(tmp_path):
    script = """
import subprocess, sys
from autonomyd.host.failure import FileRefused
from autonomyd.host.filestate import replaceable
subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", sys.argv[1]], check=True)
try:
    replaceable(sys.argv[1] + "/app.conf")
except FileRefused as error:
    print(error)
"""
    own_mounts = ["unshare", "--mount", sys.executable, "-c", script, str(tmp_path.resolve())]
    done = subprocess.run(own_mounts, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    if done.returncode != 0:
        pytest.skip(f"needs the right to mount (root): {done.stderr[-200:]}")
    assert "mounted read-only" in done.stdout


def test_a_disk_that_is_full_leaves_everything_as_it_was(conf, objects, monkeypatch):
    before = capture(str(conf), objects)
    after = FileState(kind=FileKind.FILE, sha256=objects.put(NEW), mode=0o640, uid=before.uid, gid=before.gid)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(filestate.os, "fsync", full)
    with pytest.raises(FileRefused, match="the disk is full: free space first") as refused:
        put(str(conf), after, expected=before, objects=objects, mark="m", times=False)
    assert refused.value.unfit
    assert conf.read_bytes() == OLD
    assert os.listdir(conf.parent) == ["app.conf"]


def test_what_a_crash_left_is_removed_and_no_other_mark_is_touched(conf, objects):
    ours = filestate._temporary("app.conf", "7")
    theirs = filestate._temporary("app.conf", "8")
    for name in (ours, theirs):
        conf.with_name(name).write_bytes(b"half")
    drop_leftover(str(conf), "7")
    assert sorted(os.listdir(conf.parent)) == sorted(["app.conf", theirs])


def test_a_name_of_full_length_can_be_written(conf, objects):
    long = conf.with_name("x" * 255)
    put_new(long, objects)
    assert long.read_bytes() == NEW


# --- the object store ------------------------------------------------------------------------------------------------


def test_content_is_kept_once_under_its_hash_and_readable_by_nobody_else(objects):
    sha256 = objects.put(OLD)
    assert sha256 == hashlib.sha256(OLD).hexdigest() == objects.put(OLD)
    assert objects.get(sha256) == OLD
    assert [path.name for path in objects.folder.iterdir()] == [sha256]
    assert (objects.folder / sha256).stat().st_mode & 0o777 == 0o600
    assert objects.folder.stat().st_mode & 0o777 == 0o700


def test_a_damaged_object_is_told_and_put_anew_by_whoever_has_the_content(objects):
    sha256 = objects.put(OLD)
    (objects.folder / sha256).write_bytes(b"rotten")
    with pytest.raises(ObjectError, match="damaged"):
        objects.get(sha256)
    objects.put(OLD)
    assert objects.get(sha256) == OLD
    (objects.folder / sha256).unlink()
    with pytest.raises(ObjectError, match="missing"):
        objects.get(sha256)
    with pytest.raises(ObjectError, match="no SHA-256"):
        objects.get("../../etc/passwd")


def test_what_is_too_large_is_refused(tmp_path):
    small = ObjectStore(tmp_path / "objects", limit_bytes=10)
    with pytest.raises(ObjectError, match="MB"):
        small.put(b"x" * 11)
    assert small.get(small.put(b"x" * 10)) == b"x" * 10


def test_only_what_nobody_names_and_is_not_young_is_collected(objects):
    old, named, young = objects.put(b"old"), objects.put(b"named"), objects.put(b"young")
    wall = (objects.folder / old).stat().st_mtime
    for each in (old, named):
        os.utime(objects.folder / each, (wall - 7200, wall - 7200))
    assert objects.collect({named}, wall=wall) == 3
    assert {path.name for path in objects.folder.iterdir()} == {named, young}
    assert objects.collect(set(), wall=wall + 7200) == 10
    objects.put(b"again")
    assert ObjectStore(objects.folder / "never made").collect(set(), wall=wall) == 0


def test_to_put_what_is_there_makes_it_young_again(objects):
    sha256 = objects.put(OLD)
    os.utime(objects.folder / sha256, (1, 1))
    wall = objects.folder.stat().st_mtime
    objects.put(OLD)
    assert objects.collect(set(), wall=wall) == 0


def test_a_full_disk_leaves_no_half_object(objects, monkeypatch):
    objects.put(OLD)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(filestate.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        objects.put(NEW)
    assert len(list(objects.folder.iterdir())) == 1
