"""One HTTP look: a new connection, one request, one bounded answer. Small and quick on purpose, for checks that run
every second; not a client for anything else (no cookies, proxies, compression or connection reuse)."""

import asyncio
import functools
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from autonomyd.aio.offload import in_thread
from autonomyd.host.failure import HttpFailure, NetworkFailure
from autonomyd.host.http_answer import AnswerProtocol
from autonomyd.host.tcp import open_transport, resolve

if TYPE_CHECKING:
    import ssl

__all__ = ["HttpAnswer", "HttpFailure", "NetworkFailure", "http_get", "tls_context"]

BODY_LIMIT = 65536
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OWN_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding"})
_QUOTE_SAFE = "%/:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """`headers` are (lower-case name, value) in the order sent; `body` holds at most `body_limit` bytes (`truncated`
    when there was more); `latency_s` is from before the connecting to the end of the answer, redirects included."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    latency_s: float
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """The first header of that (lower-case) name."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a URL leads. `host` is for connecting and for the certificate, `authority` for the Host header."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str

    @property
    def origin(self) -> tuple[bool, str, int]:
        return (self.secure, self.host, self.port)


async def http_get(
    url: str,
    *,
    timeout_s: float,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    body_limit: int = BODY_LIMIT,
    verify: bool = True,
    follow: int = 0,
) -> HttpAnswer:
    """Ask `url` once and give the answer, whatever its status. `follow` is how many redirects to follow; `headers` are
    not sent on to another origin. Raises HttpFailure (see NetworkFailure), and nothing else but CancelledError."""
    began = time.perf_counter()
    deadline = asyncio.get_running_loop().time() + timeout_s
    stage = _Stage()
    sent = tuple((name, value) for name, value in headers)
    try:
        async with asyncio.timeout_at(deadline):
            target = parse_url(url)
            while True:
                answer = await _exchange(
                    target,
                    request_bytes(target, method, sent),
                    stage,
                    deadline=deadline,
                    verify=verify,
                    body_limit=body_limit,
                    without_body=method == "HEAD",
                )
                location = next((value for key, value in answer.headers if key == "location"), None)
                if follow <= 0 or answer.status not in REDIRECTS or location is None:
                    break
                follow -= 1
                url = urljoin(url, location)
                before, target = target, parse_url(url)
                if target.origin != before.origin:
                    sent = ()
                if answer.status == 303 and method != "HEAD":
                    method = "GET"
    except TimeoutError:
        raise stage.timed_out(timeout_s) from None
    except HttpFailure:
        raise
    except NetworkFailure as failure:
        raise HttpFailure(failure.message, stage=failure.stage, ours=failure.ours) from None
    return HttpAnswer(
        status=answer.status,
        headers=tuple(answer.headers),
        body=answer.body,
        latency_s=time.perf_counter() - began,
        truncated=answer.truncated,
    )


@functools.lru_cache(maxsize=512)
def parse_url(url: str) -> Target:
    """Where `url` leads; raises HttpFailure for one that can't be asked."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise HttpFailure(f"bad url {url!r}: {error}", stage="request") from None
    if parts.scheme not in ("http", "https"):
        raise HttpFailure(f"bad url {url!r}: only http and https can be asked", stage="request")
    if parts.username is not None or parts.password is not None:
        raise HttpFailure("bad url: a user name or password in it would end in logs; use a header", stage="request")
    if not host or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise HttpFailure(f"bad url {url!r}: no host, or a space or control character in it", stage="request")
    secure = parts.scheme == "https"
    standard = 443 if secure else 80
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as error:
            raise HttpFailure(f"bad url {url!r}: {error}", stage="request") from None
    name = f"[{host}]" if ":" in host else host
    path = quote(parts.path or "/", safe=_QUOTE_SAFE)
    if parts.query:
        path += "?" + quote(parts.query, safe=_QUOTE_SAFE)
    port = standard if port is None else port
    authority = name if port == standard else f"{name}:{port}"
    return Target(secure=secure, host=host, port=port, authority=authority, path=path)


@functools.lru_cache(maxsize=512)
def request_bytes(target: Target, method: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    """The request as it goes over the wire; raises HttpFailure for a header that would change its meaning."""
    if not _TOKEN.fullmatch(method) or method == "CONNECT":
        raise HttpFailure(f"bad method {method!r}", stage="request")
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.authority}", "Connection: close"]
    given = set()
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _OWN_HEADERS - {"host"}:
            raise HttpFailure(f"bad header {name!r}", stage="request")
        if name.lower() == "host":
            lines[1] = f"Host: {value}"
            continue
        given.add(name.lower())
        lines.append(f"{name}: {value}")
    if "user-agent" not in given:
        lines.append("User-Agent: autonomyd")
    if "accept" not in given:
        lines.append("Accept: */*")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class _Stage:
    """How far a look has come, for the message when the time is over."""

    __slots__ = ("connected", "resolved", "secure")

    def __init__(self) -> None:
        self.resolved = False
        self.connected = False
        self.secure = False

    def timed_out(self, timeout_s: float) -> HttpFailure:
        if self.connected:
            return HttpFailure(f"no answer within {timeout_s:g} s (connected)", stage="answer")
        if self.resolved:
            what = "TLS connection" if self.secure else "connection"
            return HttpFailure(f"no {what} within {timeout_s:g} s", stage="connect")
        return HttpFailure(f"the host name was not resolved within {timeout_s:g} s", stage="resolve")


async def _exchange(
    target: Target,
    request: bytes,
    stage: _Stage,
    *,
    deadline: float,
    verify: bool,
    body_limit: int,
    without_body: bool,
) -> AnswerProtocol:
    stage.resolved = stage.connected = False
    stage.secure = target.secure
    addresses = await resolve(target.host)
    stage.resolved = True
    tls = await tls_context(verify) if target.secure else None
    transport, answer = await open_transport(
        lambda: AnswerProtocol(request, body_limit=body_limit, without_body=without_body),
        addresses,
        target.port,
        deadline=deadline,
        tls=tls,
        server_name=target.host,
    )
    stage.connected = True
    try:
        failure = await answer.done
    finally:
        # Everything wanted was read. A polite close would leave a TLS connection waiting for the other side's goodbye.
        transport.abort()
        answer.release()
    if failure is not None:
        raise failure
    return answer


async def tls_context(verify: bool) -> "ssl.SSLContext":
    """How TLS is spoken with others, made once. Raises HttpFailure."""
    try:
        return await in_thread(lambda: _tls_context(verify))
    except (ImportError, OSError) as error:
        raise HttpFailure(f"no TLS here: {error}", stage="connect", ours=True) from None


@functools.cache
def _tls_context(verify: bool) -> "ssl.SSLContext":
    """Made once: reading the machine's certificates takes tens of milliseconds, hence also in a thread."""
    import ssl

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
