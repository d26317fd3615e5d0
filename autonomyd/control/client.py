"""The synchronous client of the control socket: one request, one connection, the standard library only.

It must stay light (no asyncio, no pydantic, no http.client): it is on the start-up path of every `autonomyctl` call.
"""

import json
import os
import socket as sockets
from typing import Any
from urllib.parse import quote, urlencode

from autonomyd.host.paths import socket_candidates

SOCKET_VARIABLE = "AUTONOMYD_SOCKET"
DEFAULT_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 64 * 1024

HOW_TO_START = (
    "Start one: `autonomyd` (in the foreground), `systemctl start autonomyd` (as a service), "
    "or `make run` (from a checkout)."
)


class ClientError(Exception):
    """Why a request has no result. `hint` says what a person can do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NoDaemon(ClientError):  # noqa: N818 - a state of affairs
    """Nothing listens on any of the sockets that were tried, or what listens does not answer."""


class Denied(ClientError):  # noqa: N818 - a state of affairs
    """The socket is there, but this user may not talk to it."""


class ApiError(ClientError):
    """The daemon refused or failed. `status` is the HTTP status."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


class Client:
    """Talks to the daemon on `socket`, or on the first that answers (see `find_sockets`)."""

    def __init__(self, socket: str | None = None, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        self._paths = find_sockets(socket)
        self._timeout_s = timeout_s

    def get(self, path: str, **query: Any) -> Any:
        """The JSON value of `path`; query values that are None are left out. Raises ClientError."""
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask("GET", path + ("?" + urlencode(given) if given else ""), b"")

    def post(self, path: str, body: Any = None) -> Any:
        """The JSON value that the daemon answers to `body`. Raises ClientError."""
        return self._ask("POST", path, json.dumps({} if body is None else body).encode())

    def _ask(self, method: str, target: str, body: bytes) -> Any:
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: autonomyd\r\nAccept: application/json\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection, path = connect(self._paths, self._timeout_s)
        with connection:
            try:
                connection.sendall(head.encode("ascii") + body)
                answer = _read_all(connection)
            except TimeoutError:
                raise NoDaemon(
                    f"the daemon on {path} did not answer within {self._timeout_s:g} s",
                    "It may be busy or stuck: look at its log, or restart it.",
                ) from None
            except OSError as error:
                raise NoDaemon(f"the daemon on {path} broke off: {error.strerror or error}", HOW_TO_START) from None
        return _value(*_parse(answer, path))


def quoted(name: str) -> str:
    """`name` as one segment of a path (its slashes are kept: metric names have them)."""
    return quote(name, safe="/")


def find_sockets(socket: str | None = None) -> tuple[str, ...]:
    """The socket paths to try, in order: the one given, else $AUTONOMYD_SOCKET, else the system's and the user's."""
    chosen = socket or os.environ.get(SOCKET_VARIABLE)
    return (chosen,) if chosen else tuple(str(path) for path in socket_candidates())


def find_socket(socket: str | None = None) -> str:
    """The path of the first socket that a daemon listens on. Raises NoDaemon or Denied."""
    connection, path = connect(find_sockets(socket), DEFAULT_TIMEOUT_S)
    connection.close()
    return path


def connect(paths: tuple[str, ...], timeout_s: float) -> tuple[sockets.socket, str]:
    """A connection to the first of `paths` that listens, and that path. Raises NoDaemon or Denied."""
    denied: str | None = None
    for path in paths:
        connection = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        connection.settimeout(timeout_s)
        try:
            connection.connect(path)
        except PermissionError:
            denied = denied or path
        except TimeoutError:
            connection.close()
            raise NoDaemon(f"the daemon on {path} takes no connections", "It may be stuck: look at its log.") from None
        except (OSError, ValueError):  # absent, stale, no socket, too long, a NUL in it: nobody listens there
            pass
        else:
            return connection, path
        connection.close()
    if denied is not None:
        raise Denied(f"you may not talk to {denied}", "Members of the group autonomyd and root may: try with `sudo`.")
    raise NoDaemon(f"no daemon listens on {' or '.join(paths)}.", HOW_TO_START)


def _read_all(connection: sockets.socket) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := connection.recv(_PIECE_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            raise OSError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    return b"".join(pieces)


def _parse(answer: bytes, path: str) -> tuple[int, bytes]:
    """The status and the body of a whole HTTP answer."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not separator or not words[0].startswith("HTTP/1.") or not words[1:2] or not words[1].isdigit():
        raise NoDaemon(f"what listens on {path} is not autonomyd, or it broke off in mid-answer", HOW_TO_START)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _unchunked(body, path)
    elif headers.get("content-length", str(len(body))) != str(len(body)):
        raise NoDaemon(f"the daemon on {path} broke off in mid-answer", "Try again.")
    return int(words[1]), body


def _unchunked(body: bytes, path: str) -> bytes:
    whole = b""
    while True:
        size_text, separator, body = body.partition(b"\r\n")
        try:
            size = int(size_text.split(b";")[0], 16)
        except ValueError:
            separator, size = b"", 0
        if not separator or len(body) < size:
            raise NoDaemon(f"the daemon on {path} broke off in mid-answer", "Try again.")
        if size == 0:
            return whole
        whole, body = whole + body[:size], body[size + 2 :]


def _value(status: int, body: bytes) -> Any:
    try:
        value = json.loads(body) if body else None
    except ValueError:
        value = None
        status = status if status >= 400 else 502
    if status < 400:
        return value
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        raise ApiError(
            status, f"the daemon answered {status} without a reason", "Its log has more: `autonomyctl logs`."
        )
    raise ApiError(status, str(error.get("message", "")), str(error.get("hint") or ""))
