"""Random sequences of what happens to a machine, through the planner: what never may happen never does."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autonomyd.execute.playbooks.kill_and_start import KillAndStart
from autonomyd.execute.playbooks.restart import Restart
from autonomyd.execute.playbooks.start import Start
from autonomyd.learn.ledger import Ledger
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GateLimits, PastFix, PauseFacts
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Autonomy, Plan, Refusal, RefusalReason
from autonomyd.model.service import Intent, RunState
from autonomyd.model.step import IRREVERSIBLE_STEPS, EndProcess
from autonomyd.model.trust import ConsentFacts, Lesson, LessonKind
from autonomyd.model.window import MaintenanceWindow
from autonomyd.plan.planner import decide
from autonomyd.plan.proposal import issue_key
from autonomyd.plan.windows import open_window
from autonomyd.testing import WALL, diagnosis, issue, service, situation

HOUR_S = 3600.0
LIMITS = GateLimits(
    acts_per_hour_service=4, acts_per_hour_host=6, restart_max=3, restart_within_s=300.0, flapping_max=6,
    flapping_within_s=1800.0, recurrence_window_s=1200.0,
)  # fmt: skip
NIGHT = MaintenanceWindow(begin_s=0, end_s=0, days=frozenset(range(0, 7, 2)), zone=UTC)


@dataclass(frozen=True, kw_only=True)
class EndOrphan(Restart):
    """Irreversible, and nobody has consented to it in the configuration."""

    name: str = "end-orphan"
    causes: frozenset[Cause] = frozenset({Cause.PORT_HELD_BY_ORPHAN})
    disruptive: bool = False

    def steps(self, about, now):
        return (EndProcess(pid=7, started=7, why="it holds the port"),)


STRATEGIES = (Start(), Restart(), KillAndStart(), EndOrphan())
SERVICES = ("web", "db")


@dataclass
class Thing:
    """A service as the world has it."""

    run: RunState = RunState.RUNNING
    cause: Cause | None = None
    signals: tuple[str, ...] = ()
    confidence: float = 95.0
    intent: Intent = Intent.STARTED
    autonomy: Autonomy = Autonomy.ACT
    deaths: list[float] = field(default_factory=list)
    parents_down: tuple[str, ...] = ()
    parents_unsure: tuple[str, ...] = ()
    unread: bool = False
    issue_id: int = 1
    consent: ConsentFacts = field(default_factory=ConsentFacts)


GONE = (RunState.GONE, Cause.PROCESS_GONE, ("process",), 99.0)
FAULTS = st.one_of(
    st.just(GONE),
    st.just((RunState.UNKNOWN, Cause.PROCESS_HUNG, ("http", "tcp"), 95.0)),
    st.tuples(
        st.just(RunState.RUNNING),
        st.sampled_from([Cause.PROCESS_HUNG, Cause.LIMIT_EXCEEDED, Cause.PORT_HELD_BY_ORPHAN, None]),
        st.sampled_from([("http", "tcp"), ("http", "tcp"), ("http",), ()]),
        st.sampled_from([95.0, 95.0, 60.0]),
    ),
)


class Machine(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.now, self.paused, self.tripped, self.windows = 10_000.0, False, {}, ()
        self.things = {name: Thing() for name in SERVICES}
        self.past: list[PastFix] = []
        self.done: list[tuple[float, str, Plan]] = []
        self.forgiven_at = 0.0
        self.ledger = Ledger(half_life_s=30 * 86400.0, quarantine_s=86400.0)
        self.lessons = 0
        self.ids = 1

    # --- what happens ------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.0, 0.3, 2.0, 30.0, 400.0, 4000.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(name=st.sampled_from(SERVICES), fault=FAULTS)
    def it_breaks(self, name, fault):
        self._break(self.things[name], *fault)

    @rule(name=st.sampled_from(SERVICES))
    def nobody_knows(self, name):
        self.things[name].run = RunState.UNKNOWN

    @rule(name=st.sampled_from(SERVICES), unread=st.booleans(), down=st.booleans(), unsure=st.booleans())
    def the_world_around_changes(self, name, unread, down, unsure):
        thing = self.things[name]
        thing.unread = unread
        thing.parents_down = ("parent",) if down else ()
        thing.parents_unsure = ("parent",) if unsure else ()
        self.healing_takes_its_turn(name, Outcome.HEALED)

    @rule(name=st.sampled_from(SERVICES))
    def all_is_set_right_around_it(self, name):
        """So that the sequences do not get stuck where nothing may be done; no budget and no trust is given back."""
        self.paused, self.windows = False, ()
        thing = self.things[name]
        thing.intent, thing.autonomy = Intent.STARTED, Autonomy.ACT
        thing.parents_down, thing.parents_unsure, thing.unread = (), (), False

    # --- what a person does ------------------------------------------------------------------------------------------

    @rule()
    def person_pauses(self):
        self.paused = True

    @rule()
    def person_resumes(self):
        self.paused, self.tripped, self.forgiven_at = False, {}, self.now
        self.past = [replace(fix, disruptive=False, at=fix.at - 1e9, issue_key="") for fix in self.past]
        for thing in self.things.values():
            thing.deaths.clear()

    @rule(name=st.sampled_from(SERVICES), intent=st.sampled_from(list(Intent)))
    def person_wants(self, name, intent):
        self.things[name].intent = intent

    @rule(name=st.sampled_from(SERVICES), level=st.sampled_from([*Autonomy, Autonomy.ASK, Autonomy.ACT]))
    def person_sets_the_level(self, name, level):
        self.things[name].autonomy = level

    @rule(maintenance=st.booleans())
    def person_plans_maintenance(self, maintenance):
        self.windows = (NIGHT,) if maintenance else ()

    @rule(name=st.sampled_from(SERVICES), word=st.sampled_from(["approve", "deny", "always", "other"]))
    def person_answers(self, name, word):
        answer = self._judge(name)
        thing = self.things[name]
        plan = answer.wanted if isinstance(answer, Refusal) else None
        if plan is None or answer.reason is RefusalReason.SHADOW:
            return
        if word == "approve":
            thing.consent = replace(thing.consent, approved=plan, approval=1, actor="anna")
        elif word == "other":
            thing.consent = replace(thing.consent, approved=replace(plan, steps=()), approval=1, actor="anna")
        elif word == "deny":
            thing.consent = replace(thing.consent, denied=thing.consent.denied | {plan.strategy})
            self._learn(name, plan, LessonKind.DENIED)
        else:
            standing = {**thing.consent.standing, (plan.strategy, plan.cause): "anna"}
            thing.consent = replace(thing.consent, standing=standing)

    # --- what the daemon does ----------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(SERVICES), outcome=st.sampled_from(list(Outcome)))
    def healing_takes_its_turn(self, name, outcome):
        answer = self._judge(name)
        if isinstance(answer, Plan):
            self._check(name, answer)
            self._carry_out(name, answer, outcome)
        elif answer.reason is RefusalReason.BLAST_RADIUS:
            self.tripped.setdefault(name, "used up")

    @rule(
        name=st.sampled_from(SERVICES),
        fault=FAULTS,
        outcome=st.sampled_from(list(Outcome)),
        gap_s=st.sampled_from([0.0, 60.0, 200.0, 400.0, 700.0]),
        times=st.integers(2, 14),
    )
    def it_breaks_again_and_again(self, name, fault, outcome, gap_s, times):
        """Without any time between the turns that is the worst case of a loop which is woken all the time."""
        for _ in range(times):
            self._break(self.things[name], *fault)
            self.healing_takes_its_turn(name, outcome)
            self.now += gap_s

    @precondition(lambda self: getattr(self, "done", None))
    @invariant()
    def the_budget_is_never_exceeded(self):
        acts = [(at, name) for at, name, plan in self.done if plan.disruptive and at > self.forgiven_at]
        for at, _ in acts:
            within = [name for other, name in acts if at <= other <= at + HOUR_S]
            assert len(within) <= LIMITS.acts_per_hour_host
            assert all(times <= LIMITS.acts_per_hour_service for times in Counter(within).values())

    @precondition(lambda self: getattr(self, "done", None))
    @invariant()
    def there_is_no_healing_loop(self):
        for name in SERVICES:
            ends = [at for at, other, _ in self.done if other == name and at > self.forgiven_at]
            for at in ends:
                assert sum(at <= other < at + LIMITS.restart_within_s for other in ends) <= LIMITS.restart_max
                assert sum(at <= other < at + LIMITS.flapping_within_s for other in ends) <= LIMITS.flapping_max

    # --- private -----------------------------------------------------------------------------------------------------

    def _issue(self, name):
        kind = IssueType.SERVICE_DOWN if self.things[name].run is RunState.GONE else IssueType.SERVICE_UNHEALTHY
        return issue(kind, service=name, id=self.things[name].issue_id)

    def _break(self, thing, run, cause, signals, confidence):
        thing.run, thing.cause, thing.signals, thing.confidence = run, cause, signals, confidence
        if run is RunState.GONE:
            thing.deaths.append(self.now)
        self._new_issue(thing)

    def _new_issue(self, thing):
        self.ids += 1
        thing.issue_id = self.ids
        thing.consent = replace(thing.consent, approved=None, approval=None, actor="", denied=frozenset())

    def _judge(self, name):
        thing = self.things[name]
        wall = WALL + self.now
        about = service(
            thing.run, name=name, intent=thing.intent, autonomy=thing.autonomy, deaths=tuple(thing.deaths),
            parents_down=thing.parents_down, parents_unsure=thing.parents_unsure,
        )  # fmt: skip
        found = diagnosis(
            thing.cause, confidence=thing.confidence, signals=thing.signals, certain=thing.run is RunState.GONE
        )
        return decide(
            self._issue(name),
            found,
            situation(
                about, limits=LIMITS, now=self.now, wall_now=wall, pause=PauseFacts(paused=self.paused),
                past=tuple(self.past), windows=self.windows, tripped=self.tripped.get(name, ""),
                unread={"service": "no permission"} if thing.unread else {}, consent=thing.consent,
                learned=self.ledger.experiences(name, wall), earned=self.ledger.earned(name),
            ),
            STRATEGIES,
        )  # fmt: skip

    def _check(self, name, plan):
        thing = self.things[name]
        allowed = plan.approved_by == "anna" or (plan.strategy, plan.cause) in thing.consent.standing
        assert not self.paused
        assert open_window(self.windows, WALL + self.now) is None
        assert thing.run is not RunState.UNKNOWN
        assert thing.intent is Intent.STARTED
        assert not thing.unread
        assert not self.tripped.get(name), "a tripped breaker stays tripped until a person resets it"
        assert not thing.parents_down
        assert thing.autonomy is Autonomy.ACT or (thing.autonomy is Autonomy.ASK and allowed)
        assert plan.strategy not in thing.consent.denied
        assert plan.confidence >= LIMITS.confidence or allowed
        assert plan.steps
        if plan.disruptive:
            key, since = issue_key(self._issue(name)), self.now - LIMITS.recurrence_window_s
            same = [fix for fix in self.past if fix.issue_key == key and fix.at >= since]
            assert len(same) < LIMITS.restart_max, "a healing loop"
            assert thing.run is RunState.GONE or len(thing.signals) >= 2
            assert not thing.parents_unsure
        if any(isinstance(step, IRREVERSIBLE_STEPS) for step in plan.steps):
            assert allowed
        again = [fix for fix in self.past if (fix.service, fix.strategy) == (name, plan.strategy)]
        if again and again[-1].outcome is not Outcome.HEALED and self.past[-1] is again[-1]:
            assert self.now - again[-1].at >= 0.9 * LIMITS.cooldown_first_s

    def _carry_out(self, name, plan, outcome):
        thing = self.things[name]
        self.done.append((self.now, name, plan))
        self.past.append(
            PastFix(
                strategy=plan.strategy, cause=plan.cause, service=name, issue_key=issue_key(self._issue(name)),
                outcome=outcome, disruptive=plan.disruptive, at=self.now,
            )
        )  # fmt: skip
        self._learn(name, plan, LessonKind(outcome.value))
        thing.consent = replace(thing.consent, approved=None, approval=None, actor="")

    def _learn(self, name, plan, kind):
        self.lessons += 1
        self.ledger.take(
            Lesson(
                key=str(self.lessons), at=WALL + self.now, kind=kind, service=name, strategy=plan.strategy,
                cause=plan.cause, said=plan.confidence, issue_id=self.things[name].issue_id,
            )
        )  # fmt: skip


Machine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestMachine = Machine.TestCase
