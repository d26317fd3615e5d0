"""One HTTP answer as it comes in from a server that may be broken or hostile: every size is bounded."""

import asyncio
from typing import Any, cast

import httptools

from autonomyd.host.failure import HttpFailure
from autonomyd.host.tcp import reason_of

HEADER_LIMIT = 65536
"""Bytes of status line and headers, trailers included."""
HEADER_COUNT = 256
FRAMING_FACTOR = 8
"""A chunk of one byte costs six on the wire: more than this times the body is framing without content."""


class AnswerProtocol(asyncio.Protocol):
    """Sends one request and parses one answer; `done` ends with None or with the failure as a value (a result
    that nobody fetched, after a cancellation, is no news for the log)."""

    __slots__ = (
        "_body_limit",
        "_complete",
        "_framed",
        "_headers_done",
        "_parser",
        "_parts",
        "_request",
        "_size",
        "_wire_bytes",
        "_without_body",
        "done",
        "headers",
        "status",
        "truncated",
    )

    def __init__(self, request: bytes, *, body_limit: int, without_body: bool) -> None:
        self.done: asyncio.Future[HttpFailure | None] = asyncio.get_running_loop().create_future()
        self.headers: list[tuple[str, str]] = []
        self.status = 0
        self.truncated = False
        self._request = request
        self._body_limit = body_limit
        self._without_body = without_body
        self._parser: Any = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._size = 0
        self._wire_bytes = 0
        self._headers_done = False
        self._framed = False
        self._complete = False

    @property
    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def release(self) -> None:
        """Break the circle with the parser: a hundred looks a second should not be left to the garbage collector."""
        self._complete = True
        self._parser = None

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._complete:
            return
        self._wire_bytes += len(data)
        if self._headers_done and self._wire_bytes > HEADER_LIMIT + FRAMING_FACTOR * self._body_limit:
            self._finish(truncated=True)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._finish()  # 101: what follows is another protocol
        except httptools.HttpParserCallbackError as error:
            self._fail(str(error.__context__ or error))
        except httptools.HttpParserError as error:
            # No matter when the answer is complete: what a server says after its goodbye is not looked at.
            self._fail(f"bad answer: {error}")
        if not self._headers_done and self._wire_bytes > HEADER_LIMIT:
            self._fail(f"bad answer: headers of more than {HEADER_LIMIT} bytes")

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._ended(error)

    # httptools calls these

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._headers_done:
            return  # trailers
        if len(self.headers) >= HEADER_COUNT:
            raise ValueError(f"bad answer: more than {HEADER_COUNT} headers")
        key = name.decode("latin-1").lower()
        if key in ("content-length", "transfer-encoding"):
            self._framed = True
        self.headers.append((key, value.decode("utf-8", "replace")))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if 100 <= self.status < 200 and self.status != 101:
            return
        self._headers_done = True
        if self._without_body:
            self._finish()

    def on_body(self, body: bytes) -> None:
        if self._complete:
            return
        room = self._body_limit - self._size
        if len(body) > room:
            body = body[:room]
            self._parts.append(body)
            self._finish(truncated=True)
            return
        self._parts.append(body)
        self._size += len(body)

    def on_message_complete(self) -> None:
        if self._headers_done:
            self._finish()
        else:  # an interim answer (100, 103): the real one follows
            self.headers.clear()
            self._framed = False

    def _finish(self, *, truncated: bool = False) -> None:
        if not self._complete:
            self._complete = True
            self.truncated = truncated
            if not self.done.done():
                self.done.set_result(None)

    def _fail(self, message: str) -> None:
        if not self._complete:
            self._complete = True
            if not self.done.done():
                self.done.set_result(HttpFailure(message, stage="answer"))

    def _ended(self, error: Exception | None) -> None:
        if self._complete:
            return
        if error is not None:
            self._fail(f"{reason_of(error)} before the answer was complete")
        elif self._headers_done and not self._framed:
            self._finish()  # the end of the connection is the end of the body
        elif self._wire_bytes:
            self._fail("the connection was closed before the answer was complete")
        else:
            self._fail("the connection was closed without an answer")
