"""One real daemon: a bad configuration and a bad release are taken back, a playbook of the user acts and is undone."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from autonomyd.drill.services import free_ports
from tests.boxes.daemon import DaemonBox, until

APP = """\
import http.server, json, os, sys
here = sys.argv[1]
conf = json.load(open(here + "/app.json"))
code = int(open(here + "/current/answer").read())

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if conf["broken"] or os.path.exists(here + "/ill") else code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", conf["port"]), Handler).serve_forever()
"""
NAMES = ("value", "syntax", "gone", "release", "own")
MINE = """\
name = "mine"
causes = ["wrong_answers", "process_hung"]
services = ["own"]
rung = 0
roots = [{roots}]
validation = ["sleep", "60"]
validation_timeout_s = 0.5
[[steps]]
type = "number"
name = "delay"
file = {file}
format = "json"
key = "delay"
floor = 1
ceiling = 100
factor = 2.0
[[steps]]
type = "run"
argv = ["rm", "-f", {ill}]
undo = ["touch", {ill}]
[[steps]]
type = "restart"
"""


class App:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        for release, answer in (("v1", "200"), ("v2", "500")):
            (folder / release).mkdir(parents=True)
            (folder / release / "answer").write_text(answer)
        self.link = folder / "current"
        self.link.symlink_to("v1")
        self.config = folder / "app.json"
        self.config.write_text(
            json.dumps({"port": port, "broken": False, "delay": 10, "password": "hunter2"}, indent=1)
        )
        self.config.chmod(0o640)
        self.good = self.config.read_bytes()
        self.url = f"http://127.0.0.1:{port}/"

    def table(self, script: Path) -> str:
        words = json.dumps
        return f"""
[services.{self.folder.name}]
control = {{ type = "process", command = [{words(sys.executable)}, {words(str(script))}, {words(str(self.folder))}] }}
config_files = [{words(str(self.config))}]
release = {{ link = {words(str(self.link))} }}
start_grace_s = 2.0
checks = [{{ type = "http", url = {words(self.url)}, every_s = 0.5, timeout_s = 1.0 }}]
"""

    def switch(self, target: str) -> None:
        fresh = self.folder / "next"
        fresh.symlink_to(target)
        fresh.rename(self.link)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("good"))
    script = made.folder / "app.py"
    script.write_text(APP)
    apps = [App(made.folder / name, port) for name, port in zip(NAMES, free_ports(len(NAMES), Random()), strict=True)]
    made.apps = {app.folder.name: app for app in apps}  # type: ignore[attr-defined]
    made.configure("".join(app.table(script) for app in apps))
    own = made.folder / "own"
    books = made.folder / "playbooks.d"
    books.mkdir()
    fields = {"roots": own, "file": own / "app.json", "ill": own / "ill"}
    (books / "mine.toml").write_text(MINE.format(**{name: json.dumps(str(path)) for name, path in fields.items()}))
    (books / "bad.toml").write_text('name = "bad"\ncauses = ["process_gone"]\n[[steps]]\ntype = "run"\nargv = ["x"]\n')
    made.start()
    for name in NAMES:
        made.until_state(name)
    kept = '"event": "known_good_kept"'
    until(lambda: made.log.read_text().count(kept) == 2 * len(NAMES), "every file and link is known good")
    yield made
    made.close()


def app_of(box: DaemonBox, name: str) -> App:
    app: App = box.apps[name]  # type: ignore[attr-defined]
    return app


def restart(box: DaemonBox, name: str) -> None:
    """Somebody kills it, so that it starts with what its files say now."""
    os.kill(box.service(name)["pid"], 9)


def healed_by(box: DaemonBox, name: str, strategy: str) -> Any:
    def found() -> Any:
        return next(
            (
                fix
                for fix in box.fixes()
                if (fix["plan"]["service"], fix["plan"]["strategy"]) == (name, strategy) and fix["ended_at"]
            ),
            None,
        )

    fix = until(found, f"{strategy} of {name}", within_s=40.0)
    assert fix["outcome"] == "healed", fix["message"]
    box.until_state(name)
    return fix


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("value", lambda good: good.replace(b"false", b"true"), "broken"),
        ("syntax", lambda good: good.replace(b"{", b"{,"), "no valid JSON"),
    ],
)
def test_a_bad_configuration_gives_way_to_the_last_good_one(box: DaemonBox, name: str, content: Any, word: str) -> None:
    app = app_of(box, name)
    bad = content(app.good)
    app.config.write_bytes(bad)
    restart(box, name)
    fix = healed_by(box, name, "restore-last-good-config")
    assert app.config.read_bytes() == app.good
    assert app.config.stat().st_mode & 0o777 == 0o640
    (aside,) = app.folder.glob("app.json.autonomyd-bad-*[0-9]")
    assert aside.read_bytes() == bad
    assert aside.stat().st_mode & 0o777 == 0o640
    diff = Path(f"{aside}.diff").read_text()
    assert "+++" in diff
    assert "hunter2" not in diff
    assert word in " ".join(fix["plan"]["preview"])


def test_a_configuration_that_is_gone_comes_back(box: DaemonBox) -> None:
    app = app_of(box, "gone")
    app.config.unlink()
    restart(box, "gone")
    healed_by(box, "gone", "restore-last-good-config")
    assert app.config.read_bytes() == app.good
    assert app.config.stat().st_mode & 0o777 == 0o640


def test_a_bad_release_gives_way_to_the_last_good_one(box: DaemonBox) -> None:
    app = app_of(box, "release")
    app.switch("v2")
    restart(box, "release")
    healed_by(box, "release", "restore-last-good-release")
    assert os.readlink(app.link) == "v1"


def test_a_validation_that_hangs_shows_nothing_so_that_all_is_taken_back(box: DaemonBox) -> None:
    app = app_of(box, "own")
    (app.folder / "ill").touch()
    fix = until(
        lambda: next((fix for fix in box.fixes() if fix["plan"]["strategy"] == "mine" and fix["ended_at"]), None),
        "the user's playbook",
        within_s=40.0,
    )
    assert (fix["outcome"], fix["state"]) == ("unverified", "rolled_back")
    assert "could not tell" in fix["message"]
    assert app.config.read_bytes() == app.good
    assert (app.folder / "ill").exists()


def test_all_remedies_are_told_and_a_refused_file_with_its_line(box: DaemonBox) -> None:
    answer = box.get("/v1/playbooks")
    names = {each["name"]: each for each in answer["playbooks"]}
    assert names["start"]["source"] == "bundled"
    assert names["mine"]["source"] == str(box.folder / "playbooks.d" / "mine.toml")
    assert names["mine"]["yields"] == ["RestartService", "RunCommand", "SetNumber"]
    assert names["restore-last-good-config"]["reads"] == ["config", "service"]
    (refused,) = answer["refused"]
    assert "bad.toml:3: steps[0]: missing undo" in refused["problems"][0]


def test_a_reload_reads_the_playbooks_anew(box: DaemonBox) -> None:
    bad = box.folder / "playbooks.d" / "bad.toml"
    bad.write_text(bad.read_text() + 'undo = ["y"]\n')
    box.post("/v1/reload")
    until(lambda: not box.get("/v1/playbooks")["refused"], "the mended file is used")
    assert "bad" in {each["name"] for each in box.get("/v1/playbooks")["playbooks"]}
    bad.unlink()
    box.post("/v1/reload")
    until(lambda: "bad" not in {each["name"] for each in box.get("/v1/playbooks")["playbooks"]}, "it is gone")
