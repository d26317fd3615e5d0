"""How large the SQLite files of a service are, and what of them is of no use."""

from autonomyd.analyze.causes.databases import BLOATED
from autonomyd.engine.databases import DatabaseHands
from autonomyd.engine.managed import ManagedService
from autonomyd.model.facts import SqliteFile
from autonomyd.model.issue import Issue, IssueType


class SqliteReader:
    """Fills `Situation.sqlite`."""

    field = "sqlite"

    def __init__(self, hands: DatabaseHands) -> None:
        self._hands = hands

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and issue.type is IssueType.DATABASE_OVERLOAD and issue.metric in BLOATED

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[SqliteFile, ...]:
        assert service is not None
        return await self._hands.sqlite(service)
