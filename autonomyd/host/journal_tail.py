"""Reads what is new in systemd's journal of one unit. Asks `journalctl` at each look and keeps nothing running."""

from autonomyd.host.command import CommandFailure, run_command
from autonomyd.host.tail import LOOK_BYTES, News

CURSOR = "-- cursor: "
MAX_ENTRIES = 20_000


class JournalTail:
    """Begins at the end of the journal as it is at the first look."""

    def __init__(self, unit: str, *, timeout_s: float) -> None:
        self._unit = unit
        self._timeout_s = timeout_s
        self._cursor = ""

    async def to_end(self) -> None:
        """Pass over everything that is there now. Raises OSError with words when there is no journal."""
        await self._ask("--lines=0")
        if not self._cursor:
            raise OSError("there is no journal on this machine, or none that the daemon may read")

    async def read(self) -> News:
        """What is new since the last look. Raises OSError with words when the journal can't be read."""
        if not self._cursor:
            await self.to_end()
            return News()
        return await self._ask(f"--after-cursor={self._cursor}", f"--lines={MAX_ENTRIES}")

    async def _ask(self, *which: str) -> News:
        # the cursor of the whole journal's end: a unit without entries has none of its own
        unit = () if which == ("--lines=0",) else (f"--unit={self._unit}",)
        argv = ("journalctl", *unit, *which, "--show-cursor", "--output=cat", "--no-pager", "--quiet")
        try:
            result = await run_command(argv, timeout_s=self._timeout_s, output_limit=LOOK_BYTES)
        except CommandFailure as error:
            raise OSError(str(error)) from error
        if result.timed_out or result.code != 0:
            why = "no answer in time" if result.timed_out else result.error.strip() or f"exit code {result.code}"
            raise OSError(why)
        text, found, cursor = result.output.rpartition(CURSOR)
        if not found:
            return News(text=result.output)
        self._cursor = cursor.strip()
        return News(text=text)
