"""A private PostgreSQL server on a free loopback port, with the user `postgres` and the password `secret-word`."""

import subprocess
from pathlib import Path

from tests.boxes.servers import HOST, Server, answers, free_port, private_folder, program, unprivileged

PASSWORD = "secret-word"
FOLDERS = tuple(str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))


class PostgresBox(Server):
    def __init__(self, *options: str) -> None:
        folder = private_folder()
        self.port = free_port()
        self.data = folder / "data"
        argv = [program("postgres", "postgresql", *FOLDERS), "-D", str(self.data), "-p", str(self.port), "-h", HOST]
        argv += ["-k", str(folder), "-F", *(part for option in options for part in ("-c", option))]
        super().__init__(folder, argv, lambda: answers(self.port) and self._in_order())
        self._make()

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres:{PASSWORD}@{HOST}:{self.port}/postgres"

    def _make(self) -> None:
        who = unprivileged(self.folder)
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        initdb = program("initdb", "postgresql", *FOLDERS)
        subprocess.run(
            (initdb, "-D", str(self.data), "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync",
             "--locale=C.UTF-8"),
            check=True, capture_output=True, cwd=self.folder, **who,
        )  # type: ignore[call-overload]  # fmt: skip

    def _in_order(self) -> bool:
        asked = subprocess.run(
            (program("pg_isready", "postgresql", *FOLDERS), "-h", HOST, "-p", str(self.port)), capture_output=True
        )
        return asked.returncode == 0
