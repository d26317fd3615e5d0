"""Reading one log: entries that are not whole yet, threads, what is passed over, rules that a reload replaces."""

from pathlib import Path

import pytest

from autonomyd.host.tail import FileTail, News
from autonomyd.model.log_rules import LogRules
from autonomyd.monitor import log_reader
from autonomyd.monitor.log_reader import LogKind, LogReader, LogSource
from autonomyd.settings.log_rules import rules_of_patterns, shipped_rules
from autonomyd.testing import ManualClock

SHIPPED = LogRules(shipped_rules())


class Reading:
    def __init__(self, path: Path, rules: LogRules = SHIPPED) -> None:
        self.path = path
        self.path.write_text("before\n")
        self.rules = rules
        self.heard: list[str] = []
        source = LogSource(kind=LogKind.FILE, name=str(path))
        self.reader = LogReader(
            source, FileTail(str(path)), rules=lambda: self.rules, clock=ManualClock(), timeout_s=5.0
        )
        self.reader.hear = self.heard.append

    async def look(self, text: str = "", *, anew: bool = False) -> list[tuple[str, int, str]]:
        with self.path.open("a") as file:
            file.write(text)
        found = await self.reader.read(anew=anew)
        return [(match.rule.name, match.count, match.example) for match in found.matches]


@pytest.fixture
async def reading(tmp_path: Path) -> Reading:
    made = Reading(tmp_path / "app.log")
    await made.look()
    return made


async def test_a_trace_that_is_being_written_is_one_entry(reading: Reading) -> None:
    assert await reading.look("INFO ok\nTraceback (most recent call last):\n  File 'a'\n") == []
    assert reading.heard == ["INFO ok\n"]
    assert await reading.look("MemoryError\nnext\n") == [("python-memory", 1, "MemoryError")]
    assert reading.heard[-1].endswith("MemoryError\nnext\n")


async def test_a_trace_that_never_ends_is_held_for_one_look(reading: Reading) -> None:
    assert await reading.look("Traceback (most recent call last):\n  File 'a'\n") == []
    (found,) = await reading.look()
    assert found[:2] == ("exception", 1)
    assert await reading.look() == []


async def test_a_new_process_leaves_nothing_half_read(reading: Reading) -> None:
    await reading.look("Traceback (most recent call last):\n  File 'a'\n")
    await reading.look("half a li", anew=True)
    assert await reading.look("ne: Connection refused\n") == [("connection-refused", 1, "ne: Connection refused")]
    assert reading.heard == ["Traceback (most recent call last):\n  File 'a'\n", "ne: Connection refused\n"]


async def test_rules_are_asked_for_at_each_look(reading: Reading) -> None:
    assert await reading.look("sold out\n") == []
    reading.rules = LogRules(rules_of_patterns(["sold out"]))
    assert await reading.look("sold out\n") == [("sold out", 1, "sold out")]


async def test_much_text_goes_through_a_thread(reading: Reading) -> None:
    found = await reading.look("ordinary line\n" * 5000 + "Connection refused\n")
    assert found == [("connection-refused", 1, "Connection refused")]
    assert len(reading.heard[0]) > log_reader.INLINE_BYTES


async def test_what_was_passed_over_is_counted(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autonomyd.host.tail.LOOK_BYTES", 1000)
    await reading.look("ordinary line\n" * 1000)
    assert reading.reader.skipped > 10_000
    reading.path.unlink()
    reading.path.write_text("new\n")
    await reading.look()
    assert reading.reader.gaps == 1


class Asked:
    """A tail that must be asked, such as a journal."""

    def __init__(self) -> None:
        self.asked = 0

    async def read(self) -> News:
        self.asked += 1
        return News(text=f"Connection refused {self.asked}\n")


async def test_who_must_be_asked_is_asked_once_a_second() -> None:
    clock, tail = ManualClock(), Asked()
    source = LogSource(kind=LogKind.JOURNAL, name="web.service")
    reader = LogReader(source, tail, rules=lambda: SHIPPED, clock=clock, timeout_s=5.0)  # type: ignore[arg-type]
    assert (await reader.read()).bad == 1
    assert (await reader.read()).bad == 0
    clock.advance(1.0)
    assert (await reader.read()).bad == 1
    assert (tail.asked, source.words) == (2, "the journal of web.service")
