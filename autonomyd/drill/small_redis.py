"""The dependency where redis-server is not installed: it speaks as much of Redis' protocol as checks ask for. Standard
library alone.

    python small_redis.py PORT
"""

import _thread
import os
import socket
import sys

INFO = (
    "redis_version:0.0.0\r\nprocess_id:{pid}\r\nloading:0\r\nconnected_clients:1\r\nmaxclients:10000\r\n"
    "used_memory:1000000\r\nmaxmemory:0\r\nrole:master\r\nrdb_last_bgsave_status:ok\r\naof_last_write_status:ok\r\n"
)


def answer(words: list[str]) -> bytes:
    """The reply to one command."""
    name = words[0].upper() if words else ""
    if name == "PING":
        return b"+PONG\r\n"
    if name == "INFO":
        text = INFO.format(pid=os.getpid()).encode("ascii")
        return b"$%d\r\n%s\r\n" % (len(text), text)
    if name in ("CLIENT", "SELECT", "AUTH"):
        return b"+OK\r\n"
    return b"-ERR unknown command\r\n"


def serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as lines:
        try:
            while line := lines.readline():
                if not line.startswith(b"*"):
                    connection.sendall(answer(line.decode("latin-1").split()))
                    continue
                words = []
                for _ in range(int(line[1:])):
                    size = int(lines.readline()[1:])
                    words.append(lines.read(size + 2)[:size].decode("latin-1"))
                connection.sendall(answer(words))
        except (OSError, ValueError):
            return  # who asked has gone, or speaks something else


def run(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        while True:
            connection, _ = listener.accept()
            _thread.start_new_thread(serve, (connection,))


if __name__ == "__main__":
    run(int(sys.argv[1]))
