"""Where the daemon keeps its state and listens. Imports nothing heavy: the command line reads it at each start."""

import os
from pathlib import Path

SYSTEM_STATE_DIR = Path("/var/lib/autonomyd")
SYSTEM_SOCKET = Path("/run/autonomyd/control.sock")
SOCKET_VARIABLE = "AUTONOMYD_SOCKET"


def default_state_dir() -> Path:
    """Root: /var/lib/autonomyd; everybody else: $XDG_STATE_HOME/autonomyd or ~/.local/state/autonomyd."""
    return SYSTEM_STATE_DIR if os.geteuid() == 0 else _user_state_dir()


def default_socket() -> Path:
    """Where a daemon of this user listens unless its configuration says otherwise."""
    return SYSTEM_SOCKET if os.geteuid() == 0 else _user_socket()


def socket_candidates() -> tuple[Path, ...]:
    """Where a daemon may listen, the likeliest first: $AUTONOMYD_SOCKET, the system's, the user's."""
    named = os.environ.get(SOCKET_VARIABLE)
    found = ([Path(named)] if named else []) + [SYSTEM_SOCKET, _user_socket()]
    return tuple(dict.fromkeys(found))


def ensure_private_dir(path: Path, mode: int = 0o750) -> Path:
    """Makes the folder and its parents; a folder that is made gets `mode`, an existing one keeps its own.

    Raises OSError when it cannot be made, NotADirectoryError when something else is there."""
    if path.is_dir():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(f"{path} is not a folder") from None
    else:
        path.chmod(mode)  # mkdir's own mode is cut by the umask
    return path


def _user_state_dir() -> Path:
    home = os.environ.get("XDG_STATE_HOME")
    # The specification: a relative path there is invalid and is to be ignored.
    base = Path(home) if home and os.path.isabs(home) else Path("~/.local/state").expanduser()
    return base / "autonomyd"


def _user_socket() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isabs(runtime):
        return Path(runtime) / "autonomyd" / "control.sock"
    return _user_state_dir() / "control.sock"
