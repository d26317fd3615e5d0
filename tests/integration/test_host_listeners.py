"""Real listening sockets and who holds them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from autonomyd.host import listeners
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
        assert (port, "127.0.0.1", server.pid) in listeners._psutil_sockets()
        server.communicate(b"")
    assert port not in [each.port for each in listening_services()]


def test_own_sockets_are_left_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        assert mine.getsockname()[1] not in [each.port for each in listening_services()]
        assert os.getpid() not in [each.pid for each in listening_services()]
