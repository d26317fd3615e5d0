"""One real daemon and what goes wrong around a fix: bad playbooks, files that others edit meanwhile, a full disk."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from autonomyd.drill.services import free_ports
from tests.boxes.daemon import DaemonBox, environment, until

SERVER = """\
import http.server, json, sys
conf = json.load(open(sys.argv[1]))

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if conf["broken"] else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", conf["port"]), Handler).serve_forever()
"""
BY_HAND = '{"by": "hand"}\n'
BOOK = """\
name = "{name}"
causes = ["wrong_answers"]
services = ["{name}"]
rung = 0
roots = [{folder}]
"""
EDIT = '[[steps]]\ntype = "run"\nargv = ["cp", {hand}, {file}]\nundo = ["true"]\n'
NUMBER = """\
[[steps]]
type = "number"
name = "delay"
file = {file}
format = "json"
key = "delay"
floor = 1
ceiling = 100
factor = 2.0
"""
BAD = {
    "step": (BOOK + '[[steps]]\ntype = "explode"\n', 7, "expected one of run, number"),
    "undo": (BOOK + '[[steps]]\ntype = "run"\nargv = ["x"]\n', 6, "missing undo"),
    "roots": (BOOK + NUMBER.replace("{file}", '"/etc/hosts.json"'), 9, "outside the playbook's roots"),
    "twice": (BOOK + NUMBER.replace('"json"', '"source"').replace('key = "delay"', "pattern = 'D = (\\d+)'")
              .replace("{file}", "{source}"), 11, "matches 2"),
}  # fmt: skip


class Room:
    """A service of its own with a file, an edited copy of it, and a playbook."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir()
        self.folder, self.name = folder, folder.name
        self.conf, self.file, self.hand, self.source = (
            folder / name for name in ("conf.json", "tuned.json", "hand.json", "twice.py")
        )
        self.conf.write_text(json.dumps({"port": port, "broken": True}))
        self.file.write_text('{"delay": 10}\n')
        self.hand.write_text(BY_HAND)
        self.source.write_text("D = 1\nD = 2\n")
        self.table = f"""
[services.{self.name}]
control = {{ type = "process", command = [{json.dumps(sys.executable)}, {json.dumps(str(folder.parent / "server.py"))},
  {json.dumps(str(self.conf))}] }}
start_grace_s = 1.0
checks = [{{ type = "http", url = "http://127.0.0.1:{port}/", every_s = 0.3, timeout_s = 2.0 }}]
"""

    def filled(self, text: str, name: str = "") -> str:
        paths = {"folder": self.folder, "file": self.file, "hand": self.hand, "source": self.source}
        return text.format(name=name or self.name, **{key: json.dumps(str(path)) for key, path in paths.items()})


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("bad").resolve())
    (made.folder / "server.py").write_text(SERVER)
    rooms = [
        Room(made.folder / name, port) for name, port in zip(("before", "after"), free_ports(2, Random()), strict=True)
    ]
    made.rooms = {room.name: room for room in rooms}  # type: ignore[attr-defined]
    before, after = rooms
    books = made.folder / "playbooks.d"
    books.mkdir()
    (books / "before.toml").write_text(before.filled(BOOK + EDIT + NUMBER))
    (books / "after.toml").write_text(after.filled(BOOK + NUMBER + EDIT))
    for name, (text, _, _) in BAD.items():
        (books / f"bad-{name}.toml").write_text(before.filled(text, f"bad-{name}"))
    made.configure("".join(room.table for room in rooms))
    made.start()
    yield made
    made.close()


def fix_of(box: DaemonBox, strategy: str) -> Any:
    def ended() -> Any:
        return next((fix for fix in box.fixes() if fix["plan"]["strategy"] == strategy and fix["ended_at"]), None)

    return until(ended, f"a fix by {strategy}", within_s=60.0)


def test_bad_playbooks_are_refused_with_their_line_and_the_others_stay(box: DaemonBox) -> None:
    answer = box.get("/v1/playbooks")
    assert {"before", "after"} <= {each["name"] for each in answer["playbooks"]}
    problems = {Path(each["file"]).name: " ".join(each["problems"]) for each in answer["refused"]}
    assert set(problems) == {f"bad-{name}.toml" for name in BAD}
    for name, (_, line, words) in BAD.items():
        assert f"bad-{name}.toml:{line}:" in problems[f"bad-{name}.toml"]
        assert words in problems[f"bad-{name}.toml"]


def test_a_file_that_is_edited_before_it_is_written_stops_the_fix(box: DaemonBox) -> None:
    fix = fix_of(box, "before")
    room = box.rooms["before"]  # type: ignore[attr-defined]
    assert (fix["state"], fix["outcome"]) == ("rolled_back", "unverified"), fix["message"]
    assert f"{room.file} is not what it was: somebody changes it at the same time" in fix["message"]
    assert room.file.read_text() == BY_HAND, "what it did not write it does not restore"


def test_a_file_that_is_edited_after_it_was_written_is_left_as_it_is(box: DaemonBox) -> None:
    fix = fix_of(box, "after")
    room = box.rooms["after"]  # type: ignore[attr-defined]
    assert fix["outcome"] == "ineffective", fix["message"]
    assert f"{room.file} was changed by somebody else meanwhile and is left as it is" in fix["message"]
    assert room.file.read_text() == BY_HAND


class FullBox(DaemonBox):
    """Its state folder is a small disk of its own, in a mount namespace of the daemon's own."""

    def launch(self, *arguments: str) -> "subprocess.Popen[bytes]":
        self.state_dir.mkdir(exist_ok=True)
        mount = f'mount -t tmpfs -o size=16m,mode=700 tmpfs "{self.state_dir}" && exec "$@"'
        daemon = [sys.executable, "-m", "autonomyd.cli.daemon", "-c", str(self.config)]
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "daemon", *daemon]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, cwd=self.folder, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self._process

    @property
    def disk(self) -> Path:
        return Path(f"/proc/{self.process.pid}/root{self.state_dir}")

    def fill(self) -> None:
        with (self.disk / "fill").open("ab", buffering=0) as file:
            for size in (65536, 512, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue


def can_mount() -> bool:
    return (
        os.geteuid() == 0
        and shutil.which("unshare") is not None
        and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_mount(), reason="needs root, and unshare (apt-get install util-linux)")
def test_without_room_for_a_backup_nothing_is_written_until_there_is_room(tmp_path: Path) -> None:
    box = FullBox(tmp_path.resolve())
    (box.folder / "server.py").write_text(SERVER)
    room = Room(box.folder / "web", *free_ports(1, Random()))
    good = room.conf.read_text().replace("true", "false")
    room.conf.write_text(good)
    box.configure(room.table + f"restart = {{ max = 100 }}\nconfig_files = [{json.dumps(str(room.conf))}]\n")
    try:
        box.start().until_state("web")
        until(lambda: '"event": "known_good_kept"' in box.said(), "the file is known good")
        box.fill()
        broken = good.replace("false", "true")
        room.conf.write_text(broken)
        os.kill(box.service("web")["pid"], 9)
        until(lambda: "free space first" in box.said(), "it is told", within_s=60.0)
        assert "No space left" in json.dumps(box.status()) or "no space left" in json.dumps(box.status())
        assert room.conf.read_text() == broken, "nothing is written without a backup"
        (box.disk / "fill").unlink()
        until(lambda: room.conf.read_text() == good, "with room it is restored", within_s=90.0)
    finally:
        box.close()
