"""autonomyctl against a real HTTP server on a Unix socket: answers, errors, exit codes, and what is imported."""

import http.server
import json
import os
import pty
import select
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from autonomyd.cli.ctl import SECTIONS, VERBS, run
from autonomyd.control import client as client_module
from autonomyd.control.client import ApiError, Client, Denied, NoDaemon, find_socket

HEALTHY: dict[str, Any] = {"status": "healthy", "trend": "stable", "subjects": [], "metrics": {}, "unknown": []}
WEB: dict[str, Any] = {
    "name": "web",
    "state": "up",
    "health": "healthy",
    "intent": "started",
    "autonomy": "act",
    "control": "process",
    "pid": 42,
    "since": 1.0,
    "restarts": 0,
    "message": "",
    "next_try_at": None,
    "depends_on": [],
    "checks": [],
    "metrics": {},
}
STATUS: dict[str, Any] = {
    "at": 100.0,
    "daemon": {
        "pid": 7,
        "version": "0",
        "started_at": 1.0,
        "uptime_s": 99.0,
        "config_file": None,
        "config_loaded_at": 1.0,
        "config_error": None,
        "state_dir": "/s",
        "socket": None,
        "event_loop": "uvloop",
    },
    "health": HEALTHY,
    "healing": {
        "open_issues": 0,
        "resolved_issues": 0,
        "fixes": 0,
        "outcomes": {},
        "success_rate": None,
        "running": [],
        "last": None,
    },
    "goals": {
        "pending": 0,
        "in_progress": 0,
        "completed": 0,
        "failed": 0,
        "cancelled": 0,
        "current": None,
        "items": [],
    },
    "optimization": {
        "proposed": 0,
        "applied": 0,
        "verified": 0,
        "rolled_back": 0,
        "cost_percent": None,
        "memory_mb": None,
        "last": "",
    },
    "loops": {},
    "services": {"web": WEB},
    "issues": [],
    "pause": {"paused": False, "until": None, "reason": "", "actor": ""},
    "store": {"state": "ok", "path": "/s/k.db", "pending": 0, "message": ""},
    "alerts": {"open": [], "waiting": 0, "held": 0, "targets": {}, "ping": None},
}
FIX = {"outcome": "healed", "state": "committed"}


TRUST = {"rows": [], "calibration": {"count": 0, "brier": None, "bins": []}, "consents": [], "shadow": []}
PLAYBOOKS = {
    "folder": "/etc/autonomyd/playbooks.d",
    "playbooks": [
        {
            "name": "restart",
            "causes": ["process_hung"],
            "rung": 1,
            "risk": "medium",
            "disruptive": True,
            "reversible": True,
            "consented": False,
            "reads": ["service"],
            "yields": ["RestartService"],
            "source": "bundled",
            "validation": [],
        }
    ],
    "refused": [],
}


POINTS = {
    "at": [1.0, 2.0], "values": [3.0, None], "low": [2.0, None], "high": [4.0, None],
    "last": [3.0, None], "count": [6, 0], "step_s": [60.0, 60.0],
}  # fmt: skip
BACKTEST = {
    "rule": "cpu_percent", "words": "over 80; clear at 75", "at": 9.0, "since": 1.0, "step_s": 60,
    "trials": [], "unreached": 0,
}  # fmt: skip


