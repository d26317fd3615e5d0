"""From an empty file to the newest schema; from a newer one not at all."""

import sqlite3
from contextlib import closing

import pytest

from autonomyd.aio.clock import SystemClock
from autonomyd.knowledge.errors import StoreTooNew
from autonomyd.knowledge.events import Events
from autonomyd.knowledge.statements import migrations
from autonomyd.knowledge.store import Store
from autonomyd.model.event import Event
from autonomyd.model.subject import HOST


def asked(path, sql: str):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchone()[0]


async def test_an_empty_file_gets_the_newest_schema(tmp_path):
    path = tmp_path / "a.db"
    path.touch()
    store = await Store.open(str(path), clock=SystemClock())
    await Events(store).add(Event(at=1.0, kind="k", subject=HOST, message="m"))
    await store.close()
    assert asked(path, "PRAGMA user_version") == migrations()[-1][0]
    assert asked(path, "PRAGMA journal_mode") == "wal"
    assert asked(path, "PRAGMA auto_vacuum") == 2
    assert asked(path, "SELECT count(*) FROM events") == 1


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "a.db"
    newer = migrations()[-1][0] + 1
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE later (a)")
        connection.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(StoreTooNew, match=f"schema {newer}.*upgrade autonomyd"):
        await Store.open(str(path), clock=SystemClock())
    assert asked(path, "PRAGMA user_version") == newer
    assert not list(tmp_path.glob("*corrupt*"))


async def test_a_name_with_signs_that_a_uri_knows(tmp_path):
    path = tmp_path / "a b?c#d%20.db"
    store = await Store.open(str(path), clock=SystemClock())
    await Events(store).add(Event(at=1.0, kind="k", subject=HOST, message="m"))
    assert {each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {0o600}  # it may hold what logs hold
    await store.close()
    assert path.exists()
    again = await Store.open(str(path), clock=SystemClock())
    assert len(await Events(again).recent()) == 1
    await again.close()
