"""`type = "log"`: error lines in a file, in the journal or of a container, as they come."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.aio.clock import Clock
from autonomyd.host.journal_tail import JournalTail
from autonomyd.host.tail import FileTail
from autonomyd.model.facts import LogErrors
from autonomyd.model.log_rules import LogMatch, LogRules
from autonomyd.model.reading import MetricSpec
from autonomyd.model.words import counted
from autonomyd.monitor.log_reader import LogKind, LogMemory, LogNews, LogReader, LogSource
from autonomyd.monitor.probe import LogDesk, Look, Surroundings, failed, ok, unknown
from autonomyd.settings.base import Seconds
from autonomyd.settings.log_rules import ignored_patterns, rules_of_patterns, shipped_rules
from autonomyd.settings.pattern import checked_pattern
from autonomyd.settings.service import CheckSettings

if TYPE_CHECKING:
    from autonomyd.host.container_tail import ContainerTail

MB = 1_000_000

Pattern = Annotated[str, AfterValidator(checked_pattern)]


class LogOptions(CheckSettings):
    """The log in a file, the journal or of a container; new error lines are a failure, those from before the present
    process of the service are not."""

    file: str | None = Field(default=None, pattern=r"^/")
    """Absolute path; rotation of any kind is followed."""
    journal: str | None = Field(default=None, pattern=r"^[A-Za-z0-9:_.\\@-]+$")
    """Unit whose messages in systemd's journal are read: nginx.service."""
    container: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Container whose output is read."""
    patterns: tuple[Pattern, ...] = ()
    """Regular expressions that mark a bad line; default: the rules that ship, and your own
    (`[logs]`)."""
    ignore: tuple[Pattern, ...] = ()
    """Regular expressions of lines that do not count after all."""
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Bad entries (a stack trace is one) within `within_s` that make it fail."""
    within_s: Seconds = 10.0
    """How long a bad line counts, s."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.file, self.journal, self.container)) != 1:
            raise PydanticCustomError("log_source", "a log check has one source: `file`, `journal` or `container`")
        return self


class LogProbe:
    kind: ClassVar[str] = "log"
    Options: ClassVar[type[CheckSettings]] = LogOptions
    asks: ClassVar[bool] = False
    cheap: ClassVar[bool] = True
    recalls: ClassVar[bool] = True
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="matches"),)

    def __init__(self, options: LogOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._ignore = ignored_patterns(options.ignore)
        self._rules: LogRules | None = None
        self._rules_of: LogRules | None = None
        self._memory = LogMemory(clock)
        self._anew = True
        self._desk: LogDesk | None = None
        self._reader: LogReader | None = None
        if options.file is not None:
            self._reader = self._reading(LogSource(kind=LogKind.FILE, name=options.file), FileTail(options.file))
        elif options.journal is not None:
            tail = JournalTail(options.journal, timeout_s=options.timeout_s)
            self._reader = self._reading(LogSource(kind=LogKind.JOURNAL, name=options.journal), tail)

    def place(self, around: Surroundings) -> None:
        if self._options.container is not None:
            from autonomyd.host.container_tail import ContainerTail
            from autonomyd.host.containers.api import EngineApi
            from autonomyd.host.containers.engines import FAMILY

            name = self._options.container
            socket = getattr(around.settings.control, "socket", None)
            api = EngineApi(socket, around.dependencies.of(FAMILY, socket or ""))
            tail = ContainerTail(name, api, self._clock, timeout_s=self._options.timeout_s)
            self._reader = self._reading(LogSource(kind=LogKind.CONTAINER, name=name), tail)
        if around.logs is not None and self._reader is not None:
            self._desk = around.logs
            self._desk.enter(self._reader, around.service)

    def close(self) -> None:
        """Leave its place with the desk."""
        if self._desk is not None and self._reader is not None:
            self._desk.leave(self._reader)

    def begin(self) -> None:
        """A new process of the service has started: what was written before it tells nothing of it."""
        self._memory.clear()
        self._anew = True

    def errors(self, check: str) -> tuple[LogErrors, ...]:
        """What was matched in the last five minutes, most frequent rule first; `check` names the check."""
        return self._memory.errors(check)

    async def look(self) -> Look:
        if self._reader is None:
            return unknown(
                f"the log of container {self._options.container}: which container engine to ask is not known"
            )
        anew, self._anew = self._anew, False
        try:
            found = await self._reader.read(anew=anew)
        except (TimeoutError, OSError) as error:
            self._anew = self._anew or anew  # what it would have passed over is still there
            return unknown(f"{self._reader.source.words}: {getattr(error, 'strerror', None) or error}")
        now = self._clock.monotonic()
        if anew:
            return self._passed(found)
        self._memory.add(now, found.matches)
        return self._judged(found, now)

    def _passed(self, found: LogNews) -> Look:
        """What was written before the present process, or while the daemon was away, makes nothing fail now."""
        if not found.news.text:
            return self._well(found, 0)
        lines = counted(found.news.text.count("\n"), "line")
        words = f"{lines} from before, {counted(found.bad, 'error line')} among them, not judged"
        return ok({"matches": 0.0}, words + _lost(found))

    def _judged(self, found: LogNews, now: float) -> Look:
        options = self._options
        lately = self._memory.since(now - options.within_s)
        total = sum(match.count for match in lately)
        if total >= options.count:
            return failed(self._words(lately, total), {"matches": float(found.bad)})
        return self._well(found, total)

    def _well(self, found: LogNews, total: int) -> Look:
        values = {"matches": float(found.bad)}
        if found.news.missing and self._reader is not None:
            return ok(values, f"{self._reader.source.words} is not there (yet)")
        if total:
            return ok(values, counted(total, "error line") + _lost(found))
        return ok(values, f"no error lines within {self._options.within_s:g} s{_lost(found)}")

    def _words(self, lately: list[LogMatch], total: int) -> str:
        counts: Counter[str] = Counter()
        for match in lately:
            counts[match.rule.name] += match.count
        first = counts.most_common(1)[0][0]
        newest = next(match for match in reversed(lately) if match.rule.name == first)
        others = f", {counted(len(counts) - 1, 'other kind')}" if len(counts) > 1 else ""
        return f"{counted(total, 'error line')} ({first}{others}): {newest.example}"

    def _reading(self, source: LogSource, tail: "FileTail | JournalTail | ContainerTail") -> LogReader:
        return LogReader(source, tail, rules=self._in_force, clock=self._clock, timeout_s=self._options.timeout_s)

    def _in_force(self) -> LogRules:
        """Its own patterns, else the desk's rules without what is to be ignored."""
        options = self._options
        theirs = None if self._desk is None or options.patterns else self._desk.rules
        if theirs is not None and not self._ignore:
            return theirs
        if self._rules is None or theirs is not self._rules_of:
            own = rules_of_patterns(options.patterns) if options.patterns else shipped_rules()
            self._rules = LogRules(own if theirs is None else theirs.rules, ignore=self._ignore)
            self._rules_of = theirs
        return self._rules


def _lost(found: LogNews) -> str:
    """What could not be read, in words."""
    news = found.news
    words = f"; {news.skipped / MB:.1f} MB came too fast and were passed over" if news.skipped else ""
    return f"{words}; what was written before its rotation can't be found any more" if news.gap else words
