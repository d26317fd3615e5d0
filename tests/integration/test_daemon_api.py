"""The control channel under fire: generated requests, hostile bodies, crowds, and clients that say nothing."""

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from requests.adapters import HTTPAdapter
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from autonomyd.control.openapi import document
from autonomyd.control.resource import MAX_BODY_BYTES
from autonomyd.control.resources import ROUTES
from autonomyd.control.server import MAX_CONNECTIONS
from autonomyd.drill.services import ServiceSpec
from tests.boxes.daemon import DaemonBox, until

EXAMPLES = int(os.environ.get("AUTONOMYD_TEST_EXAMPLES", "12"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(document(ROUTES))
OPERATIONS = sorted(f"{route.method} {route.path.replace(':path}', '}')}" for route in ROUTES)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonBox]:
    made = DaemonBox(tmp_path_factory.mktemp("api"))
    made.make_services(ServiceSpec(name="web"))
    made.configure()
    made.start()
    made.until_state("web")
    yield made
    made.close()


@pytest.fixture
def healthy(box: DaemonBox) -> Iterator[DaemonBox]:
    """The daemon, that has to be well afterwards as it was before."""
    yield box
    box.post("/v1/resume")
    box.post("/v1/services/web/start")
    box.until_state("web")
    status = box.status()
    assert {loop["state"] for loop in status["loops"].values()} == {"running"}
    assert status["store"]["state"] == "ok"
    assert len(box.marked("web")) == 1
    assert "Traceback" not in box.said()


class _Connection(HTTPConnection):
    path = ""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20.0)
        self.sock.connect(self.path)


class _Adapter(HTTPAdapter):
    """Lets requests talk over the control socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._pool = HTTPConnectionPool("d")
        self._pool.ConnectionCls = type("Connection", (_Connection,), {"path": str(path)})  # type: ignore[assignment]

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_generated_requests_get_answers_of_the_promised_shape(healthy: DaemonBox, operation: str) -> None:
    method, path = operation.split(" ")
    with requests.Session() as session:
        session.mount("http://", _Adapter(healthy.socket))

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        )
        @given(case=SCHEMA[path][method].as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate(base_url="http://d", session=session, checks=CHECKS)

        ask()


def test_the_description_is_what_the_daemon_serves(healthy: DaemonBox) -> None:
    assert healthy.get("/v1/openapi.json") == json.loads(json.dumps(document(ROUTES)))


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: d", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (MAX_BODY_BYTES + 1), 413),
        (b"[" * 30_000, 400),
        (b'{"a":' * 9_000 + b"1" + b"}" * 9_000, 400),
        (b"[1, 2]", 400),
        (b"\xff\xfe\x00", 400),
        (b'{"for_s": "soon"}', 400),
        (b'{"for_s": [1]}', 400),
        (b'{"for_s": NaN}', 400),
        (b'{"for_s": 1e999}', 400),
        (b'{"for_s": -1}', 400),
        (b'{"for_s": ' + b"9" * 4_400 + b"}", 400),
        (b'{"reason": 7}', 400),
        (b'{"reason": {"a": []}}', 400),
    ],
)
def test_a_hostile_body_is_refused_in_words(healthy: DaemonBox, body: bytes, status: int) -> None:
    said = healthy.raw(request("POST", "/v1/pause", body))
    assert said.startswith(f"HTTP/1.1 {status} ".encode()), said[:300]
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["message"]
    assert healthy.status()["pause"]["paused"] is False


def test_odd_words_in_a_reason_come_back_whole(healthy: DaemonBox) -> None:
    reason = 'lone \ud800, \x00, \u202e, </script>, " and \n'
    said = healthy.raw(request("POST", "/v1/pause", json.dumps({"reason": reason}).encode()))
    assert said.startswith(b"HTTP/1.1 200 ")
    until(lambda: healthy.status()["pause"]["paused"])
    assert "</script>" in healthy.status()["pause"]["reason"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("GET", "/"), 404),
        (request("GET", "/v1/../../etc/passwd"), 404),
        (request("GET", "/v1/issues/%00"), 404),
        (request("GET", "/v1/issues/99999999999999999999"), 404),
        (request("GET", "/v1/issues/" + "%C2%B2"), 404),
        (request("GET", "/v1/metrics/" + "a/" * 3_000), 404),
        (request("GET", "/v1/logs?lines=-1"), 400),
        (request("GET", "/v1/logs?lines=nan"), 400),
        (request("GET", "/v1/logs?service=../../etc/passwd"), 404),
        (request("GET", "/v1/events?limit=1e400"), 400),
        (request("DELETE", "/v1/status"), 405),
        (request("POST", "/v1/status"), 405),
        (request("POST", "/v1/services/web%2F..%2Fx/stop"), 404),
        (b"GET /v1/status HTTP/9.9\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400),
        (b"\x00" * 500, 400),
        (b"GET /v1/status HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
    ],
)
def test_a_path_or_a_request_that_makes_no_sense_is_refused(healthy: DaemonBox, data: bytes, status: int) -> None:
    assert healthy.raw(data).startswith(f"HTTP/1.1 {status} ".encode())


def test_many_clients_at_once_are_all_answered(healthy: DaemonBox) -> None:
    answers: list[Any] = []

    def ask() -> None:
        answers.extend(healthy.status()["daemon"]["pid"] for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [healthy.process.pid] * 24 * 5


def test_silent_clients_and_half_requests_hold_nobody_up(healthy: DaemonBox) -> None:
    with ExitStack() as stack:
        for half in (
            b"",
            b"GET /v1/sta",
            b"POST /v1/pause HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
            b"GET / HTTP/1.1\r\nA: ",
        ):
            for _ in range(10):
                stack.enter_context(healthy.connect()).sendall(half)
        began = time.monotonic()
        assert healthy.status()["daemon"]["pid"] == healthy.process.pid
        assert time.monotonic() - began < 2.0


def test_a_crowd_that_stays_is_answered_busy_or_let_go_and_leaves_no_trace(healthy: DaemonBox) -> None:
    """More connections than are served: nobody is answered wrongly, and all is well as soon as they are gone."""
    before = len(os.listdir(f"/proc/{healthy.process.pid}/fd"))
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS + 20):
            stack.enter_context(healthy.connect())
        said = healthy.raw(request("GET", "/v1/health"))
        assert said.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 "))
    until(lambda: len(os.listdir(f"/proc/{healthy.process.pid}/fd")) <= before + 5, "connections are let go")
    assert healthy.get("/v1/health")


def test_a_client_that_leaves_in_the_middle_of_an_answer_does_no_harm(healthy: DaemonBox) -> None:
    for _ in range(20):
        with healthy.connect() as connection:
            connection.sendall(request("GET", "/v1/status"))
    for _ in range(5):
        with healthy.connect() as connection:
            connection.sendall(request("POST", "/v1/services/web/restart", b"{}"))
    healthy.until_state("web")


def test_one_connection_serves_many_requests(healthy: DaemonBox) -> None:
    connection = http.client.HTTPConnection("d")
    connection.sock = healthy.connect()
    for _ in range(5):
        connection.request("GET", "/v1/health")
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["status"]
    connection.close()
