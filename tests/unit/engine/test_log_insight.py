"""Logs that are read once each: places over restarts, what is learned, what becomes an issue, and when that is over."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autonomyd.analyze.issuebook import IssueBook
from autonomyd.analyze.templates import NewsKind, TemplateNews, TemplateWatch
from autonomyd.engine.insight.log_insight import LogInsight
from autonomyd.engine.insight.watched_log import OWN_ROTATION_S
from autonomyd.engine.records import Records
from autonomyd.knowledge.store import Store
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, FixState
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.log_rules import EXAMPLE_CHARS
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.reading import ReadingState
from autonomyd.model.step import RotateLog
from autonomyd.model.subject import service_subject
from autonomyd.monitor.probe import Surroundings
from autonomyd.monitor.probes.log import LogOptions, LogProbe
from autonomyd.settings.root import Settings
from autonomyd.testing import ManualClock, service_settings

WEB = service_subject("web")


class Logs:
    """A log insight over the log of one service, and the store that outlives it."""

    def __init__(self, folder: Path, clock: ManualClock, store: Store) -> None:
        self.path = folder / "web.log"
        self.path.write_text("from before\n")
        self.clock = clock
        self.store = store
        self.settings = Settings()
        self.services: dict[str, Any] = {
            "web": SimpleNamespace(name="web", settings=service_settings(logs=[str(self.path)]), subject=WEB)
        }
        self.issues: list[Issue] = []
        self.book = IssueBook(next_id=iter(range(1, 999)).__next__, listen=lambda issue, _: self.issues.append(issue))
        self.made = self.insight()

    def insight(self) -> LogInsight:
        records = Records(self.clock)
        records.attach(self.store)
        self.records = records
        return LogInsight(
            clock=self.clock,
            settings=lambda: self.settings,
            services=lambda: self.services,
            containers=None,  # type: ignore[arg-type]
            records=records,
            book=self.book,
            state_dir=self.path.parent,
        )

    def write(self, *lines: str) -> None:
        with self.path.open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in lines)

    async def turn(self) -> None:
        self.clock.advance(60.0)
        await self.made.tick()

    async def restart(self) -> None:
        await self.made.close()
        await self.records.drained()
        self.made = self.insight()
        await self.made.restore()

    async def lines(self) -> int:
        return sum(each.lines for each in await self.made.templates("web"))

    def open(self) -> dict[str, Issue]:
        return {issue.metric: issue for issue in self.book.open_issues()}


@pytest.fixture
async def logs(tmp_path: Path) -> AsyncIterator[Logs]:
    clock = ManualClock()
    store = await Store.open(":memory:", clock=clock)
    yield Logs(tmp_path, clock, store)
    await store.close()


def check(logs: Logs, **options: Any) -> LogProbe:
    made = LogProbe(LogOptions(type="log", file=str(logs.path), **options), logs.clock)
    settings = logs.services["web"].settings
    made.place(Surroundings(service="web", settings=settings, dependencies=None, logs=logs.made))  # type: ignore[arg-type]
    return made


async def test_the_logs_of_services_are_read_from_their_end_on(logs: Logs) -> None:
    await logs.turn()
    logs.write("order 1 placed", "order 2 placed")
    await logs.turn()
    (found,) = await logs.made.templates("web")
    assert (found.log, found.lines, found.learning, len(found.templates)) == (str(logs.path), 2, True, 1)
    assert found.templates[0].count == 2
    assert await logs.made.templates("other") == ()


async def test_what_was_written_while_the_daemon_was_away_is_read(logs: Logs) -> None:
    await logs.turn()
    logs.write("order 1 placed")
    await logs.turn()
    await logs.restart()
    logs.write("order 2 placed")
    logs.path.rename(logs.path.with_name("web.log.1"))
    logs.write("order 3 placed")
    await logs.turn()
    await logs.turn()
    assert (await logs.lines()) == 3


async def test_a_check_reads_for_both_and_nothing_is_read_twice(logs: Logs) -> None:
    probe = check(logs)
    await probe.look()
    await logs.turn()
    logs.write("order 1 placed", "OSError: [Errno 28] No space left on device")
    found = await probe.look()
    assert found.state is ReadingState.FAILED
    await logs.turn()
    assert (await logs.lines()) == 2
    assert logs.made.errors("web") == ()
    probe.close()
    logs.write("order 2 placed")
    await logs.turn()
    await logs.turn()
    assert (await logs.lines()) == 3


async def test_lines_from_before_make_no_check_fail(logs: Logs) -> None:
    probe = check(logs)
    await probe.look()
    probe.close()
    await logs.restart()
    logs.write("OSError: [Errno 28] No space left on device")
    again = check(logs)
    found = await again.look()
    assert (found.state, found.values) == (ReadingState.OK, {"matches": 0.0})
    assert found.message == "1 line from before, 1 error line among them, not judged"
    assert again.errors("log") == ()
    assert (await logs.lines()) == 1
    logs.write("OSError: [Errno 28] No space left on device")
    assert (await again.look()).state is ReadingState.FAILED


async def test_errors_in_logs_without_a_check_are_evidence(logs: Logs) -> None:
    await logs.turn()
    logs.write("ConnectionRefusedError: [Errno 111] Connection refused")
    await logs.turn()
    (found,) = logs.made.errors("web")
    assert (found.check, found.rule, found.count, found.category) == (
        str(logs.path),
        "connection-refused",
        1,
        "network",
    )
    assert found.cause is not None
    assert found.confidence > 50
    assert found.fix


async def test_own_rules_come_first_and_a_bad_one_is_passed_over(logs: Logs) -> None:
    folder = logs.path.parent / "rules.d"
    folder.mkdir()
    rule = "[[rule]]\nname = '{}'\npattern = '{}'\ntrue = 'no space left'\nfalse = 'x'\n"
    (folder / "a.toml").write_text(rule.format("my-disk", "no space left") + rule.format("evil", "(a+)+"))
    await logs.made.put_up(logs.settings, str(logs.path.parent / "autonomyd.toml"))
    rule = logs.made.rules.of_line("No space left on device")
    assert rule is not None
    assert rule.name == "my-disk"
    assert logs.made.rules.of_line("a" * 100) is None
    (folder / "a.toml").unlink()
    await logs.made.put_up(logs.settings, str(logs.path.parent / "autonomyd.toml"))
    rule = logs.made.rules.of_line("No space left on device")
    assert rule is not None
    assert rule.name == "disk-full"


async def test_secrets_and_control_characters_are_not_kept(logs: Logs) -> None:
    await logs.turn()
    logs.write(
        "login with password=hunter2 \x1b[31mred\x1b[0m \u202eturned", "-----BEGIN PRIVATE KEY-----", "MIIEhunter2"
    )
    logs.path.write_bytes(logs.path.read_bytes() + b"\xff\x00" * 500_000 + b"\n")
    await logs.turn()
    await logs.restart()
    stored = str(await logs.records.states.items("log"))
    assert "hunter2" not in stored
    await logs.turn()
    (found,) = await logs.made.templates("web")
    for each in found.templates:
        assert each.text.isprintable()
        assert each.example.isprintable()
        assert len(each.example) <= EXAMPLE_CHARS + 3


async def test_a_log_that_can_not_be_read_says_why(logs: Logs) -> None:
    await logs.turn()
    logs.path.unlink()
    logs.path.mkdir()
    await logs.turn()
    (found,) = await logs.made.templates("web")
    assert "regular file" in found.problem


async def test_what_could_not_be_read_is_an_issue_for_a_while(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autonomyd.host.tail.LOOK_BYTES", 1000)
    await logs.turn()
    logs.write(*["order 17 placed"] * 1000)
    await logs.turn()
    issue = logs.open()["log:web.log:lost"]
    assert (issue.type, issue.severity) == (IssueType.ANOMALY, Severity.NOTICE)
    assert "came too fast" in issue.summary
    for _ in range(12):
        await logs.turn()
    assert logs.open() == {}


async def test_a_rotation_of_our_own_is_no_loss(logs: Logs) -> None:
    step = RotateLog(service="web", path=str(logs.path), method="copytruncate", keep=0, compress=False, tail_bytes=0)
    plan = Plan(
        strategy="rotate-logs",
        cause=Cause.LOG_OUTGROWN,
        service="web",
        steps=(step,),
        confidence=95,
        risk=Risk.LOW,
        disruptive=False,
        reversible=False,
        issue_id=1,
    )
    await logs.turn()
    logs.write("order 1 placed")
    await logs.turn()
    logs.made.fix_moved(Fix(id=1, plan=plan, state=FixState.APPLYING, actor="autonomyd", started_at=0.0))
    logs.path.write_text("")
    await logs.turn()
    assert logs.open() == {}
    logs.clock.advance(OWN_ROTATION_S)
    logs.write("order 2 placed")
    await logs.turn()
    logs.path.write_text("")  # by somebody else
    await logs.turn()
    assert set(logs.open()) == {"log:web.log:lost"}


def news(kind: NewsKind, group: int = 7, **more: Any) -> TemplateNews:
    return TemplateNews(
        kind=kind,
        group=group,
        template="payment <*> failed",
        example="payment 17 failed: No space left on device",
        count=40,
        before_per_h=more.pop("before", 2.0),
        now_per_h=more.pop("now", 240.0),
        since=0.0,
        trouble=more.pop("trouble", True),
    )


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what the watch of every log finds unusual."""

    def told(*found: TemplateNews) -> None:
        monkeypatch.setattr(TemplateWatch, "turn", lambda self, at: list(found))

    return told


