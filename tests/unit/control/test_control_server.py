"""The control server in one process with its client: who is let go, and what an unforeseen fault answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from autonomyd.control import resource, server
from autonomyd.control.resource import Hooks
from autonomyd.control.resources import ROUTES
from autonomyd.control.server import ControlServer, SocketRefused, open_socket, peer_of
from autonomyd.engine.system import AutonomousOperationSystem
from autonomyd.settings.load import make_settings

DEADLINE_S = 10.0


async def no_reload() -> dict[str, Any]:
    raise RuntimeError("nobody foresaw this")


@pytest.fixture
async def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """A running server over a system that has not been started, with little patience."""
    monkeypatch.setattr(server, "SILENT_S", 0.1)
    monkeypatch.setattr(resource, "BODY_TIMEOUT_S", 0.1)
    system = AutonomousOperationSystem(make_settings({"daemon": {"state_dir": str(tmp_path)}}))
    made = ControlServer(system, Hooks(reload=no_reload, config=dict), tmp_path / "c.sock")
    await made.start()
    yield tmp_path / "c.sock"
    await made.stop()
    await made.stop()
    assert not (tmp_path / "c.sock").exists()


async def ask(path: Path, data: bytes) -> bytes:
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(data)
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
        return said


@pytest.mark.parametrize("data", [b"", b"GET /v1/he", b"GET /v1/health HTTP/1.1\r\nHost: "])
async def test_who_says_nothing_or_half_a_head_is_let_go(path: Path, data: bytes) -> None:
    assert await ask(path, data) == b""


async def test_half_a_body_is_told_so(path: Path) -> None:
    said = await ask(path, b"POST /v1/pause HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{")
    assert said.startswith(b"HTTP/1.1 408 ")


async def test_one_who_asks_in_time_may_stay(path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    for _ in range(2):
        writer.write(b"GET /v1/health HTTP/1.1\r\nHost: d\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        assert json.loads(await reader.readexactly(length))["status"]
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    writer.close()
    await writer.wait_closed()


async def test_an_unforeseen_fault_is_an_answer_and_the_server_goes_on(path: Path) -> None:
    said = await ask(path, b"POST /v1/reload HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 500 ")
    assert b"nobody foresaw this" in said
    said = await ask(path, b"GET /v1/config HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SocketRefused, match=r"c\.sock can't be made"):
        open_socket(tmp_path / "file" / "c.sock")


def test_a_live_socket_is_not_taken(tmp_path: Path) -> None:
    with open_socket(tmp_path / "c.sock"), pytest.raises(SocketRefused, match="another daemon answers"):
        open_socket(tmp_path / "c.sock")
    open_socket(tmp_path / "c.sock").close()


def test_a_peer_that_can_not_be_told_is_unknown() -> None:
    assert peer_of(None) == "unknown"


def test_every_operation_has_a_name_of_its_own() -> None:
    from autonomyd.control.openapi import document

    made = document(ROUTES)
    names = [each["operationId"] for path in made["paths"].values() for each in path.values()]
    assert len(names) == len(set(names)) == len(ROUTES)
    assert json.dumps(made, allow_nan=False)
    defined = set(made["components"]["schemas"])
    used = {part.split('"')[0] for part in json.dumps(made).split("#/components/schemas/")[1:]}
    assert used <= defined
