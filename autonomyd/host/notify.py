"""Tells the service manager how the daemon fares: systemd's notify protocol, by one datagram a message.

Without $NOTIFY_SOCKET every call is a no-op. A message that cannot be sent is dropped: the daemon's work goes on.
"""

import os
import socket
import time
from collections.abc import MutableMapping

import structlog

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")

log = structlog.get_logger(__name__)


class Notifier:
    """Reads the variables once and removes them, so that no child can speak to the manager in the daemon's name."""

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        found = os.environ if environ is None else environ
        address, watchdog_usec, watchdog_pid = (found.pop(name, "") for name in VARIABLES)
        self._address = _socket_address(address)
        self._interval_s = _interval_s(watchdog_usec, watchdog_pid)
        self._socket: socket.socket | None = None
        self._failed = False

    @property
    def enabled(self) -> bool:
        """Whether a service manager listens."""
        return self._address is not None

    def watchdog_interval_s(self) -> float | None:
        """Seconds within which the manager wants a sign of life; None when it wants none from this process."""
        return self._interval_s

    def ready(self) -> None:
        self._send("READY=1")

    def status(self, text: str) -> None:
        """One line that `systemctl status` shows."""
        self._send("STATUS=" + text.replace("\n", " "))

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def reloading(self) -> None:
        """A reload begins; `ready` ends it. The time lets the manager pair the two (Type=notify-reload)."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def watchdog(self) -> None:
        self._send("WATCHDOG=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._address is None:
            return
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
                self._socket.setblocking(False)
            self._socket.sendto(message.encode(), self._address)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("notify_failed", error=str(error), message=message)
            self._failed = True


def _socket_address(text: str) -> str | None:
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else None


def _interval_s(usec: str, pid: str) -> float | None:
    if not usec.isdigit() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 1e6
