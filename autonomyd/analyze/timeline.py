"""Which change a trouble, or a shifted level, may be due to. Pure.

The formula weighs two explanations of a begin `d` seconds after a change. Due to it: with prior p, and a delay that is
exponential with the mean `DELAY_S`. By chance: troubles of their own come `TROUBLES_A_DAY` times a day. So

    odds = p * k * r * exp(-d / DELAY_S) / DELAY_S  /  (TROUBLES_A_DAY / DAY_S),    p = 1 / (n + PRIOR_CHANGES)

where n is how many changes the last day had (a machine with a change a minute proves nothing), k how apt that kind of
change is to break something, and r how near it is to the subject. All changes and chance share one certainty between
them: the confidence of one is its odds over 1 + the sum of all odds (Bayes' rule for exclusive causes)."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from autonomyd.model.event import Event
from autonomyd.model.fix import Fix, FixState
from autonomyd.model.subject import HOST, Subject, service_of, service_subject
from autonomyd.model.timeline import Change, ChangeKind, Coincidence
from autonomyd.model.words import DAY_S, duration

DELAY_S = 300.0
"""Mean time from a change to the trouble that it makes."""
HORIZON_S = 3600.0
"""Changes longer ago are not looked at: their odds are nothing by then."""
AFTER_S = 600.0
"""Changes of a suspect kind that came so long after the begin are told too: they are not the cause."""
CLOCK_SLACK_S = 1.0
"""File times and process times come from clocks of different grain."""
TROUBLES_A_DAY = 1.0
PRIOR_CHANGES = 3.0
MOST_CONFIDENCE = 95.0
"""That the one came after the other is never proof."""
MOST = 5
LIKELY = 50.0
"""From this confidence on a coincidence is worth a person's look."""

OWN, NEEDED, EVERYBODYS, OTHERS = 1.0, 0.6, 0.4, 0.01
"""How near a change is: to the subject itself, to what it needs, to the machine that it runs on, to anything else."""

APTNESS: Mapping[ChangeKind, float] = {
    ChangeKind.RELEASE: 1.0,
    ChangeKind.CONFIG: 1.0,
    ChangeKind.PACKAGE: 0.7,
    ChangeKind.FIX: 0.5,
    ChangeKind.RESTART: 0.5,
    ChangeKind.OPERATOR: 0.01,
    ChangeKind.DAEMON: 0.005,
}
SUSPECTS = frozenset({ChangeKind.RELEASE, ChangeKind.CONFIG, ChangeKind.PACKAGE})
"""Kinds that lay the ground for a trouble; the others happen because of one as often."""

_PHRASES: Mapping[ChangeKind, str] = {
    ChangeKind.RELEASE: "{} was put in use",
    ChangeKind.CONFIG: "{} changed",
    ChangeKind.PACKAGE: "the package change {}",
}

CONFIG_CHANGED = "config_changed"
RELEASE_CHANGED = "release_changed"
PACKAGES_CHANGED = "packages_changed"
RESTARTED_OUTSIDE = "service_restarted_outside"
BOOTED = "machine_booted"
LEVEL_SHIFTED = "level_shifted"

_BY_EVENT: Mapping[str, tuple[ChangeKind, Callable[[Event], str]]] = {
    CONFIG_CHANGED: (ChangeKind.CONFIG, lambda event: event.message.rpartition("/")[2]),
    RELEASE_CHANGED: (ChangeKind.RELEASE, lambda event: f"the release {event.message.rpartition(' -> ')[2]}"),
    PACKAGES_CHANGED: (ChangeKind.PACKAGE, lambda event: event.message),
    RESTARTED_OUTSIDE: (ChangeKind.RESTART, lambda event: "a restart from outside"),
    BOOTED: (ChangeKind.RESTART, lambda event: "the boot of the machine"),
    "service_start_requested": (ChangeKind.RESTART, lambda event: "a start by hand"),
    "service_stop_requested": (ChangeKind.RESTART, lambda event: "a stop by hand"),
    "service_restart_requested": (ChangeKind.RESTART, lambda event: "a restart by hand"),
    "service_started_outside": (ChangeKind.RESTART, lambda event: f"a start through {event.actor}"),
    "service_stopped_outside": (ChangeKind.RESTART, lambda event: f"a stop through {event.actor}"),
    "pause": (ChangeKind.OPERATOR, lambda event: "the pause" if "paused" in event.message else "the end of the pause"),
    "rollback_requested": (ChangeKind.OPERATOR, lambda event: f"a roll back ({event.message})"),
    "configuration_reloaded": (ChangeKind.DAEMON, lambda event: "a new configuration of autonomyd"),
    "daemon_started": (ChangeKind.DAEMON, lambda event: "the start of autonomyd"),
}
"""The kinds of lines of the diary that are changes; every other line tells of something else."""


