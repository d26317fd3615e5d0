"""What is not what it was when the service was last verified healthy: its configuration, its release.

An edit alone is no fault. It is a suspect when the trouble began with the process that reads it for the first time."""

from autonomyd.model.diagnosis import Cause, RankedCause
from autonomyd.model.facts import GoodFile, ServiceFacts, Situation
from autonomyd.model.service import RunState
from autonomyd.model.subject import service_of
from autonomyd.model.timeline import ChangeKind, Coincidence

SUSPECT = 92.0
UNPARSABLE = 97.0
UNREAD_YET = 60.0
"""Points for a file that the process which now fails cannot have read."""
CLOCK_SLACK_S = 1.0
"""File times and process start times come from clocks of different grain."""


def changed_causes(situation: Situation) -> tuple[RankedCause, ...]:
    """The configuration and the release as causes, most likely first; empty when nothing was changed."""
    found: list[RankedCause] = []
    if situation.config:
        found.append(_config(situation))
    release = situation.release
    if release is not None and release.changed:
        fresh = _read_since(situation.service, release.changed_at, situation.wall_now)
        due, against = _in_time(situation, ChangeKind.RELEASE)
        against += () if fresh else ("the process that fails was started before that",)
        found.append(
            RankedCause(
                cause=Cause.RELEASE_CHANGED,
                confidence=UNREAD_YET if against else SUSPECT,
                supports=(f"{release.link} points to {release.now}; {release.good} was verified healthy", *due),
                contradicts=against,
            )
        )
    return tuple(sorted(found, key=lambda cause: -cause.confidence))


def _config(situation: Situation) -> RankedCause:
    broken = [file for file in situation.config if file.problem or file.now_sha256 is None]
    fresh = any(_read_since(situation.service, file.changed_at, situation.wall_now) for file in situation.config)
    due, against = _in_time(situation, ChangeKind.CONFIG)
    against += () if fresh else ("the process that fails was started before that, and has not read it",)
    return RankedCause(
        cause=Cause.CONFIG_CHANGED,
        confidence=UNREAD_YET if against else UNPARSABLE if broken else SUSPECT,
        supports=(*(_words(file) for file in situation.config), *due),
        contradicts=against,
    )


def _in_time(situation: Situation, kind: ChangeKind) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the times of the service's own changes of `kind` say: (for, against). An edit that came only after the begin
    speaks against, unless there was an earlier one: who repairs something edits it again."""
    own = [each for each in situation.changes if each.change.kind is kind and _own(each, situation.service)]
    due = tuple(each.why for each in own if each.confidence)
    return due, () if due else tuple(f"{each.why}: it is not the cause" for each in own)


def _own(found: Coincidence, service: ServiceFacts | None) -> bool:
    return service is not None and service_of(found.change.subject) == service.name


def _read_since(service: ServiceFacts | None, changed_at: float | None, wall_now: float) -> bool:
    """Whether what fails can have read the change: a process that started after it, or one that did not stay up."""
    if service is None or service.run is RunState.GONE or changed_at is None or service.run_age_s is None:
        return True
    return wall_now - service.run_age_s >= changed_at - CLOCK_SLACK_S


def _words(file: GoodFile) -> str:
    if file.now_sha256 is None:
        return f"{file.path} is gone; it was there when the service was last verified healthy"
    words = f"{file.path} was changed since the service was last verified healthy"
    words += f" ({file.summary})" if file.summary else ""
    return f"{words}; it does not parse: {file.problem}" if file.problem else words
