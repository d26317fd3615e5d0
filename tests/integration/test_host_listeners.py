"""Real listening sockets and who holds them."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from autonomyd.host import listeners, sock_diag
from autonomyd.host.listeners import listening_services

SERVER = """
import os, socket, sys
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen()
worker = os.fork()
if worker == 0:
    sys.stdin.read()
    os._exit(0)
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
os.waitpid(worker, 0)
"""


def test_a_server_is_found_by_the_process_that_started_its_workers(tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    )
    with server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        (found,) = [each for each in listening_services() if each.port == port]
        assert (found.address, found.pid, found.cwd) == ("127.0.0.1", server.pid, str(tmp_path))
        assert found.cmdline == (sys.executable, "-c", SERVER)
        assert found.name.startswith("python")
        assert (port, "127.0.0.1", server.pid) in listeners._psutil_sockets(None)
        server.communicate(b"")
    assert port not in [each.port for each in listening_services()]


def test_own_sockets_are_left_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        assert mine.getsockname()[1] not in [each.port for each in listening_services()]
        assert os.getpid() not in [each.pid for each in listening_services()]


def test_only_the_named_ports_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:  # not listening, so free
        bound.bind(("127.0.0.1", 0))
        free = bound.getsockname()[1]
        with subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            assert [each.port for each in listening_services(frozenset({free, port}))] == [port]
            assert {row[0] for row in listeners._psutil_sockets(frozenset({free, port}))} == {port}
            server.communicate(b"")
        monkeypatch.setattr(listeners, "_owners", lambda inodes: pytest.fail("every process was looked at"))
        assert listening_services(frozenset({free})) == ()


def test_the_kernel_tells_the_same_in_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise OSError("no such family here")

    with socket.create_server(("127.0.0.1", 0)) as four, socket.socket(socket.AF_INET6) as six:
        ports = {four.getsockname()[1]}
        with contextlib.suppress(OSError):  # no IPv6 on this machine
            six.bind(("::1", 0))
            six.listen()
            ports.add(six.getsockname()[1])
        told = {row for row in sock_diag.listening_sockets() if row[0] in ports}
        assert {row[0] for row in told} == ports
        assert told == {row for row in listeners._table_rows() if row[0] in ports}
        seen = listening_services(frozenset(ports))
        monkeypatch.setattr(listeners, "listening_sockets", refused)
        assert listening_services(frozenset(ports)) == seen
