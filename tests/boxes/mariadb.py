"""A private MariaDB server on a free loopback port, with the user `checker` and the password `secret-word`."""

import signal
import subprocess

from tests.boxes.servers import HOST, Server, answers, free_port, private_folder, program, unprivileged

USER = "checker"
PASSWORD = "secret-word"


class MariadbBox(Server):
    def __init__(self, *options: str) -> None:
        folder = private_folder()
        self.port = free_port()
        self.socket = folder / "m.sock"
        data = folder / "data"
        setup = folder / "setup.sql"
        setup.write_text(
            f"create user if not exists '{USER}'@'{HOST}' identified by '{PASSWORD}';\n"
            f"grant all on *.* to '{USER}'@'{HOST}';\ncreate database if not exists shop;\n"
        )
        setup.chmod(0o644)
        argv = [
            program("mariadbd", "mariadb-server"), "--no-defaults", f"--datadir={data}", f"--socket={self.socket}",
            f"--port={self.port}", f"--bind-address={HOST}", f"--init-file={setup}", f"--pid-file={folder / 'm.pid'}",
            "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0",
            "--skip-name-resolve", *options,
        ]  # fmt: skip
        super().__init__(folder, argv, lambda: self.socket.exists() and answers(self.port), stop=signal.SIGTERM)
        who = unprivileged(folder)
        subprocess.run(
            (program("mariadb-install-db", "mariadb-server"), "--no-defaults", f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal"),
            check=True, capture_output=True, cwd=folder, **who,
        )  # type: ignore[call-overload]  # fmt: skip

    @property
    def url(self) -> str:
        return f"mysql://{USER}:{PASSWORD}@{HOST}:{self.port}/shop"
