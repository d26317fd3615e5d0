"""End the database sessions that hold others up."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import SessionFacts, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import Step, TerminateSessions

MOST = 10
"""Sessions of one server that one fix ends; when there are more, something else is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndBlockingSessions:
    """Irreversible; `terminate_after_s` of the check is the person's standing consent, and the fact names only sessions
    of checks that have it."""

    name: str = "terminate-sessions"
    causes: frozenset[Cause] = frozenset({Cause.BLOCKED_SESSIONS})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = False
    reversible: bool = False
    consented: bool = True
    reads: frozenset[str] = frozenset({"service", "sessions"})
    yields: frozenset[type] = frozenset({TerminateSessions})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None:
            return ()
        return tuple(
            TerminateSessions(
                service=service.name,
                check=check,
                sessions=tuple(each.id for each in found),
                why="; ".join(_words(each) for each in found),
            )
            for check, found in _by_check(situation).items()
        )

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        many = [check for check in {each.check for each in situation.sessions} if check not in _by_check(situation)]
        if many:
            return f"more than {MOST} sessions hold others up at {', '.join(sorted(many))}: a person should look"
        return "no session that may be ended holds others up now"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return tuple(f"end session {_words(each)}" for found in _by_check(situation).values() for each in found)


def _by_check(situation: Situation) -> dict[str, list[SessionFacts]]:
    found: dict[str, list[SessionFacts]] = {}
    for session in situation.sessions:
        found.setdefault(session.check, []).append(session)
    return {check: sessions for check, sessions in found.items() if len(sessions) <= MOST}


def _words(session: SessionFacts) -> str:
    idle = "idle in its transaction" if session.kind == "idle_in_transaction" else "in a transaction"
    return f"{session.id} ({idle} for {session.age_s:.0f} s, {session.blocks} waiting for it)"