class FakeDaemon:
    """Answers on `path` what `answers` says; keeps what it was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[tuple[str, str, dict[str, Any], Any]] = []
        self.answers: dict[str, tuple[int, Any]] = {
            "GET /v1/status": (200, STATUS),
            "GET /v1/health": (200, HEALTHY),
            "GET /v1/services": (200, {"web": WEB, "cache": WEB | {"name": "cache"}}),
            "GET /v1/issues": (200, []),
            "GET /v1/alerts": (200, {"now": STATUS["alerts"], "recent": [], "messages": []}),
            "GET /v1/fixes": (200, []),
            "GET /v1/backups": (200, []),
            "GET /v1/approvals": (200, []),
            "GET /v1/outcomes": (200, []),
            "GET /v1/trust": (200, TRUST),
            "GET /v1/playbooks": (200, PLAYBOOKS),
            "GET /v1/goals": (200, STATUS["goals"]),
            "GET /v1/optimization": (200, STATUS["optimization"]),
            "GET /v1/metrics": (200, {"series": []}),
            "GET /v1/metrics/disk:/var/disk.used_percent": (
                200,
                {"name": "disk:/var/disk.used_percent", "unit": "%", **POINTS},
            ),
            "GET /v1/backtest": (200, BACKTEST),
            "GET /v1/tune": (200, {"at": 1.0, "file": "", "advice": [], "diff": "", "problem": "", "unreached": 0}),
            "GET /v1/events": (200, []),
            "GET /v1/timeline": (200, []),
            "GET /v1/why-not": (200, []),
            "GET /v1/graph": (200, {"nodes": [], "edges": [], "unseen": []}),
            "GET /v1/templates/web": (200, []),
            "GET /v1/forecast": (200, {"forecasts": [], "standing": [], "unwatched": [], "skipped": 0}),
            "GET /v1/surprises": (200, SURPRISES),
            "GET /v1/risk": (200, {"at": 1.0, "since": 1.0, "k": 4.0, "norm": 0.69, "rows": [], "odd": 0, **SCORES}),
            "GET /v1/predictions": (200, PREDICTIONS),
            "GET /v1/logs": (200, {"lines": ["one", "\x1b[2Jtwo"], "source": "/var/log/web.log"}),
            "GET /v1/config": (
                200,
                {"file": None, "loaded_at": 1.0, "error": None, "values": {"daemon": {"socket": None}}},
            ),
            "GET /v1/discover": (200, {"toml": "", "services": []}),
            "POST /v1/discover": (200, {"file": "/etc/x.toml", "added": ["nginx"]}),
            "POST /v1/services/web/restart": (200, {"fix": FIX, "message": "web is up again"}),
            "POST /v1/services/web/stop": (200, {"fix": FIX | {"outcome": "ineffective"}, "message": "still there"}),
            "POST /v1/pause": (200, {"paused": True}),
            "POST /v1/resume": (200, {"paused": False}),
            "POST /v1/check": (200, []),
            "POST /v1/reload": (200, {"ok": True, "message": "in force"}),
        }

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(target)
        path = parts.path.replace("%3A", ":")
        self.asked.append((method, path, parse_qs(parts.query), body))
        missing = (404, {"error": {"message": f"nothing is named like {path}", "hint": ""}})
        return self.answers.get(f"{method} {path}", missing)


UNSCORED = {"cases": 0, "happened": 0, "brier": None, "log_loss": None, "precision": None, "recall": None}
SCORES = {"frequency": UNSCORED, "gaps": UNSCORED}
PREDICTIONS = {"at": 2.0, "since": 1.0, "open": [], "judged": [], "right": 0, "wrong": 0, "void": 0, "foretold": 0}
PREDICTIONS |= {"missed": 0, "precision": None, "recall": None, "lead_s": None}
SURPRISES = {"threshold": 0.5, "known": 0, "refused": 0, "crowded_out": 0, "newest": [], "contributors": []}
SURPRISES |= {"learning": []}


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    fake: FakeDaemon


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        status, value = self.server.fake.answer(self.command, self.path, body)
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        if self.path.endswith("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in (data[:3], data[3:]):
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        self.close_connection = True


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's (107 bytes)."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def fake(short_dir: Path) -> Iterator[FakeDaemon]:
    made = FakeDaemon(short_dir / "control.sock")
    with Server(str(made.path), Handler) as server:
        server.fake = made
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def raw(short_dir: Path) -> Iterator[Callable[[bytes], Client]]:
    """A client of a server that reads a request, answers the given bytes, and hangs up (or stays silent)."""
    threads = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(short_dir / "raw.sock"))
    listener.listen()
    finished = threading.Event()

    def serve(answer: bytes) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            if answer:
                connection.sendall(answer)
            else:
                finished.wait(10)

    def client(answer: bytes) -> Client:
        threads.append(threading.Thread(target=serve, args=(answer,)))
        threads[-1].start()
        return Client(str(short_dir / "raw.sock"), timeout_s=5.0 if answer else 0.1)

    yield client
    finished.set()
    for thread in threads:
        thread.join()
    listener.close()


def call(fake: FakeDaemon, *arguments: str) -> int:
    return run(["--socket", str(fake.path), *arguments])


def test_every_verb_answers_in_text_and_in_json(fake: FakeDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    series = "disk:/var/disk.used_percent"
    with_arguments = ("service", "explain", "ack", "approve", "deny", "always", "rollback", "config", "completion")
    with_arguments += ("backtest", "tune", "templates")
    calls = [[verb] for verb in VERBS if verb not in (*with_arguments, "doctor")]
    calls += [["service", "restart", "web"], ["config", "show"], ["metrics", series], ["discover", "--write"]]
    calls += [["backtest", "cpu_percent"], ["tune", "--propose"], ["templates", "web"]]
    for arguments in calls:
        assert call(fake, *arguments) == 0, arguments
        text = capsys.readouterr()
        assert text.out.strip(), arguments
        assert "\x1b" not in text.out
        assert call(fake, *arguments, "--json") == 0
        method, path, _, _ = fake.asked[-1]
        assert json.loads(capsys.readouterr().out) == fake.answers[f"{method} {path}"][1], "the wire value, unchanged"


def test_every_verb_has_help_with_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    names = [[verb] for verb in VERBS if verb not in ("service", "config")]
    for arguments in [*names, ["service", "start"], ["service", "stop"], ["config", "check"], ["config", "show"]]:
        assert run([*arguments, "--help"]) == 0
        text = capsys.readouterr().out
        assert "Exit codes:\n  0 " in text, arguments
        assert "--json" in text


@pytest.mark.parametrize(
    ("health", "code"), [("healthy", 0), ("degraded", 1), ("critical", 2), ("failing", 2), ("unknown", 3)]
)
def test_status_tells_health_by_its_exit_code(fake: FakeDaemon, health: str, code: int) -> None:
    fake.answers["GET /v1/status"] = (200, STATUS | {"health": HEALTHY | {"status": health}})
    assert call(fake, "status") == code
    assert call(fake, "status", "--json") == code


def test_what_is_sent(fake: FakeDaemon) -> None:
    call(fake, "pause", "--for", "1h30m", "--reason", "an upgrade")
    call(fake, "metrics", "disk:/var/disk.used_percent", "--since", "10m")
    call(fake, "backtest", "cpu_percent", "enter=70", "--since", "7d")
    call(fake, "logs", "web", "-n", "5")
    call(fake, "issues", "--all")
    call(fake, "discover", "--write")
    assert fake.asked[1][2].pop("points"), "as many as the chart is wide"
    assert fake.asked == [
        ("POST", "/v1/pause", {}, {"for_s": 5400.0, "reason": "an upgrade"}),
        ("GET", "/v1/metrics/disk:/var/disk.used_percent", {"since_s": ["600.0"]}, None),
        ("GET", "/v1/backtest", {"rule": ["cpu_percent enter=70"], "since_s": ["604800.0"]}, None),
        ("GET", "/v1/logs", {"service": ["web"], "lines": ["5"]}, None),
        ("GET", "/v1/issues", {"all": ["1"]}, None),
        ("POST", "/v1/discover", {}, {"write": True}),
    ]


def test_an_act_that_did_not_come_about(fake: FakeDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(fake, "service", "stop", "web") == 1
    assert "still there" in capsys.readouterr().out
    fake.answers["POST /v1/services/web/start"] = (
        409,
        {"error": {"message": "start web: exited", "hint": "see the log"}},
    )
    assert call(fake, "service", "start", "web") == 1
    assert "see the log" in capsys.readouterr().err
    fake.answers["POST /v1/reload"] = (200, {"ok": False, "message": "a.toml:3: x: unknown key"})
    assert call(fake, "reload") == 78
    failed = {"probe": "http", "subject": "service:web", "state": "failed", "message": "refused", "duration_ms": 0.2}
    fake.answers["POST /v1/check"] = (200, [failed])
    assert call(fake, "check") == 2
    fake.answers["POST /v1/check"] = (200, [failed | {"state": "unknown", "duration_ms": None}])
    assert call(fake, "check") == 3


def test_an_unknown_name_is_answered_with_near_ones(fake: FakeDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(fake, "service", "start", "wbe") == 5
    assert "Did you mean web?" in capsys.readouterr().err
    assert call(fake, "service", "start", "zzzzzz") == 5
    assert "There are: web, cache" in capsys.readouterr().err
    fake.answers["GET /v1/logs"] = (404, {"error": {"message": "web has no log file", "hint": "add logs"}})
    assert call(fake, "logs", "web") == 5
    assert "add logs" in capsys.readouterr().err, "the name is known: the daemon's own hint stays"
    assert call(fake, "stauts") == 64
    assert "did you mean 'status'?" in capsys.readouterr().err


def test_errors_are_json_too(fake: FakeDaemon, capsys: pytest.CaptureFixture[str]) -> None:
    fake.answers["POST /v1/resume"] = (409, {"error": {"message": "not \x1b[1mpaused", "hint": "pause first"}})
    assert call(fake, "resume", "--json") == 5
    out = capsys.readouterr()
    assert json.loads(out.out) == {"error": {"message": "not \x1b[1mpaused", "hint": "pause first"}}
    assert out.err == ""
    assert "\x1b" not in out.out
    assert call(fake, "resume") == 5
    assert capsys.readouterr().err == "autonomyctl: not paused\n  pause first\n"


def test_without_a_daemon_it_says_how_to_start_one(short_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (short_dir / "stale.sock").touch()
    for name in ("absent.sock", "stale.sock", "x" * 200):
        assert run(["--socket", str(short_dir / name), "status"]) == 4
        text = capsys.readouterr().err
        assert "no daemon listens on" in text
        assert "`systemctl start autonomyd`" in text
    assert run(["status", "--json", "--socket", str(short_dir / "absent.sock")]) == 4
    assert "make run" in json.loads(capsys.readouterr().out)["error"]["hint"]


def test_the_socket_is_found(fake: FakeDaemon, short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "socket_candidates", lambda: (short_dir / "absent", fake.path))
    monkeypatch.delenv("AUTONOMYD_SOCKET", raising=False)
    assert find_socket() == str(fake.path)
    assert Client().get("/v1/goals") == STATUS["goals"]
    monkeypatch.setenv("AUTONOMYD_SOCKET", str(short_dir / "named"))
    with pytest.raises(NoDaemon, match="named"):
        find_socket()
    assert find_socket(str(fake.path)) == str(fake.path), "--socket goes before the environment"


def test_a_socket_that_may_not_be_used(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Forbidden(socket.socket):
        def connect(self, _address: Any) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(client_module.sockets, "socket", Forbidden)
    with pytest.raises(Denied, match="may not talk"):
        find_socket("/run/x.sock")
    assert run(["--socket", "/run/x.sock", "status"]) == 77
    assert "group autonomyd" in capsys.readouterr().err


def test_the_client_reads_chunks_and_refuses_halves(fake: FakeDaemon, raw: Callable[[bytes], Client]) -> None:
    fake.answers["GET /v1/chunked"] = (200, {"a": "ä" * 50})
    assert Client(str(fake.path)).get("/v1/chunked") == {"a": "ä" * 50}
    for answer, message in (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "broke off"),
        (b"SSH-2.0-OpenSSH\r\n", "is not autonomyd"),
        (b"", "did not answer within"),
    ):
        with pytest.raises(NoDaemon, match=message):
            raw(answer).get("/v1/status")
    with pytest.raises(ApiError, match="without a reason"):
        raw(b"HTTP/1.1 500 Internal\r\n\r\nTraceback").get("/v1/status")
    with pytest.raises(ApiError, match="502"):
        raw(b"HTTP/1.1 200 OK\r\n\r\n<html>").get("/v1/status")


def test_config_check_needs_no_daemon(short_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = short_dir / "good.toml", short_dir / "bad.toml"
    good.write_text('[services.web]\ncontrol = { type = "process", command = ["sleep", "9"] }\n')
    bad.write_text("[intervals]\nmonitoring_s = -1\n")
    assert run(["config", "check", str(good)]) == 0
    assert "1 service, 0 checks" in capsys.readouterr().out
    assert run(["config", "check", str(good), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["services"] == ["web"]
    assert run(["config", "check", str(bad)]) == 78
    assert f"{bad}:2: intervals.monitoring_s" in capsys.readouterr().err
    assert run(["config", "check", str(bad), "--json"]) == 78
    assert "intervals.monitoring_s" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_AUTONOMYCTL_COMPLETE" in capsys.readouterr().out


def test_the_shell_completes_verbs_and_names(fake: FakeDaemon) -> None:
    for words, at, expected in (("autonomyctl st", 1, "status"), ("autonomyctl service start ca", 3, "cache")):
        made = subprocess.run(
            [sys.executable, "-m", "autonomyd.cli.ctl"],
            env=os.environ
            | {
                "_AUTONOMYCTL_COMPLETE": "fish_complete",
                "COMP_WORDS": words.rsplit(" ", 1)[0],
                "COMP_CWORD": words.split()[at],
                "AUTONOMYD_SOCKET": str(fake.path),
            },
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert expected in made.stdout, made.stderr


def test_status_imports_nothing_heavy(fake: FakeDaemon) -> None:
    """The 0.15 s depend on it; each of these costs 10 to 200 ms."""
    script = (
        "import sys; from autonomyd.cli.ctl import run; run(sys.argv[1:]);"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    heavy = {"asyncio", "pydantic", "psutil", "structlog", "uvloop", "http", "subprocess", "email", "ssl"}
    for extra, more in (([], set()), (["--json"], {"rich"})):
        made = subprocess.run(
            [sys.executable, "-c", script, "--socket", str(fake.path), "status", *extra],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert not set(made.stderr.split()) & (heavy | more)


@pytest.mark.parametrize(("extra", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_watching_on_a_terminal(fake: FakeDaemon, extra: dict[str, str], coloured: bool) -> None:
    """Draws on the second screen, twice at least, and gives the first one back at Ctrl-C."""
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"} | extra
    command = [sys.executable, "-m", "autonomyd.cli.ctl", "--socket", str(fake.path), "status", "--watch", "0.2"]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
        # a job in the background has SIGINT ignored, and its children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread runs here
    )
    os.close(theirs)
    seen = b""
    deadline = time.monotonic() + 30
    try:
        while seen.count(b"Ctrl-C ends") < 2:
            ready, _, _ = select.select([ours], [], [], 20)
            assert ready, f"nothing was drawn within 20 s after {seen!r}"
            seen += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while select.select([ours], [], [], 20)[0]:
            assert time.monotonic() < deadline, "Ctrl-C did not end it"
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says EIO when the other side is closed
                break
            if not piece:
                break
            seen += piece
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert seen.startswith(b"\x1b[?1049h")
    assert seen.endswith(b"\x1b[?1049l")
    assert "All is well." in seen.decode()
    assert (b"32m" in seen) is coloured


def test_every_verb_has_its_file() -> None:
    folder = Path(client_module.__file__).parents[1] / "cli" / "verbs"
    assert {path.stem.replace("_", "-") for path in folder.glob("*.py")} - {"--init--"} == set(VERBS)
    assert sum(len(verbs) for verbs in SECTIONS.values()) == len(VERBS)
