"""The client of the container engine against a small engine of this file: Docker's order of events, and bad answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.aio.dependency import Dependencies
from autonomyd.host.containers import api as api_module
from autonomyd.host.containers.api import EngineApi, EngineFailure, EngineRefusal, find_socket
from autonomyd.host.containers.engine import SETTLE_S, ContainerEngine
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.host.containers.inspected import ContainerState
from autonomyd.host.containers.logs import log_lines
from autonomyd.settings.dependencies import DependencySettings

WITHIN_S = 5.0
IDENT = "ab" * 32


class SmallEngine:
    """Speaks as Docker does. `raw` answers a path with bytes as they are; `state` is that of the one container."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.status = "running"
        self.exit_code = 0
        self.raw: dict[str, bytes] = {}
        self._streams: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._at = 10**19

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for stream in self._streams:
            stream.close()
        self._streams.clear()

    async def tell(self, action: str, **attributes: str) -> None:
        self._at += 1
        event = {
            "Type": "container",
            "Action": action,
            "Actor": {"ID": IDENT, "Attributes": {"name": "web", **attributes}},
            "timeNano": self._at,
        }
        for stream in self._streams:
            line = json.dumps(event).encode() + b"\n"
            stream.write(b"%x\r\n%s\r\n" % (len(line), line))
            await stream.drain()

    async def end(self, *actions: tuple[str, dict[str, str]], code: int) -> None:
        self.status, self.exit_code = "exited", code
        for action, attributes in actions:
            await self.tell(action, **attributes)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")
        path = request[1].partition("?")[0]
        if path in self.raw:
            writer.write(self.raw[path])
        elif path == "/events":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._streams.append(writer)
            return
        elif path == "/containers/web/json":
            writer.write(whole(200, self._described()))
        elif path == "/version":
            writer.write(whole(200, {"Components": [{"Name": "Engine"}]}))
        else:
            writer.write(whole(404, {"message": "no such thing"}))
        writer.close()

    def _described(self) -> Any:
        state = {"Status": self.status, "Pid": 0, "ExitCode": self.exit_code}
        return {"Id": IDENT, "Name": "/web", "State": state, "Config": {"Tty": False}}


def whole(status: int, body: Any) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(content), content)


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[SmallEngine]:
    engine = SmallEngine(tmp_path / "e.sock")
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def engine(small: SmallEngine) -> AsyncIterator[ContainerEngine]:
    clock = SystemClock()
    outside = Dependencies(clock, limits_of=lambda _: DependencySettings())
    engines = ContainerEngines(clock, outside, lambda: small.path)
    yield engines.of()
    await engines.close()


@pytest.fixture
def api(engine: ContainerEngine) -> EngineApi:
    return engine.api


class Watch:
    def __init__(self, engine: ContainerEngine) -> None:
        self._engine = engine
        self.states: list[ContainerState] = []
        self._news = asyncio.Event()

    async def open(self) -> "Watch":
        await self._engine.open()
        self.states.append(await self._engine.watch("web", self._hear))
        return self

    async def settled(self) -> ContainerState:
        async with asyncio.timeout(WITHIN_S):
            while self.states[-1].status != "exited" or self.states[-1].settling:
                self._news.clear()
                await self._news.wait()
        return self.states[-1]

    def _hear(self, state: ContainerState) -> None:
        self.states.append(state)
        self._news.set()


async def test_dockers_stop_is_a_wish(small: SmallEngine, engine: ContainerEngine) -> None:
    watch = await Watch(engine).open()
    assert watch.states[0].status == "running"
    await small.end(("kill", {"signal": "15"}), ("die", {"exitCode": "0"}), ("stop", {}), code=0)
    assert (await watch.settled()).asked


@pytest.mark.parametrize("told", [[("kill", {"signal": "9"}), ("die", {})], [("oom", {}), ("die", {})], [("die", {})]])
async def test_dockers_kill_and_a_crash_are_none(
    small: SmallEngine, engine: ContainerEngine, told: list[tuple[str, dict[str, str]]]
) -> None:
    watch = await Watch(engine).open()
    await small.end(*told, code=137)
    assert not (await watch.settled()).asked
    assert not any(state.asked for state in watch.states)


async def test_what_we_do_is_nobodys_wish(small: SmallEngine, engine: ContainerEngine) -> None:
    small._at = 1  # events of long ago: they come late, after the act that they tell of
    watch = await Watch(engine).open()
    with engine.acting("web"):
        pass
    await small.end(("kill", {"signal": "15"}), ("die", {}), ("stop", {}), code=0)
    assert not (await watch.settled()).asked


