"""What is shipped beside the code, without a machine to install it on: the plist, the wheel, `make install-files`."""

import plistlib
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"


def test_launchd_plist_keeps_the_daemon_up_and_its_services_alive() -> None:
    plist = PACKAGING / "launchd" / "io.github.autonomyd.plist"
    job = plistlib.loads(plist.read_bytes())
    assert job["Label"] == plist.stem
    assert job["KeepAlive"] is True
    assert job["AbandonProcessGroup"] is True
    assert job["ProgramArguments"][0].endswith("/autonomyd")


def test_install_files_puts_each_file_in_its_place(tmp_path: Path) -> None:
    install = ["make", "--silent", "install-files", f"DESTDIR={tmp_path}", "PREFIX=/opt/a"]
    subprocess.run(install, cwd=ROOT, check=True, capture_output=True, text=True)
    found = {str(path.relative_to(tmp_path / "opt/a")) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "lib/systemd/system/autonomyd.service",
        "lib/sysusers.d/autonomyd.conf",
        "lib/tmpfiles.d/autonomyd.conf",
        "share/doc/autonomyd/10-files.conf",
        "share/doc/autonomyd/20-services.conf",
        "share/doc/autonomyd/LICENSE",
        "share/doc/autonomyd/README.md",
        "share/doc/autonomyd/autonomyd.toml",
    }
    unit = (tmp_path / "opt/a/lib/systemd/system/autonomyd.service").read_text()
    assert "\nExecStart=/opt/a/bin/autonomyd\n" in unit
    assert "/usr/share/doc" not in unit


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that was built now, with the build back end of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("autonomyd-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_carries_every_file_of_the_package(wheel_names: set[str]) -> None:
    package = ROOT / "autonomyd"
    files = {
        str(path.relative_to(ROOT))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert files - wheel_names == set()
    assert "autonomyd/py.typed" in wheel_names
    assert any(name.endswith(".sql") for name in wheel_names)


def test_wheel_carries_nothing_else(wheel_names: set[str]) -> None:
    assert {name.split("/")[0].split("-")[0] for name in wheel_names} == {"autonomyd"}


def test_sdist_includes_what_a_packager_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    include = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {"autonomyd", "etc", "packaging", "docs", "tests", "README.md", "CHANGELOG.md", "LICENSE"} <= set(include)
    assert [name for name in include if not (ROOT / name).exists()] == []
    assert (ROOT / "etc" / "autonomyd.toml").is_file()


def test_constraints_pin_every_requirement_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(each for group in project["project"]["optional-dependencies"].values() for each in group),
        *(each for group in project["dependency-groups"].values() for each in group),
    ]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    pinned = {_normal(line.split("==")[0]) for line in lines}
    assert {_normal(re.split(r"[^\w.-]", each)[0]) for each in named} - pinned == set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
