"""The postgres check against a real server: faults, locks, sessions that hold others up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.aio.dependency import Dependencies
from autonomyd.host.databases.postgres import open_postgres
from autonomyd.model.dependency import BreakerState
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probe import Surroundings
from autonomyd.monitor.probes.postgres import PostgresOptions, PostgresProbe
from autonomyd.settings.control import ProcessControl
from autonomyd.settings.dependencies import DependencySettings
from autonomyd.settings.service import ServiceSettings
from tests.boxes.opened import closed_later
from tests.boxes.postgres import PASSWORD, PostgresBox
from tests.boxes.servers import HOST, free_port, running

asyncpg = pytest.importorskip("asyncpg", reason="asyncpg is not installed: pip install 'autonomyd[postgres]'")
OK, FAILED, UNKNOWN = ReadingState.OK, ReadingState.FAILED, ReadingState.UNKNOWN


@pytest.fixture(scope="module")
def box() -> Iterator[PostgresBox]:
    with running(PostgresBox("max_connections=10")) as box:
        yield box  # type: ignore[misc]


@pytest.fixture
def outside() -> Dependencies:
    return Dependencies(SystemClock(), limits_of=lambda family: DependencySettings())


def probe_of(dsn: str, outside: Dependencies | None = None, **options: Any) -> PostgresProbe:
    made = PostgresProbe(PostgresOptions(type="postgres", dsn=dsn, **{"timeout_s": 5.0} | options), SystemClock())
    if outside is not None:
        control = ProcessControl(type="process", command=("python3", "web.py"))
        made.place(Surroundings(service="web", settings=ServiceSettings(control=control), dependencies=outside))
    return closed_later(made)


@asynccontextmanager
async def session(box: PostgresBox) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(box.dsn)
    try:
        yield connection
    finally:
        connection.terminate()


async def test_a_server_that_works(box: PostgresBox) -> None:
    probe = probe_of(box.dsn)
    looks = [await probe.look() for _ in range(3)]
    assert [look.state for look in looks] == [OK] * 3, looks[0].message
    values = looks[-1].values
    assert values["connections"] == 1.0, "the connection is kept"
    assert values["connections_percent"] == pytest.approx(10.0)
    assert values["lock_waits"] == values["replication_lag_s"] == 0.0
    assert values["latency_ms"] < 1000
    probe.close()


async def test_a_wrong_password_is_told_without_it(box: PostgresBox, outside: Dependencies) -> None:
    look = await probe_of(box.dsn.replace(PASSWORD, "wrong-word"), outside).look()
    assert look.state is FAILED
    assert look.message == f'{HOST}:{box.port}: password authentication failed for user "postgres"'
    assert outside.of("postgres", f"{HOST}:{box.port}").state is BreakerState.CLOSED


async def test_a_query_that_fails_and_one_that_is_slow(box: PostgresBox) -> None:
    bad = probe_of(box.dsn, query="select * from no_such_table")
    look = await bad.look()
    assert look.state is FAILED
    assert 'relation "no_such_table" does not exist' in look.message
    slow = probe_of(box.dsn, query="select pg_sleep(0.3)")
    assert (await slow.look()).values["latency_ms"] > 290
    slow.close()
    look = await probe_of(box.dsn, query="select pg_sleep(30)", timeout_s=0.3).look()
    assert (look.state, look.message) == (FAILED, f"{HOST}:{box.port}: no answer within 0.3 s")


async def test_no_more_connections(box: PostgresBox) -> None:
    kept = probe_of(box.dsn)
    assert (await kept.look()).state is OK
    others = []
    with contextlib.suppress(asyncpg.TooManyConnectionsError):
        while True:
            others.append(await asyncpg.connect(box.dsn))
    look = await probe_of(box.dsn).look()
    assert look.state is FAILED
    assert "too many clients" in look.message
    assert (await kept.look()).values["connections_percent"] >= 100.0
    for connection in others:
        connection.terminate()
    kept.close()


async def test_who_holds_others_up_is_seen_and_can_be_ended(box: PostgresBox) -> None:
    probe = probe_of(box.dsn, terminate_after_s=1.0)
    async with session(box) as holder, session(box) as waiter, session(box) as innocent:
        await holder.execute("create table if not exists stock(id int primary key, n int)")
        await holder.execute("insert into stock values (1, 1) on conflict do nothing")
        await holder.execute("begin; update stock set n = 2 where id = 1")
        await innocent.execute("begin; select 1")
        waits = asyncio.create_task(waiter.execute("update stock set n = 3 where id = 1"))
        async with asyncio.timeout(10):
            while not (look := await probe.look()).values["lock_waits"]:
                await asyncio.sleep(0.02)
        assert look.state is OK
        assert 0.0 < look.values["holding_age_s"] < 10.0
        assert look.values["idle_in_transaction_age_s"] > 0.0
        hands = await open_postgres(box.dsn, timeout_s=5.0)
        (found,) = await hands.holders()
        assert (found.idle, found.blocks, found.id) == (True, 1, holder.get_server_pid())
        assert await hands.end(found.id)
        assert await asyncio.wait_for(waits, 10) == "UPDATE 1"
        assert await hands.holders() == ()
        assert await innocent.fetchval("select 2") == 2, "who blocks nobody is left alone"
        hands.close()
        async with asyncio.timeout(10):
            while (await probe.look()).values["holding_age_s"]:
                await asyncio.sleep(0.02)
    probe.close()


async def test_a_user_who_may_not_see_others_says_so(box: PostgresBox) -> None:
    async with session(box) as admin:
        await admin.execute("create role small login password 'x'")
        look = await probe_of(box.dsn.replace(f"postgres:{PASSWORD}", "small:x")).look()
    assert look.state is OK
    assert "may not be looked at (grant pg_monitor" in look.message
    assert look.values["connections"] >= 2.0, "they are counted all the same"


async def test_a_unix_socket(box: PostgresBox) -> None:
    dsn = f"postgresql://postgres:{PASSWORD}@/postgres?host={box.folder}&port={box.port}"
    probe = probe_of(dsn)
    assert (await probe.look()).state is OK
    probe.close()


async def test_frozen_killed_and_started_again(outside: Dependencies) -> None:
    with running(PostgresBox()) as own:
        probe = probe_of(own.dsn, outside, timeout_s=0.5)
        assert (await probe.look()).state is OK
        own.freeze()
        for _ in range(2):
            look = await probe.look()
            assert (look.state, look.message) == (FAILED, f"{HOST}:{own.port}: no answer within 0.5 s")
        own.thaw()
        async with asyncio.timeout(20):
            while (await probe.look()).state is not OK:
                await asyncio.sleep(0.05)
        own.kill()
        for _ in range(3):
            look = await probe.look()
            assert (look.state, look.message) == (FAILED, f"{HOST}:{own.port}: connection refused")
        assert outside.of("postgres", f"{HOST}:{own.port}").state is BreakerState.OPEN
        own.launch()
        async with asyncio.timeout(20):
            while (look := await probe.look()).state is not OK:
                assert look.state is FAILED, "while it starts it does not work"
                await asyncio.sleep(0.01)
        assert outside.of("postgres", f"{HOST}:{own.port}").state is BreakerState.CLOSED
        probe.close()


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"N" + b"\xff" * 4096, b"NR\x7f\xff\xff\xff", b""]
)
async def test_garbage_is_no_postgres(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        if said:
            await reader.read()
        writer.close()

    port = free_port()
    server = await asyncio.start_server(answer, HOST, port)
    look = await probe_of(f"postgresql://u:pw-of-mine@{HOST}:{port}/db", timeout_s=0.5).look()
    server.close()
    assert look.state is FAILED
    assert "pw-of-mine" not in look.message
