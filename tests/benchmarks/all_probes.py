"""The daemon's memory with every kind of check configured once, against real servers, and all else that a service can
declare: after settling, and after each check has failed at least once."""

import contextlib
import os
import signal
import sqlite3
import ssl
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import proc
import pytest
import running
from figure import Figure, Options

from autonomyd.monitor.probes import CHECKS
from tests.boxes.containers import ContainerBox, container_box
from tests.boxes.mariadb import MariadbBox
from tests.boxes.postgres import PostgresBox
from tests.boxes.receiver import Receiver
from tests.boxes.redis import RedisBox
from tests.boxes.servers import Server
from tests.boxes.servers import running as served

TARGET_MB = 75.0
EVERY_S = 1.0
DATABASES: Mapping[str, type[RedisBox | PostgresBox | MariadbBox]] = {
    "redis": RedisBox,
    "postgres": PostgresBox,
    "mysql": MariadbBox,
}
BROKEN_LATER = frozenset(
    {"http", "tcp", "file", "heartbeat", "log", "sqlite", "redis", "postgres", "mysql", "container"}
)
PLAYBOOK = """\
name = "note-it"
causes = ["wrong_answers"]
[[steps]]
type = "run"
argv = ["/usr/bin/true"]
undo = ["/usr/bin/true"]
"""


def measure(options: Options) -> list[Figure]:
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(_optional(container_box("bench")))
        servers = {kind: stack.enter_context(_optional(_database(made))) for kind, made in DATABASES.items()}
        receiver = stack.enter_context(contextlib.closing(Receiver()))
        scratch = stack.enter_context(running.scratch())
        port, tls_port = running.free_ports(2)
        tls_server = stack.enter_context(contextlib.ExitStack())
        tls_server.enter_context(_tls_server(scratch.folder, tls_port))
        checks = _checks(scratch.folder, port, tls_port, servers)
        if box is not None:
            box.make("bench")
            checks["container"] = {"container": "bench"}
        config = _configure(scratch, port, checks, receiver.target, box.socket if box else "/nonexistent")
        daemon = stack.enter_context(scratch.daemon(config))
        _wait(daemon, checks, {"ok", "failed", "unknown"}, "a look of every check")
        _wait(daemon, [kind for kind in checks if kind in BROKEN_LATER], {"ok"}, "the servers being well")
        time.sleep(options.pick(60.0, 10.0))
        settled = proc.memory_mb(daemon.pid)
        tls_server.close()
        _break(scratch.folder, port, servers, box)
        # the service's own page is healed meanwhile; what it needs stays broken
        _wait(daemon, [kind for kind in checks if kind in BROKEN_LATER], {"failed", "unknown"}, "the servers failing")
        time.sleep(options.pick(60.0, 10.0))
        failing = proc.memory_mb(daemon.pid)
    absent = sorted(set(CHECKS) - set(checks))
    note = f"not on this machine: {', '.join(absent)}; " if absent else ""
    return [
        Figure(
            what=f"every probe kind, {when}", value=memory["Pss"], unit="MB", target=TARGET_MB, bound=TARGET_MB,
            note=f"{note}{len(checks)} kinds; RSS {memory['Rss']:.1f}, anonymous {memory['Anonymous']:.1f}",
        )
        for when, memory in (("settled", settled), ("each failed", failing))
    ]  # fmt: skip


def _wait(daemon: running.Daemon, kinds: Collection[str], states: set[str], what: str) -> None:
    """Until a check of each kind has been in one of `states`."""
    seen: set[str] = set()

    def all_seen() -> bool:
        found = daemon.ask("/v1/services")["web"]["checks"]
        seen.update(check["type"] for check in found if check["state"] in states)
        return seen.issuperset(kinds)

    try:
        running.wait_for(all_seen, what, every_s=0.2)
    except running.TooSlowError as error:
        raise running.TooSlowError(f"{error}; not: {', '.join(sorted(set(kinds) - seen))}") from error


