"""`[daemon]`: where the daemon keeps its state, where it listens, how it logs."""

import os
from typing import Annotated, Literal

from pydantic import AfterValidator

from autonomyd.settings.base import Table

MAX_SOCKET_BYTES = 107
"""What sockaddr_un holds on Linux, without the closing zero (macOS: 103)."""


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("expected an absolute path, one that begins with /")
    if "\0" in path:
        raise ValueError("a path holds no NUL character")
    return path


def _fits_a_socket(path: str) -> str:
    length = len(os.fsencode(path))
    if length > MAX_SOCKET_BYTES:
        raise ValueError(f"a socket path of {length} bytes; the system allows at most {MAX_SOCKET_BYTES}")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute)]
SocketPath = Annotated[str, AfterValidator(_absolute), AfterValidator(_fits_a_socket)]


class DaemonSettings(Table):
    """Where the daemon keeps its state, where it listens, how it logs."""

    state_dir: AbsolutePath | None = None
    """Folder of the database, the lock file and the logs of services; default: /var/lib/autonomyd for root,
    else $XDG_STATE_HOME/autonomyd."""
    socket: SocketPath | None = None
    """Control socket, at most 107 bytes; default: /run/autonomyd/control.sock for root,
    else $XDG_RUNTIME_DIR/autonomyd/control.sock."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important line that is logged."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """auto: console on a terminal, else one JSON object a line."""
