"""A program that has nothing to do with any service: it takes a port as soon as it is free, answers 404 there for a
time, and ends with 0. Standard library alone.

    python stranger.py PORT SECONDS
"""

import socket
import sys
import time

TRIES_EVERY_S = 0.0002
ANSWER = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def hold(port: int, seconds: float) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            try:
                listener.bind(("127.0.0.1", port))
                listener.listen(128)
                break
            except OSError:
                time.sleep(TRIES_EVERY_S)
        sys.stdout.write("holds\n")
        sys.stdout.flush()
        until = time.monotonic() + seconds
        while (left_s := until - time.monotonic()) > 0:
            listener.settimeout(left_s)
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                return
            with connection:
                try:
                    connection.settimeout(0.2)
                    connection.recv(4096)
                    connection.sendall(ANSWER)
                except OSError:
                    continue  # who asked has gone


if __name__ == "__main__":
    hold(int(sys.argv[1]), float(sys.argv[2]))
