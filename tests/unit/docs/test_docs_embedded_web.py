"""The example application as its page says it runs: a program of its own, asked over HTTP, slow, healed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "embedded_web.py"
WITHIN_S = 20.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def ask(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5.0) as answer:
        return json.load(answer)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    argv = [sys.executable, str(EXAMPLE), str(port), str(tmp_path / "state")]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AUTONOMYD_")}
    running = subprocess.Popen(argv, env=environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + WITHIN_S
        while True:
            try:
                ask(port, "/autonomy")
                break
            except (urllib.error.URLError, ConnectionError):
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield port
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def test_it_gets_slow_and_heals_itself(shop: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    slowest = 0.0
    while (seen := ask(shop, "/autonomy"))["resolved_issues"] == 0:
        assert time.monotonic() < deadline, seen
        slowest = max(slowest, ask(shop, "/search?q=lamp")["took_ms"])
    assert slowest > 100.0
    assert seen["health"] == "healthy"
    assert seen["goals"] == ["Answer a search within 20 ms"]
    assert seen["last_fix"]["outcome"] == "healed"
    assert seen["last_fix"]["plan"]["strategy"] == "custom"
    assert ask(shop, "/search?q=tea")["took_ms"] < 100.0
