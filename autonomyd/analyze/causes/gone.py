"""The service does not run: its process is gone. Why it does not stay up is asked once a start has failed."""

from autonomyd.analyze.causes.changed import UNPARSABLE, changed_causes
from autonomyd.analyze.causes.judge import certainly, undetermined
from autonomyd.model.diagnosis import Cause, Diagnosis, RankedCause
from autonomyd.model.facts import PortHolder, Situation
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import Issue, IssueType
from autonomyd.model.service import RunState

GONE = 99.0
GONE_AFTER_FAILED_START = 90.0
ORPHAN = 96.0
THIEF = 95.0
STALE = 91.0
"""Less than what was changed: a process that was killed leaves its pid file behind, whatever was wrong with it."""


def gone(issue: Issue, situation: Situation) -> Diagnosis | None:
    service = situation.service
    if service is None:
        return None
    if service.run is not RunState.GONE:
        runs = issue.type is IssueType.SERVICE_DOWN and service.run is RunState.RUNNING
        return undetermined(issue, "it runs again; its checks tell whether it works") if runs else None
    words = service.run_message or "no process runs"
    on_port = _on_port(situation)
    if on_port is not None:
        return certainly(issue, on_port.cause, on_port.confidence, signal="port", supports=(words, *on_port.supports))
    failed = _failed_starts(issue, situation)
    causes = [RankedCause(cause=Cause.PROCESS_GONE, confidence=GONE, supports=(words,))]
    if failed:
        again = f"{failed} starts did not last" if failed > 1 else "a start did not last"
        causes = [RankedCause(cause=Cause.PROCESS_GONE, confidence=GONE_AFTER_FAILED_START, supports=(words, again))]
        pid_file = situation.pid_file
        if pid_file is not None and pid_file.stale:
            stale = (f"{pid_file.path} names {pid_file.names}, and no process of the service", again)
            causes.append(RankedCause(cause=Cause.STALE_PID_FILE, confidence=STALE, supports=stale))
        causes += changed_causes(situation)
    else:
        causes += [cause for cause in changed_causes(situation) if cause.confidence >= UNPARSABLE]
    ranked = _ranked(causes, tried=bool(failed))
    return Diagnosis(subject=issue.subject, causes=ranked, signals=("process",), certain=True)


def _ranked(causes: list[RankedCause], *, tried: bool) -> tuple[RankedCause, ...]:
    """A start is the gentlest remedy, so a process that is merely gone comes first until one was tried; a file that
    does not even parse needs no such trial."""

    def rank(cause: RankedCause) -> tuple[bool, float]:
        plain = cause.cause is Cause.PROCESS_GONE
        broken = cause.confidence >= UNPARSABLE and not plain
        return (plain if tried or broken else not plain, -cause.confidence)

    unparsable = any(each.cause is Cause.CONFIG_CHANGED and each.confidence >= UNPARSABLE for each in causes)
    if unparsable:
        return tuple(sorted(causes, key=lambda each: (each.cause is Cause.PROCESS_GONE, -each.confidence)))
    return tuple(sorted(causes, key=rank))


def _failed_starts(issue: Issue, situation: Situation) -> int:
    """How often it was started since the issue was opened, and did not stay."""
    opened_ago_s = situation.wall_now - issue.opened_at
    service = situation.service
    return sum(
        1
        for fix in situation.past
        if service is not None
        and fix.service == service.name
        and situation.now - fix.at <= opened_ago_s
        and fix.outcome in (Outcome.INEFFECTIVE, Outcome.WORSENED, Outcome.ROLLED_BACK)
    )


def _on_port(situation: Situation) -> RankedCause | None:
    """Somebody else listens where the service wants to."""
    holders = situation.ports
    if not holders:
        return None
    words = tuple(_holder_words(each) for each in holders)
    if all(each.ours for each in holders):
        return RankedCause(cause=Cause.PORT_HELD_BY_ORPHAN, confidence=ORPHAN, supports=words)
    return RankedCause(cause=Cause.PORT_TAKEN, confidence=THIEF, supports=words)


def _holder_words(holder: PortHolder) -> str:
    who = f"{holder.name} (pid {holder.pid})" if holder.pid is not None else "a process that may not be seen"
    kind = ", left over from an earlier run of the service" if holder.ours else ", which is not the service's"
    return f"port {holder.port} is held by {who}{kind}"
