"""Which file names are those of rotated logs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.host.rotated import looks_rotated

LIVE = frozenset({"messages", "app.log", "app-2024-01-01.log", "app-2024-01-02.log", "Xorg.0.log"})


@pytest.mark.parametrize(
    "name",
    [
        "app.log.1",
        "app.log.12.gz",
        "app.log.2.zst",
        "app-20240101.log.gz",
        "app.log-20240101",
        "app.log-20240101-1700000000.xz",
        "app-2024-01-01.log",
        "messages-20240101",
        "messages.1",
        "messages.old",
        "app.log.old",
        "access.log.gz",
        "Xorg.0.log.old",
        "error_log.3",
    ],
)
def test_rotated(name: str) -> None:
    assert looks_rotated(name, LIVE | {name})


@pytest.mark.parametrize(
    "name",
    [
        "app.log",
        "messages",
        "ls.1",
        "python3.11",
        "libc.so.6",
        "binlog.000001",
        "data.1",
        "db.sql.1",
        "app.log.bak",
        "app.log.1.bak",
        "backup.log.1",
        "backup-20240101.log.gz",
        "dump.log.2",
        "report-20240101",
        "report.old",
        "config.toml.1",
        "system.journal.1",
        "archive-20240101.tar.gz",
        "2024-01-01",
        ".1",
    ],
)
def test_not_rotated(name: str) -> None:
    assert not looks_rotated(name, LIVE | {name})


def test_todays_dated_log_is_still_written() -> None:
    assert not looks_rotated("app-2024-01-02.log", LIVE - {"app.log"})
    assert looks_rotated("app-2024-01-01.log", LIVE - {"app.log"})
    assert looks_rotated("app-2024-01-02.log.gz", LIVE - {"app.log"})


@given(st.text(max_size=40), st.frozensets(st.text(max_size=10), max_size=5))
def test_any_name_is_judged(name: str, siblings: frozenset[str]) -> None:
    assert looks_rotated(name, siblings) in (True, False)
