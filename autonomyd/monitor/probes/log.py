"""`type = "log"`: error lines in a file, in the journal or of a container, as they come."""

import math
from collections import Counter, deque
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.journal_tail import JournalTail
from autonomyd.host.mounts import surely_local
from autonomyd.host.tail import FileTail, News
from autonomyd.model.facts import LogErrors
from autonomyd.model.log_rules import LogMatch, LogRules
from autonomyd.model.reading import MetricSpec
from autonomyd.model.words import counted
from autonomyd.monitor.probe import Look, Surroundings, failed, ok, unknown
from autonomyd.settings.base import Seconds
from autonomyd.settings.log_rules import ignored_patterns, rules_of_patterns, shipped_rules
from autonomyd.settings.pattern import checked_pattern
from autonomyd.settings.service import CheckSettings

INLINE_BYTES = 65_536
"""So much of a local file is read and judged between two turns of the event loop; more goes to a thread."""
if TYPE_CHECKING:
    from autonomyd.host.container_tail import ContainerTail

ASK_EVERY_S = 0.9
"""Asking for a journal takes a program of its own: not more often, however often the check is looked at."""
KEPT_S = 300.0
"""How long matches are remembered for the diagnosis."""
KEPT_MATCHES = 1000
MB = 1_000_000

Pattern = Annotated[str, AfterValidator(checked_pattern)]


class LogOptions(CheckSettings):
    """The log in a file, the journal or of a container, from its present end on; new error lines are a failure."""

    file: str | None = Field(default=None, pattern=r"^/")
    """Absolute path; rotation of any kind is followed."""
    journal: str | None = Field(default=None, pattern=r"^[A-Za-z0-9:_.\\@-]+$")
    """Unit whose messages in systemd's journal are read: nginx.service."""
    container: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Container whose output is read."""
    patterns: tuple[Pattern, ...] = ()
    """Regular expressions that mark a bad line; default: the rules that ship (autonomyd/rules)."""
    ignore: tuple[Pattern, ...] = ()
    """Regular expressions of lines that do not count after all."""
    count: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Bad lines within `within_s` that make it fail."""
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
    about_service: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (MetricSpec(name="matches"),)

    def __init__(self, options: LogOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        rules = rules_of_patterns(options.patterns) if options.patterns else shipped_rules()
        self._rules = LogRules(rules, ignore=ignored_patterns(options.ignore))
        self._file = FileTail(options.file) if options.file is not None else None
        self._asked: JournalTail | ContainerTail | None = None
        if options.journal is not None:
            self._asked = JournalTail(options.journal, timeout_s=options.timeout_s)
        self._local = options.file is not None and surely_local(options.file)
        self._found: deque[tuple[float, LogMatch]] = deque(maxlen=KEPT_MATCHES)
        self._anew = False
        self._reading = False
        self._asked_at = -math.inf

    def place(self, around: Surroundings) -> None:
        if self._options.container is None:
            return
        from autonomyd.host.container_tail import ContainerTail
        from autonomyd.host.containers.api import EngineApi
        from autonomyd.host.containers.engines import FAMILY

        socket = getattr(around.settings.control, "socket", None)
        api = EngineApi(socket, around.dependencies.of(FAMILY, socket or ""))
        self._asked = ContainerTail(self._options.container, api, self._clock, timeout_s=self._options.timeout_s)

    def close(self) -> None:
        """It holds nothing."""

    def begin(self) -> None:
        """A new process of the service has started: what was written before it tells nothing of it."""
        self._found.clear()
        self._anew = True

    def errors(self, check: str) -> tuple[LogErrors, ...]:
        """What was matched in the last five minutes, most frequent rule first; `check` names the check."""
        self._forget()
        counts: Counter[str] = Counter()
        newest: dict[str, LogMatch] = {}
        for _, match in self._found:
            counts[match.rule.name] += match.count
            newest[match.rule.name] = match
        return tuple(
            LogErrors(check=check, rule=name, count=count, example=newest[name].example, cause=newest[name].rule.cause)
            for name, count in counts.most_common()
        )

    async def look(self) -> Look:
        try:
            news, matches = await self._news()
        except TimeoutError as error:
            return unknown(f"{self._source}: {error}")
        except OSError as error:
            return unknown(f"{self._source}: {error.strerror or error}")
        now = self._clock.monotonic()
        self._found.extend((now, match) for match in matches)
        return self._judged(news, now, sum(match.count for match in matches))

    def _judged(self, news: News, now: float, new: int) -> Look:
        options = self._options
        values = {"matches": float(new)}
        lately = [match for at, match in self._found if now - at <= options.within_s]
        total = sum(match.count for match in lately)
        if total >= options.count:
            return failed(self._words(lately, total), values)
        if news.missing:
            return ok(values, f"{self._source} is not there (yet)")
        if news.skipped:
            return ok(values, f"no error lines; {news.skipped / MB:.1f} MB came too fast and were passed over")
        return ok(
            values, f"no error lines within {options.within_s:g} s" if not total else counted(total, "error line")
        )

    def _words(self, lately: list[LogMatch], total: int) -> str:
        counts: Counter[str] = Counter()
        for match in lately:
            counts[match.rule.name] += match.count
        first = counts.most_common(1)[0][0]
        newest = next(match for match in reversed(lately) if match.rule.name == first)
        others = f", {counted(len(counts) - 1, 'other kind')}" if len(counts) > 1 else ""
        return f"{counted(total, 'error line')} ({first}{others}): {newest.example}"

    async def _news(self) -> tuple[News, tuple[LogMatch, ...]]:
        if self._reading:
            raise TimeoutError("the look before this one still waits for the disk")
        anew, self._anew = self._anew, False
        if self._file is None:
            return await self._news_asked(anew)
        if self._local and self._file.waiting() <= INLINE_BYTES:
            return self._read(self._file, anew)
        tail = self._file
        return await in_thread(lambda: self._read(tail, anew))

    async def _news_asked(self, anew: bool) -> tuple[News, tuple[LogMatch, ...]]:
        """From a journal or an engine."""
        if self._asked is None:
            raise OSError("it is not known which container engine to ask")
        now = self._clock.monotonic()
        if not anew and now - self._asked_at < ASK_EVERY_S:
            return News(), ()
        self._asked_at = now
        if anew:
            await self._asked.to_end()
            return News(), ()
        news = await self._asked.read()
        return news, await in_thread(lambda: self._matches(news))

    def _read(self, tail: FileTail, anew: bool) -> tuple[News, tuple[LogMatch, ...]]:
        self._reading = True
        try:
            if anew:
                tail.to_end()
                return News(), ()
            news = tail.read()
            return news, self._matches(news)
        finally:
            self._reading = False

    def _matches(self, news: News) -> tuple[LogMatch, ...]:
        if not news.text:
            return ()
        deadline = self._clock.monotonic() + self._options.timeout_s
        return self._rules.found(news.text, expired=lambda: self._clock.monotonic() > deadline)

    def _forget(self) -> None:
        oldest = self._clock.monotonic() - KEPT_S
        while self._found and self._found[0][0] < oldest:
            self._found.popleft()

    @property
    def _source(self) -> str:
        options = self._options
        if options.container is not None:
            return f"the log of container {options.container}"
        return options.file or f"the journal of {options.journal}"
