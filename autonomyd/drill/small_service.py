"""The service that the drill breaks: a script of the standard library alone, copied into the scratch folder.

    python small_service.py PORT FOLDER [pidfile] [shared-port] [needs=PORT]

It imports little, to start fast. Every start is noted in FOLDER/starts. FOLDER/crash makes it die at once, FOLDER/slow
holds the seconds that it takes to start. Over HTTP: /health, /hang (no answer from now on), /exit, /busy and /calm.
"""

import _thread
import os
import socket
import sys
import time

BUSY_ANSWER_S = 0.15
NEEDED_TIMEOUT_S = 0.2
CRASH_CODE = 3


class Small:
    """One small service and its moods."""

    def __init__(self, port: int, folder: str, options: list[str]) -> None:
        self.port = port
        self.folder = folder
        self.shared = "shared-port" in options
        self.pidfile = "pidfile" in options
        self.needs = next((int(each[6:]) for each in options if each.startswith("needs=")), 0)
        self.hanging = False
        self.busy = False
        self.silent: list[socket.socket] = []

    def run(self) -> None:
        with open(os.path.join(self.folder, "starts"), "a", encoding="ascii") as starts:
            starts.write(f"{os.getpid()}\n")
        if os.path.exists(os.path.join(self.folder, "crash")):
            sys.exit(CRASH_CODE)
        time.sleep(self.delay_s())
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(128)
            if self.pidfile:
                self.write_pidfile()
            while True:
                connection, _ = listener.accept()
                if self.hanging:
                    self.silent.append(connection)  # held open: it is never answered
                else:
                    _thread.start_new_thread(self.serve, (connection,))

    def delay_s(self) -> float:
        try:
            with open(os.path.join(self.folder, "slow"), encoding="ascii") as file:
                return float(file.read())
        except OSError:
            return 0.0

    def write_pidfile(self) -> None:
        path = os.path.join(self.folder, "pid")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        os.replace(path + ".new", path)

    def serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                words = connection.recv(4096).split(b" ", 2)
                if len(words) > 1:
                    connection.sendall(self.answer(words[1].decode("latin-1")))
            except OSError:
                return  # who asked has gone

    def answer(self, path: str) -> bytes:
        if path == "/exit":
            os._exit(0)
        if path == "/hang":
            self.hanging = True
        elif path == "/busy":
            self.busy = True
            _thread.start_new_thread(self.burn, ())
        elif path == "/calm":
            self.busy = False
        if self.busy:
            time.sleep(BUSY_ANSWER_S)
        status = "200 OK" if self.needed_answers() else "503 Service Unavailable"
        body = str(os.getpid())
        return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode("ascii")

    def needed_answers(self) -> bool:
        if not self.needs:
            return True
        try:
            with socket.create_connection(("127.0.0.1", self.needs), timeout=NEEDED_TIMEOUT_S):
                return True
        except OSError:
            return False

    def burn(self) -> None:
        while self.busy:
            sum(range(1000))


if __name__ == "__main__":
    Small(int(sys.argv[1]), sys.argv[2], sys.argv[3:]).run()
