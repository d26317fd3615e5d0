"""The service that the drill breaks: a script of the standard library alone, copied into the scratch folder.

    python small_service.py PORT FOLDER [pidfile] [refuses] [shared-port] [needs=PORT] [full]

It imports little, to start fast. Every start is noted in FOLDER/starts, every child that it forks in FOLDER/children.
FOLDER/crash makes it die at once (as many times as the file says, without a number always), FOLDER/slow holds the
seconds that it takes to start. `refuses`: it does not start while its pid file exists. `full`: it reads
FOLDER/web.toml, writes FOLDER/log/web.log, touches FOLDER/heartbeat, and has the faults that its release folder names.

Over HTTP: /health and /deep (which needs its dependency); /MOOD, /MOOD/SECONDS, and /ACT/AMOUNT change how it behaves.
"""

import _thread
import os
import socket
import sys
import time

BUSY_ANSWER_S = 0.15
LATE_S = 3.0
NEEDED_TIMEOUT_S = 0.2
TICK_S = 0.05
BEAT_EVERY_TICKS = 4
LEAK_PIECE = 8 * 1024 * 1024
PIECES_A_TICK = 10
DEFECT_LIFE_S = 2.0
CRASH_CODE = 3
MOST_POOLED = 100
OK, WRONG, UNAVAILABLE = "200 OK", "500 Internal Server Error", "503 Service Unavailable"


