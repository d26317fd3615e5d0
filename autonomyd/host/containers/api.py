"""Asks the container engine: one request on one connection to its Unix socket, one bounded answer or one stream.

Not a general HTTP client: no TLS, no TCP, no redirects, no reuse of connections. Paths carry no API version, so that
every engine answers with the version it speaks.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self
from urllib.parse import quote, urlencode

import httptools

from autonomyd.aio.dependency import Dependency, DependencyOpen
from autonomyd.host.tcp import reason_of

CHUNK = 65536
HEADER_LIMIT = 65536
ANSWER_LIMIT = 8_000_000
"""Bytes of an answer that is read whole; the description of a container is about 10 kB."""
LINE_LIMIT = 1_000_000
MESSAGE_CHARS = 300
SOCKETS = ("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock")
UNIX = "unix://"


class EngineFailure(Exception):  # noqa: N818 - the engine is what failed
    """The engine could not be asked, or its answer made no sense: nothing was learned about any container."""


class EngineRefusal(EngineFailure):
    """The engine answered, and the answer is no. `status` is HTTP's: 404 no such thing, 409 not in this state."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def find_socket(configured: str | None) -> str:
    """The path of the engine's socket: the configured one, $DOCKER_HOST, or the first usual one that is there.

    Raises EngineFailure with what to do."""
    if configured:
        return configured.removeprefix(UNIX)
    named = os.environ.get("DOCKER_HOST", "")
    if named.startswith(UNIX):
        return named.removeprefix(UNIX)
    if named:
        raise EngineFailure(
            f"DOCKER_HOST={named}: only an engine on a Unix socket can be asked; set [containers] socket"
        )
    for path in SOCKETS:
        if os.path.exists(path):
            return path
    raise EngineFailure(f"no container engine found at {', '.join(SOCKETS)}; set [containers] socket")


class EngineApi:
    """Calls go through `dependency` (time-out, bulkhead, circuit breaker); a refusal is no failure of the engine."""

    def __init__(self, socket: str | None, dependency: Dependency) -> None:
        self._socket = socket
        self._dependency = dependency

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout_s: float | None = None,
        trial: bool = False,
    ) -> Any:
        """The JSON of the answer, None for an empty one. Values of `query` that are no text are sent as JSON.

        Raises EngineFailure, EngineRefusal."""
        request = _request(method, path, query, body)
        try:
            return await self._dependency.call(
                lambda: self._whole(request), timeout_s=timeout_s, trial=trial, blames=_blames
            )
        except DependencyOpen as error:
            raise EngineFailure(str(error)) from None
        except TimeoutError:
            raise EngineFailure("the container engine did not answer in time") from None

    @contextlib.asynccontextmanager
    async def stream(self, path: str, *, query: Mapping[str, Any] | None = None) -> AsyncIterator[AsyncIterator[bytes]]:
        """The pieces of an endless answer, as they come. Entered when the request is sent. What is not read waits at
        the engine's side. Raises EngineFailure, EngineRefusal while it is read."""
        async with self._sent(_request("GET", path, query, None)) as answer:
            yield answer.pieces()

    async def _whole(self, request: bytes) -> Any:
        async with self._sent(request) as answer:
            parts: list[bytes] = []
            size = 0
            async for piece in answer.pieces():
                size += len(piece)
                if size > ANSWER_LIMIT:
                    raise EngineFailure(f"the container engine's answer is longer than {ANSWER_LIMIT} bytes")
                parts.append(piece)
        return parsed(b"".join(parts))

    @contextlib.asynccontextmanager
    async def _sent(self, request: bytes) -> "AsyncIterator[_Answer]":
        path = find_socket(self._socket)
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=CHUNK)
        except (OSError, ValueError) as error:
            raise EngineFailure(f"the container engine at {path} can't be reached: {reason_of(error)}") from None
        answer = _Answer(reader)
        try:
            writer.write(request)
            yield answer
        finally:
            answer.release()
            writer.transport.abort()


def parsed(body: bytes) -> Any:
    """The value of a JSON text, None for an empty one. Raises EngineFailure."""
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise EngineFailure("the container engine's answer is no JSON") from None


async def lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The complete lines of a stream, without their ends. Raises EngineFailure for one that never ends."""
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        if len(rest) > LINE_LIMIT:
            raise EngineFailure(f"the container engine sent a line of more than {LINE_LIMIT} bytes")
        for line in whole:
            if line.strip():
                yield line


def part(name: str) -> str:
    """A name or id as one part of a path."""
    return quote(name, safe="")


class _Answer:
    """One answer, parsed piece by piece. httptools calls the `on_` methods."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._parser: Any = httptools.HttpResponseParser(self)
        self._status = 0
        self._head = 0
        self._framed = False
        self._complete = False
        self._parts: list[bytes] = []

    def release(self: Self) -> None:
        """Breaks the circle with the parser."""
        self._parser = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body. Raises EngineRefusal for an answer that is no, EngineFailure when it breaks off."""
        refused: list[bytes] = []
        while True:
            parts, self._parts = self._parts, []
            for piece in parts:
                if self._status < 400:
                    yield piece
                elif sum(map(len, refused)) < CHUNK:
                    refused.append(piece)
            if self._complete:
                break
            await self._feed()
        if self._status >= 400:
            raise EngineRefusal(_reason(b"".join(refused), self._status), self._status)

    async def _feed(self) -> None:
        try:
            data = await self._reader.read(CHUNK)
        except OSError as error:
            raise EngineFailure(f"the container engine: {reason_of(error)}") from None
        if not data:
            if not self._status or self._framed:
                raise EngineFailure("the container engine closed the connection before its answer was complete")
            self._complete = True
            return
        if not self._status:
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._complete = True
        except httptools.HttpParserError as error:
            if not self._complete:
                raise EngineFailure(f"the container engine's answer is no HTTP: {error}") from None
        if not self._status and self._head > HEADER_LIMIT:
            raise EngineFailure(f"the container engine's answer has headers of more than {HEADER_LIMIT} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._framed = self._framed or name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        self._complete = True


def _request(method: str, path: str, query: Mapping[str, Any] | None, body: Any) -> bytes:
    if query:
        path += "?" + urlencode(
            {key: each if isinstance(each, str) else json.dumps(each) for key, each in query.items()}
        )
    content = b"" if body is None else json.dumps(body).encode()
    head = [f"{method} {path} HTTP/1.1", "Host: engine", "Connection: close", "User-Agent: autonomyd"]
    if content or method == "POST":
        head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*head, "", ""]).encode("ascii") + content


def _reason(body: bytes, status: int) -> str:
    """What the engine says about its no, in one line."""
    with contextlib.suppress(EngineFailure):
        said = parsed(body)
        if isinstance(said, dict) and isinstance(said.get("message"), str):
            return " ".join(said["message"].split())[:MESSAGE_CHARS]
    return f"the container engine answered {status}"


def _blames(error: Exception) -> bool | None:
    """Whether the engine failed: a no is an answer."""
    return not isinstance(error, EngineRefusal)
