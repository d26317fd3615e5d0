"""How long repairs took, by cause and remedy: only those that healed, newest first."""

from dataclasses import replace

from autonomyd.knowledge.fixes import Fixes
from autonomyd.knowledge.issues import Issues
from autonomyd.knowledge.store import Store
from autonomyd.model.diagnosis import Cause, Diagnosis, Suspect
from autonomyd.model.fix import Fix, FixState, Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.subject import HOST, service_subject
from autonomyd.testing import issue

PLAN = Plan(
    strategy="restart",
    cause=Cause.PROCESS_HUNG,
    steps=(),
    confidence=90.0,
    risk=Risk.LOW,
    disruptive=True,
    reversible=True,
    service="web",
    issue_id=1,
)


def fix(number: int, ended_at: float | None, outcome: Outcome | None = Outcome.HEALED, **changes: object) -> Fix:
    return Fix(
        id=number,
        plan=replace(PLAN, **changes),  # type: ignore[arg-type]
        state=FixState.COMMITTED,
        actor="autonomyd",
        started_at=20.0,
        ended_at=ended_at,
        outcome=outcome,
    )


async def test_only_repairs_of_this_kind_that_healed_count(store: Store) -> None:
    issues, fixes = Issues(store), Fixes(store)
    await issues.save(issue(opened_at=10.0))
    for each in (
        fix(1, 14.0),
        fix(2, 40.0),
        fix(3, 90.0, Outcome.INEFFECTIVE),
        fix(4, 90.0, strategy="start"),
        fix(5, 90.0, cause=Cause.RUNAWAY),
        fix(6, 90.0, issue_id=None),
        fix(7, 5.0),  # the clock was set back meanwhile
    ):
        await fixes.save(each)
    assert await fixes.repair_times(Cause.PROCESS_HUNG, "restart") == [30.0, 4.0]
    assert await fixes.repair_times(Cause.PROCESS_HUNG, "restart", limit=1) == [30.0]
    assert await fixes.repair_times(Cause.ZOMBIES, "restart") == []


async def test_a_diagnosis_keeps_its_suspects(store: Store) -> None:
    found = Suspect(
        subject=HOST, metric="cpu_percent", kind="resource", share=80.0, spreads=9.0, rising=True, words="it rose"
    )
    diagnosis = Diagnosis(subject=service_subject("web"), suspects=(found,))
    issues = Issues(store)
    await issues.save(issue())
    await issues.decide(1, diagnosis, at=1.0)
    assert [each.value for each in await issues.newest(1)] == [diagnosis]