class Small:
    """One small service and its moods, each with the monotonic time until which it lasts."""

    def __init__(self, port: int, folder: str, options: list[str]) -> None:
        self.port = port
        self.folder = folder
        self.shared = "shared-port" in options
        self.pidfile = os.path.join(folder, "pid") if "pidfile" in options else ""
        self.refuses = "refuses" in options
        self.full = "full" in options
        self.needs = next((int(each[6:]) for each in options if each.startswith("needs=")), 0)
        self.log = os.path.join(folder, "log", "web.log")
        self.moods: dict[str, float] = {}
        self.useless = False
        self.wanted = {"leak": 0, "seep": 0, "descriptors": 0, "zombies": 0}
        self.hoard: list[bytearray] = []
        self.held: list[int] = []
        self.dead: list[int] = []
        self.silent: list[socket.socket] = []

    # --- life ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        self.note("starts", os.getpid())
        self.crash()
        if self.refuses:
            self.claim()
        if self.full:
            self.configure()
        time.sleep(self.delay_s())
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(("127.0.0.1", self.port))
            listener.listen(128)
            if self.pidfile:
                self.write_pidfile()
            if self.full:
                _thread.start_new_thread(self.tick, ())
            while True:
                connection, _ = listener.accept()
                if self.is_in("hang"):
                    self.silent.append(connection)  # held open: it is never answered
                else:
                    _thread.start_new_thread(self.serve, (connection,))

    def note(self, name: str, pid: int) -> None:
        with open(os.path.join(self.folder, name), "a", encoding="ascii") as file:
            file.write(f"{pid}\n")

    def crash(self) -> None:
        path = os.path.join(self.folder, "crash")
        try:
            with open(path, encoding="ascii") as file:
                left = file.read()
        except OSError:
            return
        if left == "0":
            return
        if left:
            with open(path, "w", encoding="ascii") as file:
                file.write(str(int(left) - 1))
        sys.exit(CRASH_CODE)

    def claim(self) -> None:
        """Like many a daemon of old: one instance a pid file, which an orderly end removes."""
        if os.path.exists(self.pidfile):
            sys.exit(f"{self.pidfile} exists: it seems to run already")
        import signal

        def end(*_: object) -> None:
            os.unlink(self.pidfile)
            os._exit(0)

        signal.signal(signal.SIGTERM, end)

    def configure(self) -> None:
        import tomllib

        try:
            with open(os.path.join(self.folder, "web.toml"), "rb") as file:
                pool_size = tomllib.load(file)["pool_size"]
            self.useless = pool_size < 1
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            sys.exit(f"web.toml: {error}")
        if pool_size > MOST_POOLED:
            self.obey("errors", "")  # the database has not so many connections for one
        try:
            with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "defect"), encoding="ascii") as file:
                defect = file.read()
        except OSError:
            return
        if defect == "dies":
            _thread.start_new_thread(self.die, ())
        else:
            self.useless = True

    def die(self) -> None:
        time.sleep(DEFECT_LIFE_S)
        os._exit(CRASH_CODE)

    def delay_s(self) -> float:
        try:
            with open(os.path.join(self.folder, "slow"), encoding="ascii") as file:
                return float(file.read())
        except OSError:
            return 0.0

    def write_pidfile(self) -> None:
        with open(self.pidfile + ".new", "w", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        os.replace(self.pidfile + ".new", self.pidfile)

    # --- answers ---------------------------------------------------------------------------------------------------

    def serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                words = connection.recv(4096).split(b" ", 2)
                if len(words) > 1:
                    connection.sendall(self.answer(words[1].decode("latin-1")))
                    connection.shutdown(socket.SHUT_RDWR)  # a child that was forked meanwhile has it open, too
            except OSError:
                return  # who asked has gone

    def answer(self, path: str) -> bytes:
        _, name, amount = (path + "//").split("/")[:3]
        status = OK
        if name in ("health", "deep"):
            status = self.page(name)
        else:
            self.obey(name, amount)
        body = str(os.getpid())
        return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode("ascii")

    def page(self, name: str) -> str:
        if self.is_in("busy"):
            time.sleep(BUSY_ANSWER_S)
        if self.is_in("late"):
            time.sleep(LATE_S)
        while name == "deep" and self.is_in("stuck"):
            time.sleep(TICK_S)
        if self.full and not self.write_log(f"GET /{name}"):
            return WRONG
        if self.useless or self.is_in("wrong"):
            return WRONG
        return OK if name == "health" or self.needed_answers() else UNAVAILABLE

    def needed_answers(self) -> bool:
        if not self.needs:
            return True
        try:
            with socket.create_connection(("127.0.0.1", self.needs), timeout=NEEDED_TIMEOUT_S) as connection:
                connection.sendall(b"*1\r\n$4\r\nPING\r\n")
                return connection.recv(64) == b"+PONG\r\n"
        except OSError:
            return False

    def write_log(self, line: str) -> bool:
        try:
            # opened anew for each line: whoever rotates it has nothing to tell us
            with open(self.log, "a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError:
            return False
        return True

    # --- moods -----------------------------------------------------------------------------------------------------

    def is_in(self, mood: str) -> bool:
        return self.moods.get(mood, 0.0) > time.monotonic()

    def obey(self, name: str, amount: str) -> None:
        if name == "exit":
            os._exit(0)
        elif name == "calm":
            self.moods.clear()
        elif name in self.wanted:
            self.wanted[name] = int(amount)
        elif name == "say":
            self.write_log(amount.replace("+", " "))
        elif name == "fill":
            self.fill(float(amount) / 100.0)
        elif name == "orphan":
            self.fork(60.0)
        else:
            self.moods[name] = time.monotonic() + float(amount or "inf")
            if name in ("busy", "spin"):
                _thread.start_new_thread(self.burn, (name,))

    def burn(self, mood: str) -> None:
        while self.is_in(mood):
            sum(range(1000))

    def fill(self, share: float) -> None:
        """Write into the log until its disk is full to this share."""
        disk = os.statvfs(os.path.dirname(self.log))
        free = disk.f_bfree - disk.f_blocks * (1.0 - share)
        piece = b"x" * 99 + b"\n"
        with open(self.log, "ab", buffering=0) as file:
            try:
                file.write(piece * int(free * disk.f_frsize / len(piece)))
                while share >= 1.0:
                    file.write(b"x")  # to the last byte of the last block
            except OSError:
                return  # full

    def fork(self, life_s: float) -> int:
        pid = os.fork()
        if pid == 0:
            time.sleep(life_s)
            os._exit(0)
        self.note("children", pid)
        return pid

    def tick(self) -> None:
        count = 0
        while True:
            if count % BEAT_EVERY_TICKS == 0:
                if not self.is_in("stall"):
                    with open(os.path.join(self.folder, "heartbeat"), "w", encoding="ascii"):
                        pass
                if self.is_in("errors"):
                    self.write_log("OperationalError: could not connect to the database")
            count += 1
            self.grow()
            time.sleep(TICK_S)

    def grow(self) -> None:
        """One tick nearer to what is wanted of memory (MB), descriptors and dead children; or back again. `seep` is so
        many KB more at every tick."""
        if len(self.hoard) * LEAK_PIECE < self.wanted["leak"] * 1024 * 1024:
            self.hoard.append(bytearray(b"x" * LEAK_PIECE))
        elif self.wanted["seep"]:
            self.hoard.append(bytearray(b"x" * self.wanted["seep"] * 1024))
        elif not self.wanted["leak"]:
            self.hoard.clear()
        for _ in range(PIECES_A_TICK):
            if len(self.held) < self.wanted["descriptors"]:
                self.held.append(os.open(os.devnull, os.O_RDONLY))
            if len(self.dead) < self.wanted["zombies"]:
                self.dead.append(self.fork(0.0))
        while len(self.held) > self.wanted["descriptors"]:
            os.close(self.held.pop())
        while len(self.dead) > self.wanted["zombies"]:
            os.waitpid(self.dead.pop(), 0)


if __name__ == "__main__":
    Small(int(sys.argv[1]), sys.argv[2], sys.argv[3:]).run()
