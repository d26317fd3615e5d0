"""`Situation.log_errors`: what was matched in the logs of a service in the last minutes.

What a service's failing checks mean is judged by its log checks alone: nobody has said of its other logs that their
errors matter. They explain what only they, or no check at all, have shown."""

from collections.abc import Callable, Iterable, Iterator

from autonomyd.engine.managed import ManagedService
from autonomyd.model.facts import LogErrors
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.subject import Subject
from autonomyd.monitor.probe import Probe, QuickProbe

OF_CHECKS = frozenset({IssueType.SERVICE_DOWN, IssueType.SERVICE_UNHEALTHY})


class LogErrorsReader:
    """`probe_of` gives the probe of that name on the timetable, None when there is none (any more); `unchecked` what
    was matched in the logs of a service that no check reads."""

    field = "log_errors"

    def __init__(
        self,
        probe_of: Callable[[str], Probe | QuickProbe | None],
        unchecked: Callable[[str], Iterable[LogErrors]] = lambda service: (),
    ) -> None:
        self._probe_of = probe_of
        self._unchecked = unchecked

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[LogErrors, ...]:
        found = [] if service is None else list(self.of(service))
        if service is not None and issue.type not in OF_CHECKS:
            found += self._unchecked(service.name)
        return tuple(sorted(found, key=lambda each: -each.count))

    def of(self, service: ManagedService) -> Iterator[LogErrors]:
        """The same at once, in the order of the checks."""
        for check in service.checks.values():
            if check.settings.type == "log":
                yield from self._errors(check.name, check.probe)

    def of_all(self, services: Iterable[ManagedService]) -> Iterator[tuple[Subject, LogErrors]]:
        """Those of all services, each with its subject."""
        for service in services:
            yield from ((service.subject, each) for each in self.of(service))

    def _errors(self, check: str, name: str) -> tuple[LogErrors, ...]:
        from autonomyd.monitor.probes.log import LogProbe  # only where a log is checked

        probe = self._probe_of(name)
        return probe.errors(check) if isinstance(probe, LogProbe) else ()
