"""Real processes that talk to each other are seen to, and only they."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from autonomyd.host.connections import Link, links_between
from autonomyd.host.sock_diag import established_sockets

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are read on Linux only")

SERVER = """
import socket, sys
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
sock = socket.create_server(("::" if sys.argv[1] == "6" else "127.0.0.1", 0), family=family,
                            dualstack_ipv6=sys.argv[1] == "6")
print(sock.getsockname()[1], flush=True)
peer, _ = sock.accept()
print("met", flush=True)
sys.stdin.read()
"""
CLIENT = """
import os, socket, sys
if os.fork():
    os.wait()
else:
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sys.stdin.read()
"""


@contextlib.contextmanager
def running(*argv: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.communicate(b"", timeout=10)


@pytest.mark.parametrize("family", ["4", "6"])
def test_the_child_of_one_service_that_is_connected_to_another_makes_a_link(family: str) -> None:
    try:
        established_sockets(1)
    except OSError as error:
        pytest.skip(f"the kernel does not tell its connections here: {error}")
    if family == "6" and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    with running(SERVER, family) as db:
        assert db.stdout is not None
        port = int(db.stdout.readline())
        with running(CLIENT, str(port)) as web, running("import sys; sys.stdin.read()") as idle:
            assert db.stdout.readline() == b"met\n"
            found = links_between({"web": web.pid, "db": db.pid, "idle": idle.pid})
    assert found.links == (Link(child="web", parent="db", port=port),)
    assert found.unseen == ()


def test_services_that_are_gone_have_no_links() -> None:
    assert links_between({"web": 2**22 - 1, "db": 2**22 - 2}).links == ()
