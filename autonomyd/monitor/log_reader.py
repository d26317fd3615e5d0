"""One log as it is read: what is new since the last look, held against the rules, and told to whoever learns from it.
Where the log is (file, journal, container) makes no difference from here on."""

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.host.mounts import surely_local
from autonomyd.host.tail import FileTail, News
from autonomyd.model.facts import LogErrors
from autonomyd.model.log_entries import ENTRY_CHARS, unfinished_from
from autonomyd.model.log_rules import LogMatch, LogRules

if TYPE_CHECKING:
    from autonomyd.host.container_tail import ContainerTail
    from autonomyd.host.journal_tail import JournalTail

INLINE_BYTES = 16_384
"""So much of a local file is read and judged between two turns of the event loop; more goes to a thread."""
ASK_EVERY_S = 0.9
"""Asking for a journal takes a program of its own: not more often, however often the check is looked at."""
KEPT_S = 300.0
"""How long matches are remembered for the diagnosis."""
KEPT_MATCHES = 1000

Hear = Callable[[str], None]


class LogKind(StrEnum):
    FILE = "file"
    JOURNAL = "journal"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Where a log is: the path of a file, a unit of the journal, or a container."""

    kind: LogKind
    name: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def words(self) -> str:
        """As messages name it."""
        return self.name if self.kind is LogKind.FILE else f"the {_OF[self.kind]} {self.name}"


_OF = {LogKind.JOURNAL: "journal of", LogKind.CONTAINER: "log of container"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNews:
    """What one look brought: the entries that are whole, and what the rules found in them."""

    news: News
    matches: tuple[LogMatch, ...] = ()

    @property
    def bad(self) -> int:
        """How many entries tell of an error."""
        return sum(match.count for match in self.matches)


class LogReader:
    """Reads one log. `hear` is told every whole piece of text, perhaps in a thread; `rules` are asked for at each look,
    because a reload replaces them. `skipped` bytes were passed over so far, `gaps` times something was not found."""

    def __init__(
        self,
        source: LogSource,
        tail: "FileTail | JournalTail | ContainerTail",
        *,
        rules: Callable[[], LogRules],
        clock: Clock,
        timeout_s: float,
    ) -> None:
        self.source = source
        self.tail = tail
        self.rules = rules
        self.hear: Hear | None = None
        self.skipped = 0
        self.gaps = 0
        self._clock = clock
        self._timeout_s = timeout_s
        self._local = isinstance(tail, FileTail) and surely_local(source.name)
        self._held = ""
        self._reading = False
        self._asked_at = -math.inf

    @property
    def quick_to_begin(self) -> bool:
        """Whether its first look only finds the end of a local file."""
        return self._local and not self.tail.kept()

    async def read(self, *, anew: bool = False) -> LogNews:
        """What is new since the last look. `anew`: also what is not whole yet; it belongs to the past. Raises OSError
        and TimeoutError with words when that can't be told."""
        if self._reading:
            raise TimeoutError("the look before this one still waits for the disk")
        tail = self.tail
        if not isinstance(tail, FileTail):
            now = self._clock.monotonic()
            if not anew and now - self._asked_at < ASK_EVERY_S:
                return LogNews(news=News())
            self._asked_at = now
            news = await tail.read()
            if len(news.text) <= INLINE_BYTES:
                return self._work(lambda: news, anew)
            return await in_thread(lambda: self._work(lambda: news, anew))
        if self._local and tail.waiting() <= INLINE_BYTES:
            return self._work(tail.read, anew)
        return await in_thread(lambda: self._work(tail.read, anew))

    def _work(self, read: Callable[[], News], anew: bool) -> LogNews:
        self._reading = True
        try:
            news = read()
            if anew and isinstance(self.tail, FileTail):
                self.tail.to_end()  # the rest of a line that the process before has begun
            self.skipped += news.skipped
            self.gaps += news.gap
            news = replace(news, text=self._whole(news.text, anew))
            if not news.text:
                return LogNews(news=news)
            if self.hear is not None:
                self.hear(news.text)
            deadline = self._clock.monotonic() + self._timeout_s
            matches = self.rules().found(news.text, expired=lambda: self._clock.monotonic() > deadline)
            return LogNews(news=news, matches=matches)
        finally:
            self._reading = False

    def _whole(self, text: str, anew: bool) -> str:
        """The entries that are whole: one whose end is surely still to come waits for it, for one look."""
        begun, self._held = self._held, ""
        if not text or anew:
            return begun + text
        text = begun + text
        at = unfinished_from(text)
        if len(text) - at > ENTRY_CHARS:
            at = len(text)
        self._held = text[at:]
        return text[:at]


class LogMemory:
    """What the rules found lately."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: deque[tuple[float, LogMatch]] = deque(maxlen=KEPT_MATCHES)

    def add(self, at: float, matches: tuple[LogMatch, ...]) -> None:
        self._found.extend((at, match) for match in matches)

    def clear(self) -> None:
        self._found.clear()

    def since(self, at: float) -> list[LogMatch]:
        """Those found at `at` (monotonic seconds) or later."""
        return [match for when, match in self._found if when >= at]

    def errors(self, check: str) -> tuple[LogErrors, ...]:
        """What was found in the last five minutes, most frequent rule first; `check` names where."""
        oldest = self._clock.monotonic() - KEPT_S
        while self._found and self._found[0][0] < oldest:
            self._found.popleft()
        counts: Counter[str] = Counter()
        newest: dict[str, LogMatch] = {}
        for _, match in self._found:
            counts[match.rule.name] += match.count
            newest[match.rule.name] = match
        return tuple(_errors(check, newest[name], count) for name, count in counts.most_common())


def _errors(check: str, newest: LogMatch, count: int) -> LogErrors:
    rule = newest.rule
    return LogErrors(
        check=check,
        rule=rule.name,
        count=count,
        example=newest.example,
        cause=rule.cause,
        confidence=rule.confidence,
        category=rule.category,
        playbooks=rule.playbooks,
        fix=rule.fix,
    )
