"""The mysql check against a real MariaDB server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.host.databases.mysql import CACHED_S, open_mysql
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probes.mysql import MysqlOptions, MysqlProbe, mysql_address
from tests.boxes.mariadb import PASSWORD, MariadbBox
from tests.boxes.opened import closed_later
from tests.boxes.servers import HOST, free_port, running

aiomysql = pytest.importorskip("aiomysql", reason="aiomysql is not installed: pip install 'autonomyd[mysql]'")
OK, FAILED = ReadingState.OK, ReadingState.FAILED


@pytest.fixture(scope="module")
def box() -> Iterator[MariadbBox]:
    with running(MariadbBox("--max-connections=10")) as box:
        yield box  # type: ignore[misc]


def probe_of(url: str, **options: Any) -> MysqlProbe:
    made = MysqlProbe(MysqlOptions(type="mysql", url=url, **{"timeout_s": 5.0} | options), SystemClock())
    return closed_later(made)


@asynccontextmanager
async def session(box: MariadbBox) -> AsyncIterator[Any]:
    address = mysql_address(box.url)
    connection = await aiomysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password, db="shop"
    )
    try:
        yield connection
    finally:
        connection.close()


async def run(connection: Any, *queries: str) -> None:
    async with connection.cursor() as cursor:
        for query in queries:
            await cursor.execute(query)


async def test_a_server_that_works(box: MariadbBox) -> None:
    probe = probe_of(box.url)
    looks = [await probe.look() for _ in range(3)]
    assert [look.state for look in looks] == [OK] * 3, looks[0].message
    values = looks[-1].values
    assert (values["connections"], values["connections_percent"], values["lock_waits"]) == (1.0, 10.0, 0.0)
    assert "replication_lag_s" not in values, "nothing replicates"
    probe.close()


async def test_a_wrong_password_is_told_without_it(box: MariadbBox) -> None:
    look = await probe_of(box.url.replace(PASSWORD, "wrong-word")).look()
    assert look.state is FAILED
    assert "Access denied for user 'checker'" in look.message
    assert "wrong-word" not in look.message


async def test_a_query_that_fails_and_one_that_is_slow(box: MariadbBox) -> None:
    look = await probe_of(box.url, query="select * from no_such_table").look()
    assert look.state is FAILED
    assert "no_such_table" in look.message
    look = await probe_of(box.url, query="select sleep(30)", timeout_s=0.3).look()
    assert (look.state, look.message) == (FAILED, f"{HOST}:{box.port}: no answer within 0.3 s")


async def test_a_connection_that_was_ended_is_made_anew(box: MariadbBox) -> None:
    probe = probe_of(box.url)
    await probe.look()
    async with session(box) as admin, admin.cursor() as cursor:
        await cursor.execute(
            "select id from information_schema.processlist where id <> connection_id() and user = 'checker'"
        )
        for (id_,) in await cursor.fetchall():
            await cursor.execute(f"kill {id_}")
    assert (await probe.look()).state is OK
    probe.close()


async def test_no_more_connections(box: MariadbBox) -> None:
    others = []
    with contextlib.suppress(aiomysql.OperationalError):
        while True:
            entered = session(box)
            await entered.__aenter__()
            others.append(entered)
    look = await probe_of(box.url).look()
    assert look.state is FAILED
    assert "Too many connections" in look.message
    for entered in others:
        await entered.__aexit__(None, None, None)


async def test_who_holds_others_up_is_seen_and_can_be_ended(box: MariadbBox) -> None:
    probe = probe_of(box.url, terminate_after_s=1.0)
    async with session(box) as holder, session(box) as waiter, session(box) as innocent:
        await run(holder, "create table if not exists stock(id int primary key, n int) engine=innodb")
        await run(holder, "replace into stock values (1, 1)", "commit", "begin", "update stock set n = 2 where id = 1")
        await run(innocent, "begin", "select 1")
        waits = asyncio.create_task(run(waiter, "update stock set n = 3 where id = 1"))
        hands = await open_mysql(mysql_address(box.url), timeout_s=5.0)
        async with asyncio.timeout(10):
            while not (holders := await hands.holders()):
                await asyncio.sleep(CACHED_S)
        look = await probe.look()
        assert (look.state, look.values["lock_waits"]) == (OK, 1.0)
        (found,) = holders
        assert (found.idle, found.blocks, found.id) == (True, 1, holder.thread_id())
        assert await hands.end(found.id)
        assert not await hands.end(4_000_000), "it is gone"
        await asyncio.wait_for(waits, 10)
        async with asyncio.timeout(10):
            while await hands.holders():
                await asyncio.sleep(CACHED_S)
        await run(innocent, "select 2")
        hands.close()
    probe.close()


async def test_hurried_looks_do_not_keep_the_server_from_looking_anew(box: MariadbBox) -> None:
    """While a fix is verified a check looks ten times a second: what was ended must be seen to be gone."""
    probe = probe_of(box.url, terminate_after_s=1.0)
    async with session(box) as holder, session(box) as waiter:
        await run(holder, "create table if not exists held(id int primary key) engine=innodb")
        await run(holder, "replace into held values (1)", "commit", "begin", "delete from held where id = 1")
        await probe.look()
        waits = asyncio.create_task(run(waiter, "delete from held where id = 1"))
        for wanted in (True, False):
            async with asyncio.timeout(10):
                while ((await probe.look()).values.get("holding_age_s", -1.0) > 0.0) is not wanted:
                    await asyncio.sleep(0.01)
            if wanted:
                await run(holder, "rollback")
                await waits
                await run(waiter, "rollback")
    probe.close()


async def test_a_user_who_may_see_little(box: MariadbBox) -> None:
    async with session(box) as admin:
        await run(admin, f"create or replace user 'small'@'{HOST}' identified by 'x'")
    probe = probe_of(f"mysql://small:x@{HOST}:{box.port}")
    look = await probe.look()
    assert look.state is OK, look.message
    assert look.values["connections"] >= 1.0
    probe.close()


async def test_frozen_killed_and_started_again() -> None:
    with running(MariadbBox()) as own:
        probe = probe_of(own.url, timeout_s=0.5)
        async with asyncio.timeout(20):
            while (await probe.look()).state is not OK:
                await asyncio.sleep(0.05)
        own.freeze()
        for _ in range(2):
            look = await probe.look()
            assert (look.state, look.message) == (FAILED, f"{HOST}:{own.port}: no answer within 0.5 s")
        own.thaw()
        own.kill()
        for _ in range(2):
            look = await probe.look()
            assert (look.state, look.message) == (FAILED, f"{HOST}:{own.port}: connection refused")
        own.launch()
        async with asyncio.timeout(20):
            while (look := await probe.look()).state is not OK:
                assert look.state is FAILED, "while it starts it does not work"
                await asyncio.sleep(0.01)
        probe.close()


async def test_garbage_and_an_answer_without_end_are_cut_off() -> None:
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        try:
            while True:
                writer.write(b"\xff\xff\xff\x00" + b"\x0a" * 65536)
                await writer.drain()
                sent += 65540
        except ConnectionError:
            pass
        finally:
            writer.close()

    port = free_port()
    server = await asyncio.start_server(answer, HOST, port)
    look = await probe_of(f"mysql://u:pw-of-mine@{HOST}:{port}").look()
    server.close()
    assert look.state is FAILED
    assert "pw-of-mine" not in look.message
    assert sent < 30_000_000


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\x00\x00\x00\x0aabcd", b""])
async def test_garbage_is_no_mysql(said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        if said:
            await reader.read()
        writer.close()

    port = free_port()
    server = await asyncio.start_server(answer, HOST, port)
    look = await probe_of(f"mysql://u:pw@{HOST}:{port}/db", timeout_s=0.5).look()
    server.close()
    assert look.state is FAILED, look.message
