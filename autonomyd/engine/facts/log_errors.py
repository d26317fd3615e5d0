"""`Situation.log_errors`: what the log checks of a service have matched in the last minutes."""

from collections.abc import Callable

from autonomyd.engine.managed import ManagedService
from autonomyd.model.facts import LogErrors
from autonomyd.model.issue import Issue
from autonomyd.monitor.probe import Probe, QuickProbe


class LogErrorsReader:
    """`probe_of` gives the probe of that name on the timetable, None when there is none (any more)."""

    field = "log_errors"

    def __init__(self, probe_of: Callable[[str], Probe | QuickProbe | None]) -> None:
        self._probe_of = probe_of

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and any(check.settings.type == "log" for check in service.checks.values())

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[LogErrors, ...]:
        from autonomyd.monitor.probes.log import LogProbe  # only where a log is checked

        found: list[LogErrors] = []
        for check in service.checks.values() if service is not None else ():
            probe = self._probe_of(check.probe)
            if isinstance(probe, LogProbe):
                found += probe.errors(check.name)
        return tuple(sorted(found, key=lambda each: -each.count))