def _configure(
    scratch: running.Scratch, port: int, checks: Mapping[str, Mapping[str, Any]], target: str, engine: str
) -> Path:
    folder = scratch.folder
    (folder / "releases" / "1").mkdir(parents=True)
    (folder / "current").symlink_to("releases/1")
    (folder / "app.toml").write_text("delay = 1.0\n")
    (folder / "playbooks.d").mkdir()
    (folder / "playbooks.d" / "note.toml").write_text(PLAYBOOK)
    web = {
        "control": {"type": "process", "command": running.service_command(port, folder / "beat")},
        "logs": [str(folder / "app.log")],
        "config_files": [str(folder / "app.toml")],
        "release": {"link": str(folder / "current")},
        "fallback": {"command": running.service_command(port)},
        "tune": [
            {"name": "delay", "file": str(folder / "app.toml"), "format": "toml", "key": "delay", "floor": 0.5,
             "ceiling": 2.0, "helps": ["rate_limited"]}
        ],
        "rotate": {"max_mb": 10},
        "limits": {"rss_mb": 512, "cpu_percent": 90, "fds": 900, "children": 50},
        "checks": [{"type": kind, "every_s": EVERY_S, **more} for kind, more in checks.items()],
    }  # fmt: skip
    return scratch.configure(
        {"web": web}, alerts={"targets": {"team": target}}, containers={"socket": engine or "/nonexistent"}
    )


def _checks(folder: Path, port: int, tls_port: int, servers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By kind. What is not in BROKEN_LATER fails, or is unknown, from its first look on."""
    for name in ("app.log", "beat", "data"):
        (folder / name).write_text("")
    with contextlib.closing(sqlite3.connect(folder / "data.db")) as database:
        database.execute("create table t(n)")
    checks: dict[str, dict[str, Any]] = {
        "http": {"url": f"http://127.0.0.1:{port}/"},
        "tcp": {"port": tls_port},
        "command": {"argv": ["false"]},
        "file": {"file": str(folder / "data")},
        "heartbeat": {"file": str(folder / "beat"), "max_age_s": 3600},
        "log": {"file": str(folder / "app.log")},
        "mount": {"path": str(folder), "used_percent": 0},
        "directory": {"path": str(folder), "max_files": 0},
        "certificate": {"host": "127.0.0.1", "port": tls_port, "days": 365},
        "dns": {"host": "localhost", "addresses": ["192.0.2.1"]},
        "ping": {"host": "127.0.0.1", "max_ms": 1e-6},
        "network": {"targets": [f"127.0.0.1:{running.free_ports(1)[0]}"]},
        "unit": {"unit": "no-such.service"},
        "sqlite": {"file": str(folder / "data.db"), "integrity_every_s": EVERY_S},
    }
    if servers["redis"]:
        checks["redis"] = {"url": servers["redis"].url}
    if servers["postgres"]:
        checks["postgres"] = {"dsn": servers["postgres"].dsn}
    if servers["mysql"]:
        checks["mysql"] = {"url": servers["mysql"].url}
    return checks


def _break(folder: Path, port: int, servers: Mapping[str, Any], box: ContainerBox | None) -> None:
    for server in filter(None, servers.values()):
        server.kill()
    if box is not None:
        box.post("/containers/bench/kill")
    for name in ("data", "beat"):
        (folder / name).unlink()
    (folder / "data.db").write_text("no database" * 100)
    with (folder / "app.log").open("a") as log:
        log.write("2026-05-04 10:11:12,345 ERROR web: sqlalchemy.exc.OperationalError: could not connect to server\n")
    holder = running.answer_of(port)
    if holder is not None:
        os.kill(holder, signal.SIGSTOP)


@contextlib.contextmanager
def _tls_server(folder: Path, port: int) -> Iterator[None]:
    """A TLS server with a certificate of its own making for 30 days."""
    pem, key = folder / "tls.pem", folder / "tls.key"
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run([*argv, "-days", "30", "-keyout", key, "-out", pem], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    server = ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def _database(made: type[RedisBox | PostgresBox | MariadbBox]) -> Iterator[Server]:
    with served(made()) as server:
        yield server


@contextlib.contextmanager
def _optional(box: contextlib.AbstractContextManager[Any]) -> Iterator[Any]:
    """The box, None where its server is not installed."""
    with contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(box)
        except pytest.skip.Exception:
            found = None
        yield found
