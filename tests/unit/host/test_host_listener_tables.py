"""The kernel's tables of sockets and control groups, without a machine."""

import pytest

from autonomyd.host.listeners import parse_table, parse_unit

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
   1: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100 0 0 10 0
   2: 00000000000000000000000001000000:0050 0000:0000 0A 0:0 00:0 0     0        0 4244 1 0 100 0 0 10 0
"""


def test_only_listening_sockets_are_read() -> None:
    assert parse_table(TCP) == [(8080, "127.0.0.1", "4242"), (80, "::1", "4244")]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0::/system.slice/nginx.service\n", "nginx.service"),
        ("0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"),
        ("0::/system.slice/postgresql.service/worker\n", "postgresql.service"),
        ("9:name=systemd:/system.slice/a.service\n3:cpu:/system.slice/b.service\n", "a.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service\n", None),
        ("0::/user.slice/user-0.slice/session-1.scope\n", None),
        ("0::/system.slice/docker-0123.scope\n", None),
        ("0::/\n", None),
        ("", None),
        ("garbage", None),
    ],
)
def test_the_unit_of_a_control_group(text: str, unit: str | None) -> None:
    assert parse_unit(text) == unit
