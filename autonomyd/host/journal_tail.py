"""Reads what is new in systemd's journal of one unit. Asks `journalctl` at each look and keeps nothing running."""

import re
from collections.abc import Mapping
from typing import Any

from autonomyd.host.command import CommandFailure, CommandResult, run_command
from autonomyd.host.tail import LOOK_BYTES, News

CURSOR = "-- cursor: "
ENTRIES = (20_000, 500, 10)
"""Most entries of one look; when they are too large together it is asked again for fewer. The rest comes with the
next look: after a cursor journalctl begins with the oldest."""
_SHAPE = re.compile(r"[A-Za-z0-9=;]{1,400}")
"""What a cursor looks like. What does not is text of a log."""


class JournalTail:
    """Begins at the end of the journal as it is at the first look, or where an earlier tail has stopped (`take_up`)."""

    def __init__(self, unit: str, *, timeout_s: float) -> None:
        self._unit = unit
        self._timeout_s = timeout_s
        self._cursor = ""
        self._proven = False

    def kept(self) -> dict[str, Any]:
        """What `take_up` needs to go on from here, as JSON values; empty before the first look."""
        return {"cursor": self._cursor} if self._cursor else {}

    def take_up(self, kept: Mapping[str, Any]) -> None:
        """Go on where the tail stopped that said `kept`; what it did not say is no place, and is passed over."""
        cursor = kept.get("cursor")
        if isinstance(cursor, str) and _SHAPE.fullmatch(cursor):
            self._cursor, self._proven = cursor, False

    async def to_end(self) -> None:
        """Pass over everything that is there now. Raises OSError with words when there is no journal."""
        # the cursor of the whole journal's end: a unit without entries has none of its own
        result = await self._ask("--lines=0")
        self._cursor, _ = _parted(result)
        if not self._cursor:
            raise OSError("there is no journal on this machine, or none that the daemon may read")
        self._proven = True

    async def read(self) -> News:
        """What is new since the last look. Raises OSError with words when the journal can't be read."""
        if not self._cursor:
            await self.to_end()
            return News()
        try:
            return await self._since()
        except OSError:
            if self._proven:
                raise
            # the journal that this place was in may be gone: begin at the end, and say that something is missing
            await self.to_end()
            return News(gap=True)

    async def _since(self) -> News:
        text = ""
        for entries in ENTRIES:
            result = await self._ask(f"--unit={self._unit}", f"--after-cursor={self._cursor}", f"--lines={entries}")
            cursor, text = _parted(result)
            if cursor or not result.truncated:
                self._cursor, self._proven = cursor or self._cursor, True
                return News(text=text)
        await self.to_end()
        return News(text=text, gap=True)

    async def _ask(self, *which: str) -> CommandResult:
        argv = ("journalctl", *which, "--show-cursor", "--output=cat", "--no-pager", "--quiet")
        try:
            result = await run_command(argv, timeout_s=self._timeout_s, output_limit=LOOK_BYTES)
        except CommandFailure as error:
            raise OSError(str(error)) from error
        if result.timed_out or result.code != 0:
            why = "no answer in time" if result.timed_out else result.error.strip() or f"exit code {result.code}"
            raise OSError(why)
        return result


def _parted(result: CommandResult) -> tuple[str, str]:
    """(the cursor at the end of the output, "" when it has none; what stands before it)."""
    text, found, cursor = result.output.rpartition(CURSOR)
    cursor = cursor.strip()
    if found and not result.truncated and text[-1:] in ("", "\n") and _SHAPE.fullmatch(cursor):
        return cursor, text
    return "", result.output