async def test_a_surge_of_errors_is_a_warning_and_the_rest_a_notice(logs: Logs, tell: Callable[..., None]) -> None:
    await logs.turn()
    logs.write("payment 17 failed")
    tell(
        news(NewsKind.SURGING),
        news(NewsKind.SURGING, 8, trouble=False),
        news(NewsKind.NEW, 9),
        news(NewsKind.VANISHED, 10, now=0.0),
    )
    await logs.turn()
    found = logs.open()
    surge = found["log:web.log:7"]
    assert (surge.type, surge.severity, surge.subject) == (IssueType.HIGH_ERROR_RATE, Severity.WARNING, WEB)
    assert surge.summary.startswith(f"lines of an error surge in {logs.path}: payment 17 failed")
    assert surge.evidence[1] == "240 lines an hour, 2 before; 40 lines lately"
    assert any(line.startswith("rule disk-full: Free space") for line in surge.evidence)
    assert {found[f"log:web.log:{number}"].severity for number in (8, 9, 10)} == {Severity.NOTICE}
    assert {found[f"log:web.log:{number}"].type for number in (8, 9, 10)} == {IssueType.ANOMALY}


async def test_it_is_told_once_and_again_when_it_doubles_and_clears(logs: Logs, tell: Callable[..., None]) -> None:
    await logs.turn()
    logs.write("payment 17 failed")
    for now, heard in ((240.0, 1), (300.0, 1), (400.0, 1), (600.0, 2)):
        tell(news(NewsKind.SURGING, now=now))
        await logs.turn()
        assert len(logs.issues) == heard
    tell()
    await logs.turn()
    assert logs.open() == {}


async def test_an_issue_of_the_run_before_is_cleared(logs: Logs, tell: Callable[..., None]) -> None:
    await logs.turn()
    logs.write("payment 17 failed")
    tell(news(NewsKind.NEW))
    await logs.turn()
    assert logs.open()
    await logs.restart()
    logs.settings = logs.settings.model_copy(update={"logs": logs.settings.logs.model_copy(update={"learn": False})})
    await logs.turn()
    assert logs.open() == {}


async def test_many_news_at_once_are_told_together(logs: Logs, tell: Callable[..., None]) -> None:
    await logs.turn()
    logs.write("x")
    tell(*(news(NewsKind.NEW, number) for number in range(40)))
    await logs.turn()
    assert len(logs.open()) == 6
    assert "35 more kinds of lines are new" in logs.open()["log:web.log:new"].summary


async def test_an_ordinary_hour_is_silent(logs: Logs) -> None:
    await logs.turn()
    for minute in range(130):
        logs.write(*(f"order {minute * 40 + number} of customer {number * 7 % 13} placed" for number in range(40)))
        logs.write(*(f"cache has {number} entries" for number in range(5)))
        await logs.turn()
    assert logs.issues == []
