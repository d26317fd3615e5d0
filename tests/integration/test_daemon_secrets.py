"""One real daemon over services whose secrets turn up everywhere: nothing that it tells or keeps shows one."""

import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from autonomyd.drill.services import free_ports
from tests.boxes.daemon import DaemonBox, until
from tests.boxes.receiver import Receiver

pytest.importorskip("apprise", reason="Apprise is not installed: pip install 'autonomyd[alerts]'")

SECRET = "s3cret-Pa55"
APP = """\
import http.server, json, os, sys, time
conf = json.load(open(sys.argv[1]))
log = open(sys.argv[1] + ".log", "a", buffering=1)
print("connected as postgresql://app:SECRET@db/app", flush=True)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"error: login with password=SECRET refused" if conf["broken"] else b"ready"
        if conf["broken"]:
            log.write("OperationalError: could not connect to postgresql://app:SECRET@db/app password='SECRET'\\n")
        self.send_response(500 if conf["broken"] else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", conf["port"]), Handler).serve_forever()
""".replace("SECRET", SECRET)
SERVICES = """
[services.web]
control.type = "process"
control.command = [{python}, {app}, {conf}, "--password", "{secret}", "--token={secret}"]
control.env = {{ DB_PASSWORD = "{secret}" }}
config_files = [{conf}]
logs = [{log}]
start_grace_s = 2.0
[[services.web.checks]]
type = "http"
url = "http://127.0.0.1:{port}/?token={secret}"
headers = {{ Authorization = "Bearer {secret}" }}
contains = "ready"
every_s = 0.5
timeout_s = 2.0
[[services.web.checks]]
type = "log"
file = {log}
patterns = ["OperationalError"]
every_s = 0.5
[[services.web.checks]]
type = "command"
argv = [{python}, "-c", "print('password={secret}')", "--api-key", "{secret}"]
every_s = 1.0
[[services.dead.checks]]
type = "command"
argv = [{python}, "-c", "print('password={secret}'); import sys; sys.exit(2)", "--api-key", "{secret}"]
every_s = 1.0
[services.db]
autonomy = "observe"
control = {{ type = "process", command = ["sleep", "10000"] }}
checks = [
  {{ type = "postgres", dsn = "postgresql://app:{secret}@127.0.0.1:{closed}/app", every_s = 0.5 }},
  {{ type = "redis", url = "redis://:{secret}@127.0.0.1:{closed}/0", every_s = 0.5 }},
  {{ type = "mysql", url = "mysql://app:{secret}@127.0.0.1:{closed}/app", every_s = 0.5 }},
]
[services.dead]
control.type = "process"
control.command = [{python}, "-c", "import sys; sys.exit('password={secret} is refused')", "--password", "{secret}"]
[alerts]
targets = {{ team = "json://me:{secret}@127.0.0.1:{receiver}/hook" }}
settle_s = 0
"""
PLAYBOOK = """\
name = "mine"
causes = ["process_gone"]
services = ["dead"]
rung = 0
[[steps]]
type = "run"
argv = ["/bin/sh", "{script}", "--password", "{secret}"]
undo = ["/bin/true", "--token", "{secret}"]
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("secrets"))
    port, closed = free_ports(2, Random())
    app, conf, script = (made.folder / name for name in ("app.py", "web.json", "refuse.sh"))
    app.write_text(APP)
    conf.write_text(json.dumps({"port": port, "broken": False, "password": SECRET}, indent=1))
    Path(f"{conf}.log").touch()
    script.write_text(f"echo token: {SECRET} >&2; exit 3\n")
    books = made.folder / "playbooks.d"
    books.mkdir()
    (books / "mine.toml").write_text(PLAYBOOK.format(script=script, secret=SECRET))
    words = {"python": sys.executable, "app": str(app), "conf": str(conf), "log": f"{conf}.log"}
    quoted = {name: json.dumps(word) for name, word in words.items()}
    made.configure(SERVICES.format(**quoted, secret=SECRET, port=port, closed=closed, receiver=receiver.port))
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def broken(box: DaemonBox, receiver: Receiver) -> DaemonBox:
    """Everything has happened that there is to tell: a configuration was broken and restored, a service can't start."""
    box.until_state("web")
    until(lambda: '"event": "known_good_kept"' in box.said(), "the configuration is known good")
    conf = box.folder / "web.json"
    conf.write_text(conf.read_text().replace("false", "true"))
    os.kill(box.service("web")["pid"], signal.SIGKILL)
    healed = ("restore-last-good-config", "healed")
    until(lambda: healed in ended(box), "the configuration is restored", within_s=60.0)
    until(lambda: "mine" in [name for name, _ in ended(box)], "the user's playbook ran", within_s=60.0)
    until(lambda: receiver.got, "somebody is told", within_s=60.0)
    return box


