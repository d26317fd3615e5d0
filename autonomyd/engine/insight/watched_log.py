"""One log as it is watched: who reads it, whose it is, what is learned from it, and what of it was not read."""

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.analyze.issuebook import Key
from autonomyd.analyze.templates import TemplateMiner, TemplateNews, TemplateWatch
from autonomyd.model.log_entries import told_lines
from autonomyd.model.log_rules import shortened
from autonomyd.model.secrets import masked_lines
from autonomyd.model.templates import LogTemplates, TemplateStatus
from autonomyd.monitor.log_reader import LogMemory, LogReader, LogSource

LOST_S = 600.0
"""How long it is told that something could not be read."""
OWN_ROTATION_S = 180.0
"""What is found missing so shortly after a rotation of our own went with it: the fix says what is gone."""
SHOWN = 200
"""Templates that are shown."""

log = structlog.get_logger(__name__)


class WatchedLog:
    """Lines come from threads too. `told` is what was told of it and still holds: by issue the rate (lines an hour)."""

    def __init__(
        self,
        source: LogSource,
        *,
        clock: Clock,
        max_templates: int,
        is_trouble: Callable[[str], bool],
        learned: Mapping[str, Any] | None = None,
    ) -> None:
        self.source = source
        self.memory = LogMemory(clock)
        self.named: frozenset[str] = frozenset()
        self.kept: Mapping[str, Any] = {}
        self.problem = ""
        self.news: tuple[TemplateNews, ...] = ()
        self.told: dict[Key, float] = {}
        self._clock = clock
        self._max_templates = max_templates
        self._is_trouble = is_trouble
        self._learned = learned
        self._watch: TemplateWatch | None = None
        self._heard = 0
        self._dumped = 0
        self._lock = threading.Lock()
        self._readers: list[tuple[LogReader, str]] = []
        self._lost = (0, 0)
        self._lost_at: float | None = None
        self._rotated_at = -math.inf

    @property
    def services(self) -> frozenset[str]:
        """Whose log it is."""
        return self.named.union(service for _, service in self._readers)

    @property
    def reader(self) -> LogReader | None:
        """The one that is listened to."""
        return self._readers[0][0] if self._readers else None

    def enter(self, reader: LogReader, service: str, *, learn: bool) -> None:
        self._readers.append((reader, service))
        self._listen(learn)

    def leave(self, reader: LogReader) -> None:
        learn = reader.hear is not None
        reader.hear = None
        self._readers = [each for each in self._readers if each[0] is not reader]
        if learn:
            self._listen(learn)

    def read_by_others(self, mine: LogReader | None) -> bool:
        """Whether somebody else than `mine` reads it."""
        return any(reader is not mine for reader, _ in self._readers)

    def hear(self, text: str) -> None:
        """New entries: what they ordinarily say is learned. Perhaps in a thread."""
        lines = masked_lines(told_lines(text.split("\n")))
        with self._lock:
            self._heard += len(lines)
            self._watching().add_block(lines, self._clock.wall())

    def turn(self) -> tuple[TemplateNews, ...]:
        """What is unusual now; as it was when a thread is just learning."""
        if self._heard and self._lock.acquire(blocking=False):
            try:
                self.news = tuple(self._watching().turn(self._clock.wall()))
            finally:
                self._lock.release()
        return self.news

    def rotated(self) -> None:
        """The daemon itself rotates it now."""
        self._rotated_at = self._clock.monotonic()

    def lost(self) -> tuple[int, int]:
        """(bytes passed over, gaps) lately; zeros when that is a while ago, or went with a rotation of our own."""
        reader, now = self.reader, self._clock.monotonic()
        if reader is None:
            return 0, 0
        if (reader.skipped, reader.gaps) != self._lost:
            self._lost = (reader.skipped, reader.gaps)
            if now - self._rotated_at > OWN_ROTATION_S:
                self._lost_at = now
        recent = self._lost_at is not None and now - self._lost_at < LOST_S
        return self._lost if recent else (0, 0)

    def dumped(self) -> dict[str, Any] | None:
        """What was learned, for the store; None when nothing was since the last time."""
        if self._watch is None or self._heard == self._dumped:
            return None
        with self._lock:
            self._dumped = self._heard
            return self._watch.dump()

    def status(self) -> LogTemplates:
        """As it is shown."""
        reader = self.reader
        with self._lock:
            watch = self._watching()
            miner = watch.miner
            marks = {each.group: each for each in self.news}
            shown = [self._template(group, marks) for group in miner.groups()[:SHOWN]]
            return LogTemplates(
                log=self.source.words,
                lines=miner.lines,
                learning=watch.learning,
                templates=tuple(shown),
                skipped_bytes=reader.skipped if reader is not None else 0,
                gaps=reader.gaps if reader is not None else 0,
                forgotten=miner.evicted,
                problem=self.problem,
            )

    def _template(self, group: int, marks: Mapping[int, TemplateNews]) -> TemplateStatus:
        watch, news = self._watching(), marks.get(group)
        return TemplateStatus(
            number=group,
            text=watch.miner.template(group),
            count=watch.miner.count(group),
            example=shortened(watch.miner.example(group)),
            per_hour=None if news is None else news.now_per_h,
            mark="" if news is None else news.kind.value,
        )

    def _listen(self, learn: bool) -> None:
        if learn and self._readers and not any(reader.hear for reader, _ in self._readers):
            self._readers[0][0].hear = self.hear

    def _watching(self) -> TemplateWatch:
        if self._watch is None:
            learned, self._learned = self._learned, None
            if learned is not None:
                try:
                    self._watch = TemplateWatch.load(
                        dict(learned), max_templates=self._max_templates, is_trouble=self._is_trouble
                    )
                except (KeyError, TypeError, ValueError) as error:
                    log.warning("learned_templates_unusable", log=self.source.key, reason=str(error))
            if self._watch is None:
                miner = TemplateMiner(max_templates=self._max_templates)
                self._watch = TemplateWatch(miner, is_trouble=self._is_trouble)
        return self._watch
