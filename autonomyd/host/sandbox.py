"""Why a folder can't be written to: its filesystem is read-only for everybody, or only for the daemon, by its unit."""

import os

MACHINE_ROOT = "/proc/1/root"
"""The root folder as the machine's first process sees it, without the mounts of the daemon's own unit."""


def why_read_only(folder: str, *, machine_root: str = MACHINE_ROOT) -> str:
    """What makes `folder` (absolute, without symbolic links) read-only here, and what to do when it is the sandbox of
    the daemon's unit. For a folder that turned out to be read-only."""
    try:
        everybody = bool(os.statvfs(machine_root + folder).f_flag & os.ST_RDONLY)
    except OSError:
        everybody = True  # that can't be seen from here: a sandbox is not claimed
    if everybody:
        return "the filesystem is mounted read-only"
    return (
        f"the sandbox of the daemon's unit forbids writing there: add ReadWritePaths={folder} to its [Service] "
        "(systemctl edit autonomyd), then restart it"
    )