def ended(box: DaemonBox) -> list[tuple[str, str]]:
    return [(fix["plan"]["strategy"], fix["outcome"]) for fix in box.fixes() if fix["ended_at"]]


def shown(text: str) -> list[str]:
    """The places around each secret in `text`."""
    return [text[max(0, at - 200) : at + 40] for at in range(len(text)) if text.startswith(SECRET, at)]


PATHS = (
    "/v1/status", "/v1/health", "/v1/services", "/v1/issues?all=1", "/v1/fixes?limit=1000", "/v1/events?limit=5000",
    "/v1/alerts", "/v1/approvals?all=1", "/v1/backups", "/v1/playbooks", "/v1/trust", "/v1/outcomes", "/v1/config",
    "/v1/discover", "/v1/goals", "/v1/optimization", "/v1/metrics", "/v1/logs", "/v1/logs?service=web",
    "/v1/logs?service=dead",
)  # fmt: skip


def test_no_answer_of_the_daemon_shows_one(broken: DaemonBox) -> None:
    issues = [f"/v1/issues/{each['issue']['id']}" for each in broken.issues()]
    assert len(issues) > 2
    for path in (*PATHS, *issues):
        answer = broken.raw(f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode()).decode()
        assert shown(answer) == [], path
        assert " 200 " in answer[:20], (path, answer[:500])


def test_the_evidence_is_told_without_it(broken: DaemonBox) -> None:
    stories = json.dumps([broken.get(f"/v1/issues/{each['issue']['id']}") for each in broken.issues()])
    assert "***" in stories
    assert "OperationalError" in stories
    assert "***" in "\n".join(broken.get("/v1/logs", service="web")["lines"])


def test_nothing_on_disk_shows_one_but_the_backups_that_must(broken: DaemonBox) -> None:
    broken.end()
    backups, left = broken.state_dir / "backups", {}
    for path in broken.state_dir.rglob("*"):
        content = path.read_bytes() if path.is_file() and backups not in path.parents else b""
        if SECRET.encode() in content:
            left[path.name] = shown(content.decode("utf-8", "replace"))
    service_logs = {name: left.pop(name) for name in list(left) if name.endswith(".log")}  # the services' own words
    for name in (
        "state.db",
        "state.db-wal",
        "state.db.snapshot",
    ):  # what a command needs to be undone after a crash is kept as it is
        left[name] = [place for place in left.get(name, []) if '"argv":["' not in place]
    assert not any(left.values()), (left, service_logs.keys())
    assert stat.S_IMODE((broken.state_dir / "state.db").stat().st_mode) & 0o007 == 0
    assert shown(broken.said()) == []


def test_no_message_to_people_shows_one(broken: DaemonBox, receiver: Receiver) -> None:
    assert [shown(json.dumps(each)) for each in receiver.got if shown(json.dumps(each))] == []
    (difference,) = broken.folder.glob("web.json.autonomyd-bad-*.diff")
    assert shown(difference.read_text()) == []
