"""A small web server that takes messages as a target of alerts would: it answers, fails, hangs, or is not there."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG_S = 60.0


class Receiver:
    """On a free port of the loopback; `got` are the JSON bodies that came, also those that were answered badly.
    `status` is the answer from now on; `hangs` makes it silent. `up()` and `down()` open and close the door."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.status = 200
        self.hangs = False
        self._server: ThreadingHTTPServer | None = None
        self.up()
        assert self._server is not None
        self.port = self._server.server_port

    @property
    def target(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ping"

    def titles(self) -> list[str]:
        return [each["title"] for each in self.got]

    def up(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                receiver.asked.append(self.path)
                self._answer()

            def do_POST(self) -> None:
                receiver.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer()

            def _answer(self) -> None:
                until = time.monotonic() + HANG_S
                while receiver.hangs and time.monotonic() < until:
                    time.sleep(0.02)
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Nothing: the test looks at `got`."""

        ThreadingHTTPServer.daemon_threads = True
        self._server = ThreadingHTTPServer(("127.0.0.1", getattr(self, "port", 0)), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self) -> None:
        self.hangs = False
        self.down()
