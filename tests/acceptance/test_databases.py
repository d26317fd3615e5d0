"""The real daemon beside real databases: what fails, what is ended, what is tidied up, and what is left alone."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.boxes.daemon import DaemonBox, until
from tests.boxes.postgres import PostgresBox
from tests.boxes.redis import RedisBox
from tests.boxes.servers import running

psql = pytest.importorskip("asyncpg", reason="asyncpg is not installed: pip install 'autonomyd[postgres]'")

WEB = 'control = {{ type = "process", command = ["sleep", "1000"] }}\nchecks = [{check}]\n'


@pytest.fixture
def box(tmp_path: Path) -> Iterator[DaemonBox]:
    folder = tmp_path / "daemon"
    folder.mkdir()
    box = DaemonBox(folder)
    try:
        yield box
    finally:
        box.close()


def service(name: str, check: str) -> str:
    return f"[services.{name}]\n" + WEB.format(check=check)


def outcome_of(box: DaemonBox, strategy: str) -> dict[str, Any] | None:
    fixes = box.fixes()
    return next((fix for fix in fixes if fix["plan"]["strategy"] == strategy and fix["outcome"]), None)


async def test_a_session_that_holds_others_up_is_ended(box: DaemonBox) -> None:
    with running(PostgresBox()) as pg:
        assert isinstance(pg, PostgresBox)
        check = f'{{ type = "postgres", dsn = "{pg.dsn}", terminate_after_s = 0.5 }}'
        box.configure(service("web", check))
        box.start()
        holder = await psql.connect(pg.dsn)
        waiter = await psql.connect(pg.dsn)
        await holder.execute("create table stock(id int, n int); insert into stock values (1, 1)")
        await holder.execute("begin; update stock set n = 2")
        assert await waiter.execute("update stock set n = 3", timeout=20) == "UPDATE 1"
        fix = until(lambda: outcome_of(box, "terminate-sessions"))
        assert fix is not None
        assert (fix["outcome"], fix["plan"]["cause"]) == ("healed", "blocked_sessions"), fix
        holder.terminate()
        waiter.terminate()
        shown = str(box.status()) + box.said()
        assert "secret-word" not in shown


def test_a_log_that_grew_is_written_back(box: DaemonBox, tmp_path: Path) -> None:
    file = tmp_path / "app.db"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("pragma wal_autocheckpoint = 0")
        writer.execute("create table t(x)")
        writer.execute("begin")
        writer.executemany("insert into t values (?)", [("x" * 1000,)] * 3000)
        writer.execute("commit")
        wal = Path(f"{file}-wal")
        assert wal.stat().st_size > 2_000_000
        box.configure(service("web", f'{{ type = "sqlite", file = "{file}", max_wal_mb = 1 }}'))
        box.start()
        fix = until(lambda: outcome_of(box, "optimize-sqlite"))
        assert fix is not None
        assert fix["outcome"] == "healed", fix
        assert wal.stat().st_size == 0
        assert writer.execute("select count(*) from t").fetchone() == (3000,)


def test_a_frozen_dependency_is_told_and_the_innocent_is_left_alone(box: DaemonBox) -> None:
    with running(RedisBox()) as redis:
        assert isinstance(redis, RedisBox)
        box.configure(service("web", f'{{ type = "redis", url = "{redis.url}", timeout_s = 0.5 }}'))
        box.start()
        name = f"redis:127.0.0.1:{redis.port}"

        def state() -> str:
            return str(box.status()["dependencies"].get(name, {}).get("state"))

        until(lambda: state() == "closed")
        pid = until(lambda: box.status()["services"]["web"]["pid"])
        redis.freeze()
        until(lambda: state() == "open")
        until(lambda: box.status()["services"]["web"]["state"] == "failing")
        redis.thaw()
        until(lambda: state() == "closed")
        until(lambda: box.status()["services"]["web"]["state"] == "up")
        assert box.status()["services"]["web"]["pid"] == pid
        kinds = [event["kind"] for event in box.events()]
        assert "dependency_open" in kinds
        assert "dependency_closed" in kinds
