"""Reads what is new in the log of one container, from the container engine. Asks at each look and keeps no stream."""

import asyncio
import calendar
import time

from autonomyd.aio.clock import Clock
from autonomyd.host.containers.api import EngineApi, EngineFailure, part
from autonomyd.host.tail import LOOK_BYTES, News

FRAME = 8
"""Bytes before each piece of a container without a terminal. Source: Docker Engine API, "Attach to a container"."""
_SECONDS = 20
"""Characters of a time up to its fraction: 2026-05-04T10:11:12."""


class ContainerTail:
    """Begins with what comes after it was made."""

    def __init__(self, name: str, api: EngineApi, clock: Clock, *, timeout_s: float) -> None:
        self._name = name
        self._api = api
        self._clock = clock
        self._timeout_s = timeout_s
        self._after_ns = int(clock.wall() * 1e9)
        self._seen = 0

    async def to_end(self) -> None:
        """Pass over everything that is there now."""
        self._after_ns, self._seen = int(self._clock.wall() * 1e9), 0

    async def read(self) -> News:
        """What is new since the last look. Raises OSError with words when the engine can't tell."""
        query = {"stdout": "true", "stderr": "true", "timestamps": "true", "since": str(self._after_ns // 10**9)}
        raw = bytearray()
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._api.stream(f"/containers/{part(self._name)}/logs", query=query) as pieces,
            ):
                async for piece in pieces:
                    raw += piece
                    if len(raw) > LOOK_BYTES:
                        break  # the rest comes with the next look
        except TimeoutError:
            raise OSError(f"the container engine did not answer within {self._timeout_s:g} s") from None
        except EngineFailure as error:
            raise OSError(str(error)) from error
        return News(text="".join(self._new(unframed(bytes(raw)))))

    def _new(self, text: str) -> list[str]:
        """The lines after those that were seen already. Some engines tell times in whole seconds only: of the newest
        time it is counted how many lines were seen."""
        lines = []
        again = 0
        for line in text.split("\n"):
            stamp, _, words = line.partition(" ")
            at = _nanoseconds(stamp)
            if at is None or at < self._after_ns:
                continue
            if at > self._after_ns:
                self._after_ns, self._seen, again = at, 0, 0
            again += 1
            if again > self._seen:
                self._seen = again
                lines.append(f"{words}\n")
        return lines


def unframed(raw: bytes) -> str:
    """The text of a log as the engine sends it: in frames, or plain where the container has a terminal."""
    if not (len(raw) >= FRAME and raw[0] <= 2 and raw[1:4] == b"\0\0\0"):
        return raw.decode("utf-8", "replace")
    pieces, at = [], 0
    while at + FRAME <= len(raw):
        size = int.from_bytes(raw[at + 4 : at + FRAME])
        pieces.append(raw[at + FRAME : at + FRAME + size])
        at += FRAME + size
    return b"".join(pieces).decode("utf-8", "replace")


def _nanoseconds(stamp: str) -> int | None:
    """Since the epoch, of 2026-05-04T10:11:12.123456789Z or with an offset; None for what is no time."""
    try:
        seconds = calendar.timegm(time.strptime(stamp[: _SECONDS - 1], "%Y-%m-%dT%H:%M:%S"))
        rest = stamp[_SECONDS - 1 :]
        digits = rest[1:].rstrip("Z").partition("+")[0].partition("-")[0] if rest.startswith(".") else ""
        offset = rest[-6:] if rest[-6:-5] in ("+", "-") else ""
        if offset:
            minutes = int(offset[1:3]) * 60 + int(offset[4:6])
            seconds -= (1 if offset[0] == "+" else -1) * minutes * 60
        return seconds * 10**9 + int(digits.ljust(9, "0")[:9] or "0")
    except ValueError:
        return None
