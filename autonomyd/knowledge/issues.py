"""Issues with their transitions and the decisions about them."""

from dataclasses import dataclass

from autonomyd.knowledge.decode import DecodeError
from autonomyd.knowledge.rows import dump, load, load_all, log
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Value, Write
from autonomyd.model.diagnosis import Diagnosis
from autonomyd.model.issue import Issue, Transition
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.subject import Subject

_KINDS: dict[str, type[Plan] | type[Refusal] | type[Diagnosis]] = {
    "plan": Plan,
    "refusal": Refusal,
    "diagnosis": Diagnosis,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was found or decided about an issue at `at` (epoch seconds)."""

    at: float
    value: Plan | Refusal | Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCounts:
    """Since the store began, with what retention removed."""

    open: int
    resolved: int


class Issues:
    """Reads raise StoreUnavailable when the database cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_id(self) -> int:
        return self._store.next_id("issue")

    async def save(self, issue: Issue, *transitions: Transition, durable: bool = False) -> None:
        """Insert or replace `issue`, and append `transitions`."""
        writes = [_upsert(issue)]
        writes += [
            Write(
                query="put_issue_transition",
                params={
                    "id": issue.id,
                    "at": each.at,
                    "before": each.before,
                    "after": each.after,
                    "cause": each.cause,
                    "actor": each.actor,
                },
            )
            for each in transitions
        ]
        await self._store.put(*writes, durable=durable)

    async def decide(self, issue_id: int, value: Plan | Refusal | Diagnosis, *, at: float) -> None:
        """Keep what was found or decided; the last 20 of an issue stay, and the newest of each kind."""
        kind = type(value).__name__.lower()
        params: dict[str, Value] = {"issue_id": issue_id, "at": at, "kind": kind, "body": dump(value)}
        await self._store.put(Write(query="put_decision", params=params))

    async def get(self, issue_id: int) -> Issue | None:
        found = load_all(Issue, await self._store.fetch("issue_by_id", {"id": issue_id}))
        return found[0] if found else None

    async def open(self) -> list[Issue]:
        """Every issue that is not resolved, oldest first."""
        return load_all(Issue, await self._store.fetch("open_issues"))

    async def recent(self, *, limit: int = 50, subject: Subject | None = None) -> list[Issue]:
        """The newest, open or not, newest first."""
        if subject is None:
            return load_all(Issue, await self._store.fetch("recent_issues", {"limit": limit}))
        rows = await self._store.fetch("issues_of_subject", {"subject": subject, "limit": limit})
        return load_all(Issue, rows)

    async def since(self, at: float, *, limit: int = 10_000) -> list[tuple[Issue, int]]:
        """Those that were open at some time since `at` (epoch seconds), newest first, each with how many fixes it
        took."""
        rows = await self._store.fetch("issues_since", {"since": at, "limit": limit})
        return [(issue, row["fixes"]) for row in rows for issue in load_all(Issue, [row])]

    async def transitions(self, issue_id: int) -> tuple[Transition, ...]:
        """In the order in which they happened."""
        rows = await self._store.fetch("issue_transitions", {"id": issue_id})
        return tuple(Transition(**dict(row)) for row in rows)

    async def decisions(self, issue_id: int) -> list[Decision]:
        """Those that are kept, oldest first."""
        return await self._decisions("decisions_of_issue", issue_id)

    async def newest(self, issue_id: int) -> list[Decision]:
        """The newest of each kind (plan, refusal, diagnosis), oldest first."""
        return await self._decisions("newest_decisions", issue_id)

    async def counts(self) -> IssueCounts:
        row = (await self._store.fetch("count_issues"))[0]
        return IssueCounts(open=row["open"], resolved=row["resolved"])

    async def _decisions(self, query: str, issue_id: int) -> list[Decision]:
        found = []
        for row in await self._store.fetch(query, {"id": issue_id}):
            try:
                found.append(Decision(at=row["at"], value=load(_KINDS[row["kind"]], row["body"])))
            except DecodeError as error:
                log.error("stored_value_unreadable", kind=row["kind"], reason=str(error))
        return found


def _upsert(issue: Issue) -> Write:
    return Write(
        query="upsert_issue",
        params={
            "id": issue.id,
            "type": issue.type.value,
            "subject": issue.subject,
            "metric": issue.metric,
            "severity": issue.severity.value,
            "state": issue.state.value,
            "opened_at": issue.opened_at,
            "updated_at": issue.updated_at,
            "resolved_at": issue.resolved_at,
            "body": dump(issue),
        },
    )
