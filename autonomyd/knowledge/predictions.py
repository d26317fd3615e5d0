"""Predictions, and the recorded history that they are made of and judged by: problems that began, acts, marks."""

from dataclasses import dataclass

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write
from autonomyd.model.prediction import Prediction

AT_ONCE = 10_000
"""Rows that one read gives at most; the next goes on after them."""
KEPT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An issue began. `resolved_at` is None while it is there; times are epoch seconds."""

    id: int
    type: str
    subject: str
    metric: str
    severity: str
    opened_at: float
    resolved_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A fix came to its end at `at` (epoch seconds): of which service (None: of none), about which subject ("": a
    person asked for it)."""

    at: float
    service: str | None
    strategy: str
    actor: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line of the diary that tells when the daemon looked, what a log said, or that a service was touched from
    outside. `before_at` is the time of the line before it."""

    seq: int
    at: float
    kind: str
    subject: str
    message: str
    actor: str
    before_at: float


class Predictions:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, prediction: Prediction) -> None:
        """Insert or replace `prediction`."""
        await self._store.put(
            Write(
                query="upsert_prediction",
                params={
                    "id": prediction.id,
                    "verdict": prediction.verdict.value,
                    "until_at": prediction.until_at,
                    "body": dump(prediction),
                },
            )
        )

    async def recent(self, *, limit: int = KEPT) -> list[Prediction]:
        """The newest, oldest first."""
        return load_all(Prediction, await self._store.fetch("recent_predictions", {"limit": limit}))

    async def pending(self) -> list[Prediction]:
        """Those that wait for their verdict, oldest first."""
        return load_all(Prediction, await self._store.fetch("pending_predictions"))

    async def openings(self, after: int) -> list[Opening]:
        """Issues with a higher id than `after`, in their order."""
        rows = await self._store.fetch("openings", {"after": after, "limit": AT_ONCE})
        return [Opening(**dict(row)) for row in rows]

    async def acts(self, after: float) -> list[Act]:
        """Fixes that ended later than `after` (epoch seconds), in their order."""
        rows = await self._store.fetch("acts", {"after": after, "limit": AT_ONCE})
        return [Act(**dict(row)) for row in rows]

    async def marks(self, after: int) -> list[Mark]:
        """The lines with a higher number than `after`, in their order."""
        rows = await self._store.fetch("marks", {"after": after, "limit": AT_ONCE})
        return [Mark(**dict(row)) for row in rows]
