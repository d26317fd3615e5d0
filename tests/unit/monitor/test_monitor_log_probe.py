"""The log check: what makes it fail, for how long, what it forgets when a new process begins."""

import pytest
from pydantic import ValidationError

from autonomyd.model.diagnosis import Cause
from autonomyd.model.reading import ReadingState
from autonomyd.monitor.probes.log import LogOptions, LogProbe
from autonomyd.testing import ManualClock


class Logged:
    def __init__(self, path, **options):
        self.clock = ManualClock()
        self.path = path
        self.path.write_text("OperationalError before the daemon\n")
        self.probe = LogProbe(LogOptions(type="log", file=str(path), **options), self.clock)

    def write(self, *lines):
        with self.path.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    async def look(self, after_s=1.0):
        self.clock.advance(after_s)
        return await self.probe.look()


@pytest.fixture
def logged(tmp_path):
    return Logged(tmp_path / "app.log", patterns=["OperationalError"])


async def test_only_new_lines_count_and_for_a_while(logged):
    assert (await logged.look()).state is ReadingState.OK
    logged.write("all is well", "OperationalError: cannot connect postgresql://u:hidden@db/x")
    found = await logged.look()
    assert found.state is ReadingState.FAILED
    assert found.message == "1 error line (OperationalError): OperationalError: cannot connect postgresql://***@db/x"
    assert found.values == {"matches": 1.0}
    again = await logged.look()
    assert (again.state, again.values) == (ReadingState.FAILED, {"matches": 0.0})
    assert (await logged.look(10.0)).state is ReadingState.OK


async def test_a_new_process_is_judged_by_its_own_lines(logged):
    await logged.look()
    logged.write("OperationalError one")
    assert (await logged.look()).state is ReadingState.FAILED
    logged.write("OperationalError of the old process, on its way out")
    logged.probe.begin()
    assert logged.probe.errors("log") == ()
    assert (await logged.look()).state is ReadingState.OK
    logged.write("OperationalError again")
    assert (await logged.look()).state is ReadingState.FAILED


async def test_count_and_ignore(tmp_path):
    logged = Logged(tmp_path / "app.log", patterns=["Error"], ignore=["harmless"], count=3)
    await logged.look()
    logged.write("Error 1", "Error harmless", "Error 2")
    assert (await logged.look()).state is ReadingState.OK
    logged.write("Error 3")
    found = await logged.look()
    assert found.state is ReadingState.FAILED
    assert found.message.startswith("3 error lines (Error)")


async def test_the_rules_that_ship_and_what_the_diagnosis_gets(tmp_path):
    logged = Logged(tmp_path / "app.log")
    await logged.look()
    logged.write(
        "OSError: [Errno 28] No space left on device", "OSError: [Errno 28] No space left on device", "panic: x"
    )
    found = await logged.look()
    assert found.message.startswith("3 error lines (disk-full, 1 other kind): OSError")
    first, second = logged.probe.errors("log")
    assert (first.check, first.rule, first.count, first.cause) == ("log", "disk-full", 2, Cause.LOG_DISK_FULL)
    assert second.rule == "go-panic"
    logged.clock.advance(301.0)
    assert logged.probe.errors("log") == ()


async def test_a_missing_file_is_no_failure_and_an_unreadable_one_unknown(tmp_path):
    clock = ManualClock()
    missing = LogProbe(LogOptions(type="log", file=str(tmp_path / "none.log")), clock)
    assert (await missing.look()).state is ReadingState.OK
    folder = LogProbe(LogOptions(type="log", file=str(tmp_path)), clock)
    look = await folder.look()
    assert look.state is ReadingState.UNKNOWN
    assert "is not a regular file" in look.message


async def test_much_at_once_is_read_in_a_thread(logged):
    await logged.look()
    logged.write(*["an ordinary line of a busy program"] * 5000, "OperationalError at the end")
    assert (await logged.look()).state is ReadingState.FAILED


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"file": "/a", "journal": "x.service"},
        {"file": "relative"},
        {"file": "/a", "patterns": ["(a+)+"]},
        {"file": "/a", "count": 0},
    ],
)
def test_options_that_make_no_sense(options):
    with pytest.raises(ValidationError):
        LogOptions(type="log", **options)
