"""The redis check against a real server, and against what is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.aio.dependency import Dependencies
from autonomyd.model.dependency import BreakerState
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probe import Surroundings
from autonomyd.monitor.probes.redis import RedisOptions, RedisProbe
from autonomyd.settings.control import ProcessControl
from autonomyd.settings.dependencies import DependencySettings
from autonomyd.settings.service import ServiceSettings
from tests.boxes.opened import closed_later
from tests.boxes.redis import RedisBox
from tests.boxes.servers import HOST, free_port, running

OK, FAILED, UNKNOWN = ReadingState.OK, ReadingState.FAILED, ReadingState.UNKNOWN

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def redis() -> Iterator[RedisBox]:
    with running(RedisBox()) as box:
        yield box  # type: ignore[misc]


@pytest.fixture
def outside() -> Dependencies:
    return Dependencies(SystemClock(), limits_of=lambda family: DependencySettings())


def probe_of(url: str, outside: Dependencies | None = None, **options: Any) -> RedisProbe:
    made = RedisProbe(RedisOptions(type="redis", url=url, **{"timeout_s": 0.5} | options), SystemClock())
    if outside is not None:
        control = ProcessControl(type="process", command=("python3", "web.py", "--redis", url))
        made.place(Surroundings(service="web", settings=ServiceSettings(control=control), dependencies=outside))
    return closed_later(made)


async def test_a_server_that_works(redis: RedisBox) -> None:
    probe = probe_of(redis.url)
    look = await probe.look()
    assert look.state is OK, look.message
    assert look.values["clients"] == 1.0
    assert 0.3 < look.values["memory_mb"] < 50
    assert look.values["unsaved"] == 0.0
    for _ in range(3):
        assert (await probe.look()).values["clients"] == 1.0, "the connection is kept"
    assert "total_connections_received:1\r\n" not in redis.say("INFO", "stats"), "but this one is new"
    probe.close()


async def test_looks_side_by_side(redis: RedisBox) -> None:
    probe = probe_of(redis.url)
    looks = await asyncio.gather(*(probe.look() for _ in range(8)))
    assert {look.state for look in looks} == {OK}
    assert (await probe.look()).values["clients"] <= 2.0, "one connection is kept, the others are ended"
    probe.close()


async def test_killed_and_started_again(redis: RedisBox, outside: Dependencies) -> None:
    probe = probe_of(redis.url, outside)
    assert (await probe.look()).state is OK
    redis.kill()
    for _ in range(4):
        look = await probe.look()
        assert (look.state, look.message) == (FAILED, f"{HOST}:{redis.port}: connection refused")
    status = outside.statuses()[f"redis:{HOST}:{redis.port}"]
    assert (status.state, status.message) == (BreakerState.OPEN, "connection refused")
    redis.start()
    assert (await probe.look()).state is OK, "a check asks while the breaker is open: it is the trial"
    assert outside.statuses()[f"redis:{HOST}:{redis.port}"].state is BreakerState.CLOSED
    probe.close()


async def test_a_restart_between_two_looks_is_no_failure(redis: RedisBox) -> None:
    probe = probe_of(redis.url)
    assert (await probe.look()).state is OK
    redis.stop()
    redis.start()
    assert (await probe.look()).state is OK
    probe.close()


async def test_frozen_and_thawed(redis: RedisBox) -> None:
    probe = probe_of(redis.url, timeout_s=0.3)
    assert (await probe.look()).state is OK
    redis.freeze()
    for _ in range(2):  # the kept connection, then a new one
        look = await probe.look()
        assert (look.state, look.message) == (FAILED, f"{HOST}:{redis.port}: no answer within 0.3 s")
    redis.thaw()
    assert (await probe_of(redis.url, timeout_s=5.0).look()).state is OK
    probe.close()


async def test_a_wrong_password_is_told_without_it(outside: Dependencies) -> None:
    with running(RedisBox(password="right-word")) as box:
        good = probe_of(box.url)
        assert (await good.look()).state is OK
        good.close()
        for url in (f"redis://:wrong-word@{HOST}:{box.port}", f"redis://{HOST}:{box.port}"):
            look = await probe_of(url, outside).look()
            assert look.state is FAILED
            assert "WRONGPASS" in look.message or "NOAUTH" in look.message
            assert "wrong-word" not in look.message
        assert outside.of("redis", f"{HOST}:{box.port}").state is BreakerState.CLOSED, "it answers"


async def test_no_more_clients() -> None:
    with running(RedisBox("--maxclients", "3")) as box:
        kept = probe_of(box.url)
        first = await kept.look()
        assert first.values["clients_percent"] == pytest.approx(100 / 3)
        others = [await asyncio.open_connection(HOST, box.port) for _ in range(2)]
        assert (await kept.look()).values["clients_percent"] == pytest.approx(100.0)
        look = await probe_of(box.url).look()
        assert look.state is FAILED
        assert "max number of clients reached" in look.message
        for _, writer in others:
            writer.close()
        kept.close()


async def test_full_memory_counts_only_where_nothing_is_evicted() -> None:
    with running(RedisBox("--maxmemory", "2mb", "--maxmemory-policy", "noeviction")) as box:
        for name in range(40):
            box.say("SET", f"key{name}", "x" * 50_000)
        probe = probe_of(box.url)
        look = await probe.look()
        assert look.state is OK
        assert look.values["memory_percent"] > 95.0
        box.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        assert "memory_percent" not in (await probe.look()).values
        probe.close()


async def test_what_could_not_be_saved_is_told_and_is_no_failure(redis: RedisBox) -> None:
    probe = probe_of(redis.url)
    redis.say("CONFIG", "SET", "save", '"3600 1"')
    redis.say("SET", "key", "value")
    redis.folder.chmod(0o555)
    redis.say("BGSAVE")
    async with asyncio.timeout(10):
        while (look := await probe.look()).values["unsaved"] == 0.0:
            await asyncio.sleep(0.02)
    assert look.state is OK, "a restart would lose the data"
    assert "it refuses writes: MISCONF" in (await probe.look()).message
    redis.folder.chmod(0o755)
    redis.say("SAVE")
    assert (await probe.look()).values["unsaved"] == 0.0
    probe.close()


async def test_a_busy_script_is_a_failure(redis: RedisBox) -> None:
    redis.say("CONFIG", "SET", "busy-reply-threshold", "50")
    _, writer = await asyncio.open_connection(HOST, redis.port)
    writer.write(b'EVAL "while true do end" 0\r\n')
    await writer.drain()
    async with asyncio.timeout(10):
        while "BUSY" not in (look := await probe_of(redis.url).look()).message:
            assert look.state is FAILED or look.state is OK
            await asyncio.sleep(0.02)
    assert look.state is FAILED
    redis.say("SCRIPT", "KILL")
    writer.close()


async def test_a_unix_socket() -> None:
    with running(RedisBox("--unixsocket", "r.sock", "--unixsocketperm", "777")) as box:
        probe = probe_of(f"redis://localhost/1?socket={box.folder}/r.sock")
        assert (await probe.look()).state is OK
        probe.close()
    look = await probe_of(f"redis://localhost?socket={box.folder}/none.sock").look()
    assert (look.state, look.message) == (FAILED, f"{box.folder}/none.sock: no such file or directory")


@asynccontextmanager
async def impostor(answer: Answer) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    port = free_port()
    server = await asyncio.start_server(serve, HOST, port)
    try:
        yield port
    finally:
        server.close()


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"$999999999999\r\n",
        b"$-5\r\n\x00\xff",
        b"*99999999\r\n",
        b"*1\r\n" * 1000,
        b"+" + b"x" * 200_000,
        b"$3\r\nabcdef",
        b":nonsense\r\n",
        b"\x00\x01\x02\r\n",
        b"+PONG\r\n$5000000\r\n" + b"y" * 10_000,
    ],
)
async def test_garbage_is_no_redis(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        await reader.read()

    async with impostor(answer) as port:
        look = await probe_of(f"redis://{HOST}:{port}").look()
    assert look.state is FAILED
    assert look.message in (
        f"{HOST}:{port}: what answers is not a Redis server",
        f"{HOST}:{port}: no answer within 0.5 s",
    )


async def test_an_answer_without_end_is_cut_off() -> None:
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"+PONG\r\n*1000000\r\n")
        while True:
            writer.write(b"+more\r\n" * 1000)
            await writer.drain()
            sent += 7000

    async with impostor(answer) as port:
        look = await probe_of(f"redis://{HOST}:{port}", timeout_s=5.0).look()
    assert look.state is FAILED
    assert sent < 20_000_000


async def test_a_look_that_is_cancelled_leaves_nothing(redis: RedisBox) -> None:
    probe = probe_of(redis.url)
    await probe.look()
    redis.freeze()
    task = asyncio.create_task(probe.look())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    redis.thaw()
    look = await probe.look()
    assert look.state is OK
    assert look.values["clients"] == 1.0, "the connection of the cancelled look is gone"
    probe.close()
