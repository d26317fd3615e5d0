"""What a database suffers from: sessions that hold others up, an SQLite file that has grown."""

from autonomyd.analyze.causes.judge import certainly, undetermined
from autonomyd.model.diagnosis import Cause, Diagnosis
from autonomyd.model.facts import SessionFacts, Situation
from autonomyd.model.issue import Issue, IssueType

BLOCKED = frozenset({"holding_age_s", "lock_waits"})
"""The metrics of issues that sessions which hold others up can be behind."""
BLOATED = frozenset({"wal_mb", "free_percent"})
"""The metrics of issues about SQLite files that can be tidied up."""
SEEN = 95.0
"""The server itself names the sessions, the file its sizes."""


def databases(issue: Issue, situation: Situation) -> Diagnosis | None:
    if issue.type is not IssueType.DATABASE_OVERLOAD or situation.service is None:
        return None
    if issue.metric in BLOCKED and situation.sessions:
        supports = (issue.summary, *(_words(session) for session in situation.sessions))
        return certainly(issue, Cause.BLOCKED_SESSIONS, SEEN, signal="server", supports=supports)
    if issue.metric in BLOATED and any(file.log_over or file.unused_over for file in situation.sqlite):
        return certainly(issue, Cause.SQLITE_BLOATED, SEEN, signal="file", supports=(issue.summary,))
    return undetermined(issue, "no remedy is known for this: a person should look")


def _words(session: SessionFacts) -> str:
    kind = session.kind.replace("_", " ")
    return f"session {session.id} ({kind} for {session.age_s:.0f} s) holds up {session.blocks}: {session.query}"
