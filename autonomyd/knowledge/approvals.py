"""Plans that wait for a person, and a person's standing word."""

from autonomyd.knowledge.rows import dump, load_all
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write
from autonomyd.model.diagnosis import Cause
from autonomyd.model.trust import Approval, Consent


class Approvals:
    """What a person decided is on the disk when the method returns. Reads raise StoreUnavailable when the database
    cannot be read; writes never fail."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(self, approval: Approval) -> None:
        """Insert or replace `approval`."""
        await self._store.put(
            Write(
                query="upsert_approval",
                params={
                    "id": approval.id,
                    "issue_id": approval.issue_id,
                    "state": approval.state.value,
                    "asked_at": approval.asked_at,
                    "body": dump(approval),
                },
            ),
            durable=True,
        )

    async def get(self, approval_id: int) -> Approval | None:
        found = load_all(Approval, await self._store.fetch("approval_by_id", {"id": approval_id}))
        return found[0] if found else None

    async def open(self) -> list[Approval]:
        """Those that wait, or were approved and not yet used; oldest first."""
        return load_all(Approval, await self._store.fetch("open_approvals"))

    async def recent(self, *, limit: int = 50) -> list[Approval]:
        """Newest first."""
        return load_all(Approval, await self._store.fetch("recent_approvals", {"limit": limit}))

    async def allow(self, consent: Consent) -> None:
        """Keep a standing consent."""
        params = {
            "service": consent.service,
            "cause": consent.cause.value,
            "strategy": consent.strategy,
            "at": consent.at,
            "actor": consent.actor,
        }
        await self._store.put(Write(query="put_consent", params=params), durable=True)

    async def revoke(self, consent: Consent) -> None:
        """Forget a standing consent."""
        params = {"service": consent.service, "cause": consent.cause.value, "strategy": consent.strategy}
        await self._store.put(Write(query="remove_consent", params=params), durable=True)

    async def consents(self) -> list[Consent]:
        """Every standing consent; those for causes that a newer version knew are left out."""
        known = set(Cause)
        rows = await self._store.fetch("all_consents")
        return [Consent(**{**dict(row), "cause": Cause(row["cause"])}) for row in rows if row["cause"] in known]
