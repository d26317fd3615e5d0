"""The database checks without a server: addresses, whose server it is, what the configuration accepts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autonomyd.host.databases.address import server_address
from autonomyd.monitor.probes import check_kinds
from autonomyd.monitor.probes.database import is_own
from autonomyd.monitor.probes.redis import PROGRAMS, redis_address
from autonomyd.settings.service import ServiceSettings


@pytest.mark.parametrize(
    ("url", "shown", "here", "user", "password", "database", "tls"),
    [
        ("redis://127.0.0.1:6379", "127.0.0.1:6379", True, None, None, "", False),
        ("redis://localhost", "localhost:6379", True, None, None, "", False),
        ("redis://:p%40ss@db.example.org/2", "db.example.org:6379", False, None, "p@ss", "2", False),
        ("rediss://me:x@[::1]:7000", "[::1]:7000", True, "me", "x", "", True),
        ("redis://me:x@localhost?socket=/run/r.sock", "/run/r.sock", True, "me", "x", "", False),
    ],
)
def test_where_a_server_is(url, shown, here, user, password, database, tls):
    found = redis_address(url)
    seen = (found.shown, found.here, found.user, found.password, found.database, found.tls)
    assert seen == (shown, here, user, password, database, tls)
    assert "p@ss" not in repr(found)


def test_postgres_names_a_socket_in_its_own_way():
    found = server_address(
        "postgresql://u:p@/shop?host=/run/postgresql&port=5433", schemes=frozenset({"postgresql"}), default_port=5432
    )
    assert (found.shown, found.here, found.database) == ("/run/postgresql/.s.PGSQL.5433", True, "shop")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("redis", {"url": "http://127.0.0.1:6379"}),
        ("redis", {"url": "redis://127.0.0.1:99999"}),
        ("redis", {"url": "redis://127.0.0.1", "max_memory_percent": 120}),
        ("postgres", {"dsn": "host=127.0.0.1 password=pw-of-mine"}),
        ("postgres", {"dsn": "postgresql://127.0.0.1", "query": ""}),
        ("mysql", {"url": "mysql://u:pw-of-mine@127.0.0.1:port"}),
        ("sqlite", {"file": "relative.db"}),
    ],
)
def test_what_can_not_be_used_is_refused(kind, options):
    with pytest.raises(ValidationError) as caught:
        check_kinds()[kind].model_validate({"type": kind} | options)
    assert all("pw-of-mine" not in error["msg"] for error in caught.value.errors())


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text):
    try:
        found = redis_address(f"redis://{text}")
    except ValueError:
        return
    assert 0 < found.port < 65536


PROCESS = {"type": "process", "command": ["redis-server"]}
WEB = {"type": "process", "command": ["python3", "web.py", "--redis", "127.0.0.1:6379"]}


@pytest.mark.parametrize(
    ("url", "name", "settings", "own"),
    [
        ("redis://127.0.0.1", "cache", {"control": PROCESS}, True),
        ("redis://10.0.0.9", "cache", {"control": PROCESS}, False),
        ("redis://127.0.0.1", "redis", {"control": WEB}, True),
        ("redis://127.0.0.1", "web", {"control": WEB}, False),
        ("redis://127.0.0.1", "web", {"control": WEB, "ports": [6379]}, True),
        ("redis://127.0.0.1", "redis", {"control": PROCESS, "ports": [7000]}, False),
        ("redis://127.0.0.1", "cache", {"control": {"type": "systemd", "unit": "redis-server.service"}}, True),
        ("redis://127.0.0.1", "cache", {"control": {"type": "container", "name": "my-valkey"}}, True),
        ("redis://127.0.0.1", "web", {"control": {"type": "command", "start": ["/usr/bin/redis-server"]}}, True),
        ("redis://127.0.0.1", "web", {"control": {"type": "command", "start": ["/srv/redis/run"]}}, False),
    ],
)
def test_whose_server_it_is(url, name, settings, own):
    assert is_own(redis_address(url), PROGRAMS, name, ServiceSettings.model_validate(settings)) is own
