"""Every log that is read, once: where its reading has stopped, what it ordinarily says, and what is unusual in it now.
The logs of checks are read by their probes; the others that services have are read here, at each turn."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.aio.offload import in_thread
from autonomyd.analyze.issuebook import IssueBook, Key
from autonomyd.engine.managed import ManagedService
from autonomyd.engine.records import Records
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.model.facts import LogErrors
from autonomyd.model.fix import Fix
from autonomyd.model.step import RotateLog
from autonomyd.model.templates import LogTemplates
from autonomyd.settings.root import Settings

if TYPE_CHECKING:
    from autonomyd.engine.insight.watched_log import WatchedLog
    from autonomyd.model.log_rules import LogRules
    from autonomyd.monitor.log_reader import LogReader, LogSource
    from autonomyd.settings.log_rules import RuleFolder

FOLDER = "rules.d"
PLACE = "log_place:"
TEMPLATES = "log_templates:"
"""What the keys of the store begin with."""
READ_TIMEOUT_S = 5.0
TURN_TIMEOUT_S = 15.0
AT_ONCE = 4
"""Logs that are read side by side: a journal takes a program of its own."""
DUMP_EVERY_S = 1800.0
KEEP_S = 30 * 86400.0
"""A log that was not read for so long is forgotten."""

log = structlog.get_logger(__name__)


class LogInsight:
    """A LogDesk. `restore` before services are added, `tick` about once a minute, `close` at the end."""

    def __init__(
        self,
        *,
        clock: Clock,
        settings: Callable[[], Settings],
        services: Callable[[], Mapping[str, ManagedService]],
        containers: ContainerEngines,
        records: Records,
        book: IssueBook,
        state_dir: Path,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._services = services
        self._containers = containers
        self._records = records
        self._book = book
        self._state_dir = state_dir
        self._folder: Path | None = None
        self._own: RuleFolder | None = None
        self._rules: LogRules | None = None
        self._logs: dict[str, WatchedLog] = {}
        self._mine: dict[str, LogReader] = {}
        self._places: dict[str, Mapping[str, Any]] = {}
        self._learned: dict[str, Mapping[str, Any]] = {}
        self._dumped_at = clock.monotonic()

    # --- the desk of those who read ------------------------------------------------------------------------------

    @property
    def rules(self) -> "LogRules":
        """A person's own first, then those that ship."""
        if self._rules is None:
            from autonomyd.model.log_rules import LogRules  # only where a log is read
            from autonomyd.settings.log_rules import shipped_rules

            own = () if self._own is None else self._own.rules
            self._rules = LogRules((*own, *shipped_rules()))
        return self._rules

    def enter(self, reader: "LogReader", service: str) -> None:
        from autonomyd.engine.insight.watched_log import WatchedLog  # only where a log is read

        key = reader.source.key
        known = self._logs.get(key)
        if known is None:
            known = self._logs[key] = WatchedLog(
                reader.source,
                clock=self._clock,
                learned=self._learned.pop(key, None) if self._settings().logs.learn else None,
                max_templates=self._settings().logs.max_templates,
                is_trouble=lambda line: self.rules.of_line(line) is not None,
            )
        place = self._places.get(key)
        if place is not None:
            reader.tail.take_up(place)
        known.enter(reader, service, learn=self._settings().logs.learn)

    def fix_moved(self, fix: Fix) -> None:
        """A fix has come to another state: what it rotates has lost nothing that it does not tell itself."""
        for step in fix.plan.steps:
            known = self._logs.get(f"file:{step.path}") if isinstance(step, RotateLog) else None
            if known is not None:
                known.rotated()

    def leave(self, reader: "LogReader") -> None:
        known = self._logs.get(reader.source.key)
        if known is not None:
            self._places[reader.source.key] = reader.tail.kept()
            known.leave(reader)

    async def put_up(self, settings: Settings, config_file: str | None) -> None:
        """Read a person's own rules anew; one that is refused is told, and the others are used."""
        self._folder = folder_of(settings, config_file)
        folder = self._folder
        before, self._own = self._own, None
        if folder is not None and await in_thread(folder.is_dir):
            from autonomyd.settings.log_rules import load_rules

            self._own = await in_thread(lambda: load_rules(folder))
            for each in self._own.refused:
                log.error("log_rule_refused", file=each.file, problems=list(map(str, each.problems)))
        if self._own is not None or before is not None:
            self._rules = None

    # --- its own turns -------------------------------------------------------------------------------------------

    async def restore(self) -> None:
        """Where earlier runs have stopped, and what they learned."""
        records = self._records
        oldest = self._clock.wall() - KEEP_S
        for prefix, into in ((PLACE, self._places), (TEMPLATES, self._learned)):
            found = await records.read(partial(records.states.items, prefix), {})
            for key, value in found.items():
                if not isinstance(value, dict) or not value.get("at", 0.0) >= oldest:
                    records.forget(key)
                elif isinstance(value.get("value"), dict):
                    into[key.removeprefix(prefix)] = value["value"]

    async def tick(self) -> None:
        """Read what no check reads, tell what is unusual, and keep the places."""
        later = self._reconcile()
        waiting = asyncio.Semaphore(AT_ONCE)
        reads = [self._read(reader, waiting) for key, reader in self._mine.items() if key not in later]
        if reads:
            await asyncio.gather(*reads)
        logs = [each for each in self._logs.values() if each.services]
        if logs:
            # judging hundreds of templates of a wild log takes a while
            await in_thread(lambda: [each.turn() for each in logs])
        self._tell(logs)
        self._keep_places()
        now = self._clock.monotonic()
        if now - self._dumped_at >= DUMP_EVERY_S:
            self._keep_templates()

    async def close(self) -> None:
        for reader in self._mine.values():
            self.leave(reader)
        self._mine.clear()
        self._keep_places()
        self._keep_templates()

    def errors(self, service: str) -> tuple[LogErrors, ...]:
        """What the rules found lately in the logs of `service` that no check reads."""
        logs = (self._logs[key] for key in self._mine)
        return tuple(
            found for each in logs if service in each.services for found in each.memory.errors(each.source.words)
        )

    async def templates(self, service: str) -> tuple[LogTemplates, ...]:
        """What the logs of `service` say."""
        logs = [each for each in self._logs.values() if service in each.services]
        return await in_thread(lambda: tuple(each.status() for each in logs))

    # --- private -------------------------------------------------------------------------------------------------

    def _reconcile(self) -> set[str]:
        """Begin to read what services have and no check reads, leave what they have no more. Returns those of
        the new ones that wait for the next turn: what was written meanwhile, and whoever must be asked, must not delay
        the start."""
        wanted = self._wanted() if self._settings().logs.learn and self._services() else {}
        for key, known in list(self._logs.items()):
            known.named = frozenset(wanted[key][1]) if key in wanted else frozenset()
            mine = self._mine.get(key)
            if mine is not None and (key not in wanted or known.read_by_others(mine)):
                self.leave(self._mine.pop(key))
            if known.reader is None and key not in wanted:
                self._keep_templates(key)
                del self._logs[key]
        if wanted:
            from autonomyd.engine.insight.log_sources import reader_of
        fresh = {key for key in wanted if key not in self._logs or self._logs[key].reader is None}
        for key in fresh:
            source, services = wanted[key]
            reader = self._mine[key] = reader_of(
                source,
                self._services()[services[0]],
                rules=lambda: self.rules,
                containers=self._containers,
                clock=self._clock,
                timeout_s=READ_TIMEOUT_S,
            )
            self.enter(reader, services[0])
            self._logs[key].named = frozenset(services)
        return {key for key in fresh if not self._mine[key].quick_to_begin}

    def _wanted(self) -> dict[str, tuple["LogSource", tuple[str, ...]]]:
        """By key the logs that services have, each with whose it is."""
        from autonomyd.engine.insight.log_sources import log_sources_of

        wanted: dict[str, tuple[LogSource, tuple[str, ...]]] = {}
        for name, service in self._services().items():
            for source in log_sources_of(service, self._state_dir):
                wanted[source.key] = (source, (*wanted.get(source.key, (source, ()))[1], name))
        return wanted

    def _tell(self, logs: "list[WatchedLog]") -> None:
        """Tell what is unusual now, and that the rest is over, what an earlier run has told included."""
        wall = self._clock.wall()
        holds: set[Key] = set()
        if logs:
            from autonomyd.engine.insight.log_news import tell_news

            holds = tell_news(logs, self._book, self.rules, wall=wall)
        for issue in self._book.open_issues():
            if issue.metric.startswith("log:") and issue.key not in holds:
                self._book.clear(issue.key, cause="the log is as it ordinarily is", wall_now=wall)

    async def _read(self, reader: "LogReader", waiting: asyncio.Semaphore) -> None:
        known = self._logs[reader.source.key]
        async with waiting:
            try:
                async with asyncio.timeout(TURN_TIMEOUT_S):
                    found = await reader.read()
            except (OSError, TimeoutError) as error:
                known.problem = str(getattr(error, "strerror", None) or error)
                return
        known.problem = ""
        known.memory.add(self._clock.monotonic(), found.matches)

    def _keep_places(self) -> None:
        for key, known in self._logs.items():
            reader = known.reader
            kept = self._places.get(key, {}) if reader is None else reader.tail.kept()
            if kept and kept != known.kept:
                known.kept = kept
                self._places[key] = kept
                self._records.remember(PLACE + key, {"at": self._clock.wall(), "value": kept})

    def _keep_templates(self, *keys: str) -> None:
        if not keys:
            self._dumped_at = self._clock.monotonic()
        for key in keys or tuple(self._logs):
            dumped = self._logs[key].dumped()
            if dumped is not None:
                self._learned[key] = dumped
                self._records.remember(TEMPLATES + key, {"at": self._clock.wall(), "value": dumped})


def folder_of(settings: Settings, config_file: str | None) -> Path | None:
    """Where a person's own rules are: the configured folder, else `rules.d` beside the configuration file."""
    beside = None if config_file is None else Path(config_file).parent
    named = settings.logs.rules
    if named is not None and Path(named).is_absolute():
        return Path(named)
    return None if beside is None else beside / (named or FOLDER)
