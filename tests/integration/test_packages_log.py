"""Package managers' logs as they lie on a disk: what is new is read once, cheaply, over rotation; hostile lines are
passed over."""

import os
import random
import time

import pytest

from autonomyd.host.packages import MOST, PackageChange, PackageLog, package_changes

NOON = time.mktime(time.strptime("2026-05-04 12:00:00", "%Y-%m-%d %H:%M:%S"))

DPKG = """\
2026-05-04 11:59:59 startup archives unpack
2026-05-04 12:00:00 install nginx:amd64 <none> 1.26.0-1
2026-05-04 12:00:00 status half-installed nginx:amd64 1.26.0-1
2026-05-04 12:00:01 upgrade libssl3:amd64 3.0.1 3.0.2
2026-05-04 12:00:02 configure nginx:amd64 1.26.0-1 <none>
2026-05-04 12:00:03 remove apache2:amd64 2.4.57 <none>
"""


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "dpkg.log"
    path.write_text(DPKG)
    return path


def test_dpkg():
    assert list(package_changes(DPKG.splitlines())) == [
        PackageChange(at=NOON, name="nginx", before=None, after="1.26.0-1"),
        PackageChange(at=NOON + 1, name="libssl3", before="3.0.1", after="3.0.2"),
        PackageChange(at=NOON + 3, name="apache2", before="2.4.57", after=None),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2024-05-01T10:00:00+0000 SUBDEBUG Upgrade: nginx-1:1.20.1-10.el9.x86_64", "nginx to 1.20.1-10.el9"),
        ("2024-05-01T10:00:00+0000 INFO Installed: nginx-1.20.1-10.el9.x86_64", "nginx 1.20.1-10.el9 (new)"),
        ("2024-05-01T12:00:00+0200 SUBDEBUG Erase: old-lib-2-1.noarch", "old-lib 2-1 (removed)"),
        ("[2024-05-01T10:00:00+0000] [ALPM] upgraded nginx (1.24.0-1 -> 1.26.0-1)", "nginx 1.24.0-1 to 1.26.0-1"),
        ("[2024-05-01T10:00:00+0000] [ALPM] installed vim (9.1-1)", "vim 9.1-1 (new)"),
        ("[2024-05-01T10:00:00+0000] [ALPM] removed vim (9.1-1)", "vim 9.1-1 (removed)"),
    ],
)
def test_dnf_and_pacman(line, words):
    (found,) = package_changes([line])
    assert found.words == words
    assert found.at == 1714557600.0


def test_the_first_look_tells_of_lately_and_the_next_of_what_is_new(log):
    packages = PackageLog([str(log)])
    assert [each.name for each in packages.look(since=NOON + 0.5)] == ["libssl3", "apache2"]
    assert packages.look(since=0.0) == ()
    with log.open("a") as file:
        file.write("2026-05-04 13:00:00 upgrade nginx:amd64 1.26.0-1 1.26.0-2\n")
    assert [each.words for each in packages.look(since=0.0)] == ["nginx 1.26.0-1 to 1.26.0-2"]
    assert packages.look(since=0.0) == ()


def test_rotation_loses_nothing(log):
    packages = PackageLog([str(log)])
    packages.look(since=NOON)
    with log.open("a") as file:
        file.write("2026-05-04 13:00:00 upgrade one:amd64 1 2\n")
    os.rename(log, f"{log}.1")
    log.write_text("2026-05-04 13:00:01 upgrade two:amd64 1 2\n")
    found = [each.name for _ in range(2) for each in packages.look(since=0.0)]
    assert found == ["one", "two"]


def test_a_log_that_appears_later_and_one_that_is_none(tmp_path):
    (tmp_path / "folder.log").mkdir()
    late = tmp_path / "late.log"
    packages = PackageLog([str(late), str(tmp_path / "folder.log")])
    assert packages.look(since=0.0) == ()
    late.write_text(DPKG)
    assert len(packages.look(since=0.0)) == 3


def test_hostile_lines_are_passed_over_in_time(log):
    noise = random.Random(1)
    lines = [
        "2026-13-45 99:99:99 install a:amd64 <none> 1",
        "9999-12-31 23:59:59 upgrade b:amd64 1",
        "2026-05-04 12:00:00 upgrade " + "x" * 1_000_000,
        "2026-05-04 12:00:00 install " + "y" * 190 + ":amd64 <none> " + "z" * 190,
        "[" * 100_000,
        "\x1b[31m\x00",
        *("".join(chr(noise.randrange(1, 0x3000)) for _ in range(200)) for _ in range(50)),
    ]
    with log.open("ab") as file:
        file.write(b"\xff\xfe\x00\n" + "\n".join(lines).encode())
    packages = PackageLog([str(log)])
    began = time.monotonic()
    found = packages.look(since=0.0)
    assert time.monotonic() - began < 1.0
    assert all(len(each.words) < 500 for each in found)


def test_more_than_anybody_installs_is_bounded(log):
    packages = PackageLog([str(log)])
    packages.look(since=0.0)
    with log.open("a") as file:
        file.writelines(f"2026-05-04 13:00:00 install p{number}:amd64 <none> 1\n" for number in range(2 * MOST))
    assert len(packages.look(since=0.0)) == MOST