def change_of(event: Event) -> Change | None:
    """The change that a line of the diary tells of; None for any other line."""
    found = _BY_EVENT.get(event.kind)
    if found is None:
        return None
    kind, words = found
    return Change(at=event.at, kind=kind, subject=event.subject, what=words(event), actor=event.actor)


def change_of_fix(fix: Fix) -> Change | None:
    """What a fix changed, at the moment in which it began to; None when it came to nothing, or was asked for by hand
    (the diary has that)."""
    at = next((each.at for each in fix.transitions if each.after == FixState.APPLYING), None)
    if at is None or fix.plan.issue_id is None:
        return None
    subject = service_subject(fix.plan.service) if fix.plan.service else HOST
    outcome = f" ({fix.outcome.value.replace('_', ' ')})" if fix.outcome else ""
    words = f"the fix {fix.plan.strategy}{outcome}"
    made_for = fix.plan.issue_id
    return Change(at=at, kind=ChangeKind.FIX, subject=subject, what=words, actor=fix.actor, for_issue=made_for)


def aligned(
    at: float,
    subject: Subject,
    changes: Iterable[Change],
    *,
    needs: Collection[Subject] = (),
    within_s: float = 0.0,
    issue: int | None = None,
) -> tuple[Coincidence, ...]:
    """The changes that may have made what began at `at` (epoch seconds, give or take `within_s`) on `subject`, which
    needs `needs`; most likely first, at most 5 and those that came too late to be the cause last, with confidence 0.
    `issue` is the number of what began, where it is an issue: a fix that was made for it is not looked at."""
    found: list[tuple[float, Change]] = []
    late: list[Change] = []
    last_day = 0
    for change in changes:
        after_s = at - change.at
        if not -AFTER_S <= after_s <= DAY_S or (issue is not None and change.for_issue == issue):
            continue
        if after_s < -(within_s + _slack_s(change)):
            if change.kind in SUSPECTS and change.subject == subject:
                late.append(change)
            continue
        last_day += 1
        if after_s <= HORIZON_S:
            found.append((_likelihood(change, max(0.0, after_s), subject, needs), change))
    prior = DAY_S / TROUBLES_A_DAY / (last_day + PRIOR_CHANGES)
    whole = 1.0 + sum(prior * weight for weight, _ in found)
    ranked = sorted(found, key=lambda each: (-each[0], -each[1].at))[:MOST]
    told = [
        _coincidence(change, at, subject, min(MOST_CONFIDENCE, 100.0 * prior * weight / whole))
        for weight, change in ranked
    ]
    return (*told, *(_coincidence(change, at, subject, 0.0) for change in late[:MOST]))


def likely(found: Sequence[Coincidence]) -> Coincidence | None:
    """The first, when it is worth a person's look."""
    return found[0] if found and found[0].confidence >= LIKELY else None


def _slack_s(change: Change) -> float:
    """A fix is noted by the very clock that notes when issues open: what began before it is not its doing."""
    return 0.0 if change.kind is ChangeKind.FIX else CLOCK_SLACK_S


def _likelihood(change: Change, after_s: float, subject: Subject, needs: Collection[Subject]) -> float:
    return APTNESS[change.kind] * _nearness(change.subject, subject, needs) * math.exp(-after_s / DELAY_S) / DELAY_S


def _nearness(changed: Subject, subject: Subject, needs: Collection[Subject]) -> float:
    if changed == subject:
        return OWN
    if changed in needs:
        return NEEDED
    return EVERYBODYS if changed == HOST else OTHERS


def _coincidence(change: Change, at: float, subject: Subject, confidence: float) -> Coincidence:
    after_s = at - change.at
    whose = service_of(change.subject) if change.subject != subject else None
    of = f" (of {whose})" if whose else ""
    if after_s >= 0.5:
        when = f"{duration(after_s)} after"
    else:
        when = "at the moment of" if abs(after_s) < 0.5 + CLOCK_SLACK_S else f"{duration(-after_s)} before"
    return Coincidence(
        change=change, at=at, after_s=after_s, confidence=round(confidence, 1), why=f"began {when} {phrase(change)}{of}"
    )


def phrase(change: Change) -> str:
    """ "app.toml changed", "a restart by hand": what goes on after "began 40 s after"."""
    return _PHRASES.get(change.kind, "{}").format(change.what)