async def test_a_start_after_a_stop_takes_the_wish_back(small: SmallEngine, engine: ContainerEngine) -> None:
    watch = await Watch(engine).open()
    await small.end(("die", {}), ("stop", {}), code=0)
    assert (await watch.settled()).asked
    small.status = "running"
    await small.tell("start")
    await small.end(("die", {}), code=1)
    await asyncio.sleep(2 * SETTLE_S)
    assert not watch.states[-1].asked


async def test_the_stream_is_taken_up_again(small: SmallEngine, engine: ContainerEngine) -> None:
    watch = await Watch(engine).open()
    await small.stop()
    async with asyncio.timeout(WITHIN_S):
        while not watch.states[-1].missing:
            await asyncio.sleep(0.01)
    await small.start()
    async with asyncio.timeout(WITHIN_S):
        while watch.states[-1].status != "running":
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "closed the connection"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "before its answer was complete"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, "headers of more than"),
        (whole(200, b"<html>"), "no JSON"),
        (whole(200, b"[" * 100_000), "no JSON"),
        (whole(200, [1, 2]), "no id or no state"),
        (whole(200, {"Id": IDENT, "State": "running"}), "no id or no state"),
        (whole(200, b'"' + b"a" * 8_100_000 + b'"'), "longer than"),
        (whole(500, {"message": "the disk\nis full"}), "^the disk is full$"),
        (whole(503, b"\xff\xfe"), "answered 503"),
    ],
)
async def test_bad_answers_are_told_and_bounded(
    small: SmallEngine, engine: ContainerEngine, answer: bytes, words: str
) -> None:
    small.raw["/containers/web/json"] = answer
    with pytest.raises(EngineFailure, match=words):
        await engine.inspect("web")


async def test_strange_values_do_no_harm(small: SmallEngine, engine: ContainerEngine) -> None:
    odd = {"Id": IDENT, "Name": 5, "RestartCount": "many", "HostConfig": [], "Config": None,
           "State": {"Status": "running", "Pid": True, "StartedAt": "soon", "Health": {"Log": [3]}}}  # fmt: skip
    small.raw["/containers/web/json"] = whole(200, odd)
    assert await engine.inspect("web") == ContainerState(id=IDENT, status="running")


async def test_a_refusal_does_not_open_the_breaker_and_silence_does(small: SmallEngine, api: EngineApi) -> None:
    for _ in range(10):
        with pytest.raises(EngineRefusal, match="no such thing"):
            await api.ask("GET", "/nothing")
    await small.stop()
    for _ in range(3):
        with pytest.raises(EngineFailure, match="can't be reached"):
            await api.ask("GET", "/nothing")
    with pytest.raises(EngineFailure, match="is not asked for another"):
        await api.ask("GET", "/nothing")


@pytest.mark.parametrize("frames", [b"\x07garbage....", b"\x01\x00\x00\x00\xff\xff\xff\xff"])
async def test_a_log_that_is_not_framed_is_refused(small: SmallEngine, api: EngineApi, frames: bytes) -> None:
    small.raw["/containers/web/logs"] = whole(200, frames)
    with pytest.raises(EngineFailure, match="not framed"):
        _ = [line async for line in log_lines(api, "web")]


async def test_frames_and_lines_may_be_cut_anywhere(small: SmallEngine, api: EngineApi) -> None:
    frames = b"".join(
        bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data
        for stream, data in [
            (1, b"2026-01-02T03:04:05Z he"),
            (2, b"2026-01-02T03:04:06.5Z \xff\n"),
            (1, b"llo\r\nno time"),
        ]
    )
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in frames) + b"0\r\n\r\n"
    small.raw["/containers/web/logs"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    found = [(line.text, line.at, line.error) async for line in log_lines(api, "web")]
    assert found == [("\ufffd", 1767323046.5, True), ("hello", 1767323045.0, False), ("no time", None, False)]


def test_the_socket_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(api_module, "SOCKETS", (str(tmp_path / "no"), str(tmp_path)))
    assert find_socket("unix:///run/x.sock") == "/run/x.sock"
    assert find_socket(None) == str(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/y.sock")
    assert find_socket(None) == "/run/y.sock"
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    with pytest.raises(EngineFailure, match="only an engine on a Unix socket"):
        find_socket(None)
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setattr(api_module, "SOCKETS", ())
    with pytest.raises(EngineFailure, match="no container engine found"):
        find_socket(None)
