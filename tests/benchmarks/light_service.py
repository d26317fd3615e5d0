"""A small real service: answers every HTTP request with its pid, touches a heartbeat file, exits in order on /exit.

    python -I -S light_service.py PORT [HEARTBEAT_FILE [DELAY_S]]

It waits DELAY_S before it listens. One thread and no http module: a hundred of them are to cost little."""

import os
import select
import socket
import sys
import time

HEARTBEAT_EVERY_S = 5.0


def main(port: int, heartbeat: str = "", delay_s: float = 0.0) -> None:
    if delay_s:
        time.sleep(delay_s)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(256)
    body = str(os.getpid()).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body)
    touched = 0.0
    while True:
        now = time.monotonic()
        if heartbeat and now - touched >= HEARTBEAT_EVERY_S:
            open(heartbeat, "w").close()
            touched = now
        if select.select([listener], [], [], HEARTBEAT_EVERY_S)[0]:
            serve(listener, answer)


def serve(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(2.0)
        try:
            request = connection.recv(4096)
            connection.sendall(answer)
        except OSError:
            return
    if request.startswith(b"GET /exit "):
        sys.exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:3], *map(float, sys.argv[3:4]))
