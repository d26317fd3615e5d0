"""The output of a container, line by line, as the engine keeps it.

Source of the framing: Docker Engine API, "Attach to a container", section "Stream format".
"""

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

from autonomyd.host.containers.api import EngineApi, EngineFailure, part
from autonomyd.host.containers.inspected import moment, state_of

HEADER = struct.Struct(">BxxxL")
STDERR = 2
STREAMS = frozenset({0, 1, STDERR})
LINE_BYTES = 16384
"""A longer line is cut; the rest of it is skipped."""
FRAME_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line without its end, decoded with U+FFFD for what is not UTF-8. `at` is epoch seconds by the engine's clock
    (Podman tells whole seconds), None when it does not say. `error`: it came from standard error."""

    text: str
    at: float | None
    error: bool = False


async def log_lines(
    api: EngineApi, container: str, *, since: float | None = None, follow: bool = True, tail: int | None = None
) -> AsyncIterator[LogLine]:
    """The lines written since `since` (epoch seconds; None: from the first one kept), of them the newest `tail`; with
    `follow` also those to come, until the container ends. What is not read yet waits in the engine, not here.

    Raises EngineFailure (EngineRefusal 404: there is no such container). Take it up again with `since` = the time of
    the newest line; lines of that very moment come twice."""
    state = state_of(await api.ask("GET", f"/containers/{part(container)}/json"))
    query = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if follow else "0"}
    if since is not None:
        query["since"] = f"{since:.9f}"
    if tail is not None:
        query["tail"] = str(tail)
    async with api.stream(f"/containers/{part(container)}/logs", query=query) as pieces:
        splitters = {False: _Splitter(), True: _Splitter()}
        async for error, data in _plain(pieces) if state.tty else _unframed(pieces):
            for line in splitters[error].feed(data):
                yield _line(line, error)
        for error, splitter in splitters.items():
            for line in splitter.rest():
                yield _line(line, error)


async def _plain(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[bool, bytes]]:
    """A container with a terminal has one stream, without frames."""
    async for piece in pieces:
        yield False, piece


async def _unframed(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[bool, bytes]]:
    """(from standard error, data), a frame in as many parts as it came in."""
    head = b""
    left = 0
    error = False
    async for piece in pieces:
        rest = piece
        while rest:
            if left:
                yield error, rest[:left]
                left, rest = left - len(rest[:left]), rest[left:]
                continue
            missing = HEADER.size - len(head)
            head, rest = head + rest[:missing], rest[missing:]
            if len(head) == HEADER.size:
                stream, left = HEADER.unpack(head)
                if stream not in STREAMS or left > FRAME_LIMIT:
                    raise EngineFailure("the container engine's log is not framed as it should be")
                error, head = stream == STDERR, b""


class _Splitter:
    """Complete lines out of pieces of any size, each bounded."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, data: bytes) -> list[bytes]:
        *whole, begun = (self._begun + data).split(b"\n")
        self._begun = begun[:LINE_BYTES]
        return [line[:LINE_BYTES] for line in whole]

    def rest(self) -> list[bytes]:
        return [self._begun] if self._begun else []


def _line(line: bytes, error: bool) -> LogLine:
    stamp, _, said = line.rstrip(b"\r").decode("utf-8", "replace").partition(" ")
    at = moment(stamp)
    return LogLine(text=said if at is not None else f"{stamp} {said}".strip(), at=at, error=error)
