"""Which database sessions hold others up."""

from autonomyd.analyze.causes.databases import BLOCKED
from autonomyd.engine.databases import DatabaseHands
from autonomyd.engine.managed import ManagedService
from autonomyd.model.facts import SessionFacts
from autonomyd.model.issue import Issue, IssueType


class SessionsReader:
    """Fills `Situation.sessions`, with those only that the configuration allows to end."""

    field = "sessions"

    def __init__(self, hands: DatabaseHands) -> None:
        self._hands = hands

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and issue.type is IssueType.DATABASE_OVERLOAD and issue.metric in BLOCKED

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[SessionFacts, ...]:
        assert service is not None
        return await self._hands.sessions(service)
