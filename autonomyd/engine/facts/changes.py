"""Which changes the begin of an issue may be due to, and which came only after it."""

from autonomyd.aio.clock import Clock
from autonomyd.engine.insight.timeline import Timeline
from autonomyd.engine.managed import ManagedService
from autonomyd.model.issue import Issue
from autonomyd.model.timeline import Coincidence


class ChangesReader:
    """Fills `Situation.changes`."""

    field = "changes"

    def __init__(self, clock: Clock, timeline: Timeline) -> None:
        self._clock = clock
        self._timeline = timeline

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return True

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[Coincidence, ...]:
        """The service's files are looked at anew: an edit of this minute is what matters most."""
        if service is not None:
            await self._timeline.look(service)
        return self._timeline.about(issue.subject, self._began_at(issue, service), issue=issue.id)

    def _began_at(self, issue: Issue, service: ManagedService | None) -> float:
        """An issue opens some looks after its trouble began; the checks remember when the first of them failed."""
        since = None if service is None else service.failing_since
        if since is None:
            return issue.opened_at
        return min(issue.opened_at, since + self._clock.wall() - self._clock.monotonic())
