"""The life of an alert, step by step and over random histories."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from autonomyd.alert.judge import REOPEN_S, Manners, acknowledged, judge, next_at
from autonomyd.model.alert import Alert, AlertState, Incident, Need, NoticeKind
from autonomyd.model.health import Severity
from autonomyd.model.subject import service_subject

NOW = 1.7e9
MANNERS = Manners(reminders_s=(3600.0, 14400.0, 86400.0), escalate_after_s=1800.0)
NEED = Need(reason="restart_limit", why="it was fixed 5 times and broke again")


def incident(need: Need | None = NEED, **more: object) -> Incident:
    fields = {
        "key": "service:web|process_gone",
        "subject": service_subject("web"),
        "cause": "process_gone",
        "severity": Severity.CRITICAL,
        "summary": "web is down",
        "since": NOW - 60,
        "issues": (12,),
        "need": need,
    }
    return Incident(**(fields | more))  # type: ignore[arg-type]


def step(alert: Alert | None, what: Incident | None, at: float, manners: Manners = MANNERS):
    notice = judge(alert, what, now=at, manners=manners)
    return (None, alert) if notice is None else (notice.kind, notice.alert)


def opened(manners: Manners = MANNERS, **more: object) -> Alert:
    kind, alert = step(None, incident(**more), NOW, manners)
    assert kind is NoticeKind.OPENED
    return replace(alert, id=7)


def test_what_needs_nobody_opens_nothing() -> None:
    assert step(None, incident(None), NOW) == (None, None)
    assert step(None, None, NOW) == (None, None)


def test_each_reason_is_told_once() -> None:
    alert = opened()
    assert step(alert, incident(), NOW + 30) == (None, alert)
    other = Need(reason="needs_approval", why="it asks first")
    kind, alert = step(alert, incident(other), NOW + 60)
    assert kind is NoticeKind.UPDATED
    assert alert.why == "it asks first"
    for need in (NEED, other):
        assert step(alert, incident(need), NOW + 90)[0] is None


def test_worse_is_told_and_better_is_not() -> None:
    alert = opened(severity=Severity.WARNING)
    kind, alert = step(alert, incident(), NOW + 30)
    assert (kind, alert.severity) == (NoticeKind.UPDATED, Severity.CRITICAL)
    assert step(alert, incident(severity=Severity.WARNING), NOW + 60)[0] is None


def test_issues_of_one_cause_join_one_conversation() -> None:
    kind, alert = step(opened(), incident(issues=(13, 14)), NOW + 30)
    assert kind is None
    assert alert.issues == (12, 13, 14)


def test_reminders_grow_and_go_on() -> None:
    alert, at, told = opened(Manners()), NOW, []
    while len(told) < 5:
        at = next_at(alert)
        assert step(alert, incident(), at - 1, Manners())[0] is None
        kind, alert = step(alert, incident(), at, Manners())
        assert kind is NoticeKind.REMINDER
        told.append(at - NOW)
    assert told == [3600.0, 18000.0, 104400.0, 190800.0, 277200.0]


def test_nobody_is_reminded_while_it_is_being_healed() -> None:
    alert = opened(Manners())
    assert step(alert, incident(None), NOW + 4000, Manners())[0] is None
    assert step(alert, incident(), NOW + 4001, Manners())[0] is NoticeKind.REMINDER


def test_escalates_once_when_nobody_acknowledges() -> None:
    alert = opened()
    assert next_at(alert) == NOW + 1800
    kind, alert = step(alert, incident(), NOW + 1800)
    assert (kind, alert.escalated_at) == (NoticeKind.ESCALATION, NOW + 1800)
    assert next_at(alert) == NOW + 3600
    assert step(alert, incident(), NOW + 1900)[0] is None


def test_an_acknowledged_alert_is_quiet_until_it_lapses() -> None:
    alert = acknowledged(opened(), by="uid=0 pid=1", for_s=7200.0, now=NOW + 600)
    for at in (NOW + 1800, NOW + 3600, NOW + 7799):
        assert step(alert, incident(), at)[0] is None
    kind, alert = step(alert, incident(), NOW + 7800)
    assert kind is NoticeKind.REMINDER
    assert (alert.acked_at, alert.escalate_at) == (None, NOW + 9600)


def test_an_acknowledgement_without_end_lasts_until_it_is_over() -> None:
    alert = acknowledged(opened(), by="uid=0 pid=1", for_s=None, now=NOW + 600)
    assert next_at(alert) is None
    assert step(alert, incident(), NOW + 1e7)[0] is None
    other = Need(reason="made_worse", why="a fix did harm")
    assert step(alert, incident(other), NOW + 1e7)[0] is NoticeKind.UPDATED  # news are told to whom looks after it
    kind, alert = step(alert, None, NOW + 1e7)
    assert (kind, alert.state, next_at(alert)) == (NoticeKind.RECOVERED, AlertState.RECOVERED, None)


def test_what_comes_back_soon_goes_on_in_the_same_conversation() -> None:
    _, over = step(opened(), None, NOW + 100)
    kind, again = step(over, incident(issues=(15,)), NOW + 100 + REOPEN_S - 1)
    assert (kind, again.id, again.times, again.issues) == (NoticeKind.REOPENED, 7, 2, (12, 15))
    assert again.escalate_at == again.opened_at + 1800
    kind, later = step(over, incident(), NOW + 100 + REOPEN_S)
    assert (kind, later.id, later.times) == (NoticeKind.OPENED, 0, 1)


def test_a_clock_that_is_set_back_does_not_silence_it() -> None:
    alert = opened(Manners())
    _, alert = step(alert, incident(), NOW - 1e6, Manners())
    assert next_at(alert) <= NOW - 1e6 + 86400.0


class History(RuleBasedStateMachine):
    """Whatever happens, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.alert: Alert | None = None
        self.told: list[tuple[float, NoticeKind]] = []
        self.over = True

    def look(self, what: Incident | None) -> NoticeKind | None:
        kind, self.alert = step(self.alert, what, self.now)
        if kind is not None:
            self.told.append((self.now, kind))
        return kind

    @rule(seconds=st.floats(0.0, 100_000.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(reason=st.sampled_from(["restart_limit", "needs_approval", "made_worse"]), severity=st.sampled_from(Severity))
    def somebody_is_needed(self, reason: str, severity: Severity) -> None:
        before = self.alert
        kind = self.look(incident(Need(reason=reason, why="x"), severity=severity))
        if self.over:
            assert kind in (NoticeKind.OPENED, NoticeKind.REOPENED)
        elif before is not None and before.acked_at is not None and kind is NoticeKind.REMINDER:
            assert before.acked_until is not None
            assert self.now >= before.acked_until
        # not twice at one time; an escalation goes to others
        again = self.look(incident(Need(reason=reason, why="x"), severity=severity))
        assert again is None or (again, kind) == (NoticeKind.ESCALATION, NoticeKind.UPDATED)
        self.over = False

    @rule()
    def it_is_being_healed(self) -> None:
        assert self.look(incident(None)) is None

    @rule()
    def it_is_over(self) -> None:
        assert (self.look(None) is NoticeKind.RECOVERED) is not self.over
        self.over = True

    @precondition(lambda self: not self.over)
    @rule(for_s=st.none() | st.floats(1.0, 50_000.0))
    def somebody_looks_after_it(self, for_s: float | None) -> None:
        self.alert = acknowledged(self.alert, by="uid=0 pid=1", for_s=for_s, now=self.now)

    @invariant()
    def an_end_has_a_beginning(self) -> None:
        kinds = [kind for _, kind in self.told]
        begun = sum(kind in (NoticeKind.OPENED, NoticeKind.REOPENED) for kind in kinds)
        ended = kinds.count(NoticeKind.RECOVERED)
        assert begun - ended == (0 if self.over else 1)

    @invariant()
    def one_escalation_for_each_silence(self) -> None:
        assert self.alert is None or self.alert.escalated_at is None or self.alert.escalate_at is None

    @invariant()
    def the_next_time_is_ahead_or_due(self) -> None:
        if self.alert is not None and self.alert.state is AlertState.RECOVERED:
            assert next_at(self.alert) is None


History.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestHistory = History.TestCase
