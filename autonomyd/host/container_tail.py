"""Reads what is new in the log of one container, from the container engine. Asks at each look and keeps no stream."""

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from autonomyd.aio.clock import Clock
from autonomyd.host.containers.api import EngineApi, EngineFailure
from autonomyd.host.containers.logs import log_lines
from autonomyd.host.tail import LOOK_BYTES, News


class ContainerTail:
    """Begins with what comes after it was made, or where an earlier tail has stopped (`take_up`)."""

    def __init__(self, name: str, api: EngineApi, clock: Clock, *, timeout_s: float) -> None:
        self._name = name
        self._api = api
        self._clock = clock
        self._timeout_s = timeout_s
        self._after = clock.wall()
        self._seen = 0

    def kept(self) -> dict[str, Any]:
        """What `take_up` needs to go on from here, as JSON values."""
        return {"after": self._after, "seen": self._seen}

    def take_up(self, kept: Mapping[str, Any]) -> None:
        """Go on where the tail stopped that said `kept`; what it did not say is no place, and is passed over."""
        after, seen = kept.get("after"), kept.get("seen")
        # a time ahead of the clock would hide everything until it is reached
        if isinstance(after, float) and isinstance(seen, int) and 0.0 <= after <= self._clock.wall():
            self._after, self._seen = after, seen

    async def to_end(self) -> None:
        """Pass over everything that is there now."""
        self._after, self._seen = self._clock.wall(), 0

    async def read(self) -> News:
        """What is new since the last look; of very much the newest. Raises OSError with words when the engine can't
        tell."""
        newest = _Newest(after=self._after, seen=self._seen)
        try:
            async with asyncio.timeout(self._timeout_s):
                async for line in log_lines(self._api, self._name, since=math.floor(self._after), follow=False):
                    if line.at is not None:
                        newest.add(line.at, line.text)
        except TimeoutError:
            if not newest.lines:
                raise OSError(f"the container engine did not answer within {self._timeout_s:g} s") from None
            # what came so far is news; the rest comes with the next look
        except EngineFailure as error:
            raise OSError(str(error)) from error
        self._after, self._seen = newest.after, newest.seen
        return News(text="".join(newest.lines), skipped=newest.skipped)


class _Newest:
    """The lines after those that were seen already, as many of the newest as one look may hold. Some engines tell times
    in whole seconds only: of the newest time it is counted how many lines were seen."""

    def __init__(self, *, after: float, seen: int) -> None:
        self.after = after
        self.seen = seen
        self.lines: deque[str] = deque()
        self.skipped = 0
        self._again = 0
        self._held = 0

    def add(self, at: float, text: str) -> None:
        if at < self.after:
            return
        if at > self.after:
            self.after, self.seen, self._again = at, 0, 0
        self._again += 1
        if self._again <= self.seen:
            return
        self.seen = self._again
        self.lines.append(f"{text}\n")
        self._held += len(text) + 1
        while self._held > LOOK_BYTES:
            gone = len(self.lines.popleft())
            self._held -= gone
            self.skipped += gone
