"""HTTP and TCP looks against real servers on loopback that are well, slow, broken or hostile, on both event loops."""

import asyncio
import gc
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from autonomyd.host.failure import HttpFailure, NetworkFailure
from autonomyd.host.http import HttpAnswer, http_get
from autonomyd.host.tcp import tcp_connect

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return asyncio.run if request.param == "asyncio" else uvloop.run


@asynccontextmanager
async def serving(
    handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """A server whose connections are cut at the end, however they hang."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(*parts: bytes) -> Handler:
    """Reads the request, answers with `parts`, each in a packet of its own, and closes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()

    return handler


def look(run: Run, handler: Handler, **options: Any) -> HttpAnswer:
    async def main() -> HttpAnswer:
        async with serving(handler) as port:
            return await http_get(f"http://127.0.0.1:{port}/health", **{"timeout_s": 5.0, **options})

    answer = run(main())
    assert isinstance(answer, HttpAnswer)
    return answer


def failure(run: Run, handler: Handler, **options: Any) -> HttpFailure:
    with pytest.raises(HttpFailure) as caught:
        look(run, handler, **options)
    return caught.value


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: a\r\n\r\nok"


def test_an_answer(run: Run) -> None:
    answer = look(run, saying(OK))
    assert (answer.status, answer.body, answer.header("x-one"), answer.truncated) == (200, b"ok", "a", False)
    assert 0 < answer.latency_s < 5


def test_an_answer_byte_by_byte(run: Run) -> None:
    answer = look(run, saying(*(OK[index : index + 1] for index in range(len(OK)))))
    assert (answer.status, answer.body) == (200, b"ok")


def test_a_bad_status_is_an_answer(run: Run) -> None:
    assert look(run, saying(b"HTTP/1.0 503 Busy\r\n\r\nlater")).body == b"later"


def test_chunks_with_trailers(run: Run) -> None:
    answer = look(
        run,
        saying(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3\r\nabc\r\n",
            b"2;x=y\r\nde\r\n",
            b"0\r\nT: 1\r\n\r\n",
        ),
    )
    assert (answer.body, answer.header("t")) == (b"abcde", None)


def test_an_interim_answer_is_not_the_answer(run: Run) -> None:
    answer = look(run, saying(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK))
    assert (answer.status, answer.body, answer.header("link")) == (200, b"ok", None)


def test_an_answer_without_a_body_ends_with_its_headers(run: Run) -> None:
    answer = look(run, saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert look(run, saying(b"HTTP/1.1 204 No Content\r\n\r\n")).status == 204


def test_what_follows_the_answer_does_not_matter(run: Run) -> None:
    assert look(run, saying(OK + b"HTTP/9 garbage \0\0")).body == b"ok"


def test_a_switch_of_protocols_is_an_answer(run: Run) -> None:
    assert (
        look(run, saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n\0\1")).status
        == 101
    )


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"],
    ids=["until the end", "announced"],
)
def test_an_endless_body_is_cut(run: Run, head: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()

    answer = look(run, handler, body_limit=25_000)
    assert (answer.status, len(answer.body), answer.truncated) == (200, 25_000, True)


def test_a_body_of_exactly_the_limit_is_whole(run: Run) -> None:
    answer = look(run, saying(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"), body_limit=4)
    assert (answer.body, answer.truncated) == (b"abcd", False)


def test_endless_framing_without_a_body_is_cut(run: Run) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()

    assert look(run, handler, body_limit=1000).truncated


def test_endless_headers_are_refused(run: Run) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-Long: " + b"x" * 10_000)
            await writer.drain()

    assert "more than 65536 bytes" in failure(run, handler).message


def test_too_many_headers_are_refused(run: Run) -> None:
    message = failure(run, saying(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n")).message
    assert message == "bad answer: more than 256 headers"


def test_endless_interim_answers_are_refused(run: Run) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
            await writer.drain()

    assert "more than 65536 bytes" in failure(run, handler).message


def test_garbage_is_a_bad_answer(run: Run) -> None:
    found = failure(run, saying(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"))
    assert found.message.startswith("bad answer: ")
    assert found.connected


def test_an_empty_answer(run: Run) -> None:
    assert failure(run, saying()).message == "the connection was closed without an answer"


@pytest.mark.parametrize(
    "part",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
def test_an_answer_that_breaks_off(run: Run, part: bytes) -> None:
    assert failure(run, saying(part)).message == "the connection was closed before the answer was complete"


def test_a_reset(run: Run) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    found = failure(run, handler)
    assert found.message == "connection reset before the answer was complete"
    assert found.connected


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("handler", [silent, dripping])
def test_a_server_that_accepts_and_does_not_answer_in_time(run: Run, handler: Handler) -> None:
    found = failure(run, handler, timeout_s=0.2)
    assert found.message == "no answer within 0.2 s (connected)"
    assert found.connected


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_nobody_listens(run: Run) -> None:
    port = closed_port()
    with pytest.raises(HttpFailure) as caught:
        run(http_get(f"http://127.0.0.1:{port}/", timeout_s=2.0))
    assert caught.value.message == "connection refused"
    assert (caught.value.stage, caught.value.ours) == ("connect", False)
    with pytest.raises(NetworkFailure, match="connection refused"):
        run(tcp_connect("127.0.0.1", port, timeout_s=2.0))


def test_a_server_that_does_not_accept(run: Run) -> None:
    """A full backlog: the kernel drops the greeting, as a firewall does."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        try:
            for sock in waiting:
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", port))
            with pytest.raises(HttpFailure) as caught:
                run(http_get(f"http://127.0.0.1:{port}/", timeout_s=0.2))
            assert caught.value.message == "no connection within 0.2 s"
            assert not caught.value.connected
            with pytest.raises(NetworkFailure) as tcp_caught:
                run(tcp_connect("127.0.0.1", port, timeout_s=0.2))
            assert tcp_caught.value.stage == "connect"
        finally:
            for sock in waiting:
                sock.close()


def test_localhost_is_also_found_on_ipv6_only(run: Run) -> None:
    async def main() -> int:
        async with serving(saying(OK), host="::1") as port:
            await tcp_connect("localhost", port, timeout_s=5.0)
            return (await http_get(f"http://localhost:{port}/", timeout_s=5.0)).status

    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on loopback here")
    assert run(main()) == 200


def test_a_name_that_does_not_exist(run: Run) -> None:
    with pytest.raises(HttpFailure) as caught:
        run(http_get("http://no-such-host.invalid/", timeout_s=5.0))
    assert caught.value.stage == "resolve"


def test_no_descriptors_left_is_our_own_fault(run: Run) -> None:
    import resource

    async def main() -> HttpFailure:
        async with serving(saying(OK)) as port:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            lowest = socket.socket()  # the next free descriptor
            limit = lowest.fileno()
            lowest.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            try:
                with pytest.raises(HttpFailure) as caught:
                    await http_get(f"http://127.0.0.1:{port}/", timeout_s=2.0)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            return caught.value

    gc.collect()
    found = run(main())
    assert found.ours
    assert not found.connected


def test_redirects_are_followed_only_when_asked(run: Run) -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        seen.append(request.split(b" ")[1])
        if request.startswith(b"GET /health"):
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: login?a=1\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(OK)
        await writer.drain()

    assert look(run, handler).status == 302
    assert look(run, handler, follow=1).status == 200
    assert seen == [b"/health", b"/health", b"/login?a=1"]


def test_a_redirect_in_a_circle_ends(run: Run) -> None:
    assert look(run, saying(b"HTTP/1.1 301 Moved\r\nLocation: /health\r\n\r\n"), follow=5).status == 301


def test_a_redirect_to_elsewhere_takes_no_secrets_along_and_no_other_scheme(run: Run) -> None:
    seen: list[bytes] = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    async def main() -> int:
        async with serving(other) as port:
            first = saying(f"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:{port}/x\r\n\r\n".encode())
            async with serving(first) as first_port:
                answer = await http_get(
                    f"http://127.0.0.1:{first_port}/", timeout_s=5.0, follow=1, headers=[("Authorization", "s3cret")]
                )
                return answer.status

    assert run(main()) == 200
    assert b"s3cret" not in seen[0]
    bad = failure(run, saying(b"HTTP/1.1 302 X\r\nLocation: file:///etc/passwd\r\n\r\n"), follow=1)
    assert bad.stage == "request"


def test_a_cancelled_look_leaves_no_connection(run: Run) -> None:
    async def main() -> None:
        connected, hung_up = asyncio.Event(), asyncio.Event()

        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            while await reader.read(1000):
                pass
            hung_up.set()

        async with serving(handler) as port:
            looking = asyncio.create_task(http_get(f"http://127.0.0.1:{port}/", timeout_s=30.0))
            async with asyncio.timeout(5):
                await connected.wait()
                looking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await looking
                await hung_up.wait()

    run(main())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-keyout key.pem -out cert.pem -subj /CN=localhost"
    )
    made = subprocess.run(
        command.split(),
        cwd=folder,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs the openssl command")
    return folder


def test_https_verifies_unless_told_not_to(run: Run, certificate: Path) -> None:
    async def main() -> HttpAnswer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        async with serving(saying(OK), tls=context) as port:
            with pytest.raises(HttpFailure) as caught:
                await http_get(f"https://127.0.0.1:{port}/", timeout_s=5.0)
            assert caught.value.message == "certificate not accepted: self-signed certificate"
            return await http_get(f"https://127.0.0.1:{port}/", timeout_s=5.0, verify=False)

    gc.collect()
    assert run(main()).body == b"ok"


def test_https_to_a_server_that_speaks_plain_http(run: Run) -> None:
    async def main() -> None:
        async with serving(saying(OK)) as port:
            await http_get(f"https://127.0.0.1:{port}/", timeout_s=0.3)

    with pytest.raises(HttpFailure, match="no TLS connection within"):
        run(main())


def test_tcp_tells_the_latency(run: Run) -> None:
    async def main() -> float:
        async with serving(silent) as port:
            return await tcp_connect("127.0.0.1", port, timeout_s=5.0)

    began = time.perf_counter()
    assert 0 < run(main()) < time.perf_counter() - began
