"""A private redis-server on a free loopback port."""

import contextlib
import socket

from tests.boxes.servers import HOST, Server, free_port, private_folder, program


class RedisBox(Server):
    def __init__(self, *options: str, password: str = "") -> None:
        folder = private_folder()
        self.port = free_port()
        self.password = password
        login = ("--requirepass", password) if password else ()
        argv = (
            program("redis-server", "redis-server"), "--port", str(self.port), "--bind", HOST, "--save", "",
            "--dir", str(folder), *login, *options,
        )  # fmt: skip
        super().__init__(folder, argv, lambda: self.say("PING").startswith(("+PONG", "-NOAUTH", "-LOADING")))

    @property
    def url(self) -> str:
        user = f":{self.password}@" if self.password else ""
        return f"redis://{user}{HOST}:{self.port}"

    def say(self, *words: str) -> str:
        """Send one command, return what came; "" when nobody answers."""
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), timeout=2) as connection:
            login = f"AUTH {self.password}\r\n" if self.password else ""
            connection.sendall((login + " ".join(words) + "\r\n").encode())
            answer = connection.recv(65536).decode()
            return answer.removeprefix("+OK\r\n") if login else answer
        return ""
