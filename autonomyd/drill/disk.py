"""A small disk of its own for a service's logs: a tmpfs, which only root may mount."""

import subprocess
import sys
import tempfile
from pathlib import Path

MB = 4
MOUNT_TIMEOUT_S = 5.0


def why_not() -> str:
    """Why no disk can be mounted here; "" when one can."""
    if not sys.platform.startswith("linux"):
        return "needs a tmpfs, which only Linux has"
    with tempfile.TemporaryDirectory(prefix="autonomyd-drill-") as trial:
        try:
            mount(Path(trial))
            unmount(Path(trial))
        except OSError as error:
            return f"needs a small tmpfs, which cannot be mounted here ({error})"
    return ""


def mount(folder: Path) -> None:
    """Raises OSError."""
    _run("mount", "-t", "tmpfs", "-o", f"size={MB}m,nosuid,nodev,noexec", "autonomyd-drill", str(folder))


def unmount(folder: Path) -> None:
    """Raises OSError."""
    _run("umount", "--lazy", str(folder))


def _run(*argv: str) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=MOUNT_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise OSError(f"{argv[0]} did not end within {MOUNT_TIMEOUT_S:g} s") from None
    if done.returncode:
        raise OSError(done.stderr.strip() or f"{argv[0]} ended with {done.returncode}")
