"""What the daemon has learned: takes every outcome and every word of a person into the ledger, keeps the score of
shadow mode, and tells. It proposes levels of autonomy; only failures lower one, and only a person raises it again."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.learn.ledger import Ledger, Place
from autonomyd.learn.trust import RIGHT, SCORED, Record, proposed, same_deed, shadow_verdict
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Autonomy, Plan, Refusal, RefusalReason
from autonomyd.model.trust import (
    Consent,
    Experience,
    Lesson,
    LessonKind,
    ShadowCase,
    ShadowVerdict,
    TrustReport,
    TrustRow,
)

DAY_S = 86400.0
CASES_SHOWN = 50
MAX_OPEN_CASES = 500

log = structlog.get_logger(__name__)


class Trust:
    """`record` and `record_shadow` store what they are given; `tell` puts (kind, service, words, actor) into the diary.
    `configured` is the autonomy of a service in the configuration, `verify_s` how long a fix of it is given to help."""

    def __init__(
        self,
        *,
        clock: Clock,
        half_life_s: float = 30.0 * DAY_S,
        quarantine_s: float = DAY_S,
        record: Callable[[Lesson], None] = lambda lesson: None,
        record_shadow: Callable[[ShadowCase], None] = lambda case: None,
        tell: Callable[[str, str, str, str], None] = lambda kind, service, words, actor: None,
        configured: Callable[[str], Autonomy] = lambda service: Autonomy.ACT,
        verify_s: Callable[[str], float] = lambda service: 120.0,
    ) -> None:
        self._clock = clock
        self._record = record
        self._record_shadow = record_shadow
        self._tell = tell
        self._configured = configured
        self._verify_s = verify_s
        self._open: dict[str, ShadowCase] = {}
        self._score: dict[tuple[str, str], tuple[int, int]] = {}
        self._shown: deque[ShadowCase] = deque(maxlen=CASES_SHOWN)
        self.ledger = Ledger(half_life_s=half_life_s, quarantine_s=quarantine_s)

    def bound(self, *, half_life_s: float, quarantine_s: float) -> None:
        """A reload: what comes from now on fades, and is passed over, by these."""
        self.ledger.half_life_s, self.ledger.quarantine_s = half_life_s, quarantine_s

    # --- what the planner is given -----------------------------------------------------------------------------------

    def learned(self, service: str) -> Mapping[Place, Experience]:
        """How every (cause, strategy) fared on `service` ("": on what is no service)."""
        return self.ledger.experiences(service, self._clock.wall())

    def earned(self, service: str) -> Mapping[str, Autonomy]:
        """The most that each strategy which lost trust may do there."""
        return self.ledger.earned(service)

    # --- what is learned from ----------------------------------------------------------------------------------------

    def restore(self, lessons: Iterable[Lesson], cases: Iterable[ShadowCase], fixes: Iterable[Fix]) -> None:
        """Take back what earlier runs learned, oldest first. `fixes` are the newest: one whose lesson a crash cut off
        is learned from now. What became of a case while nobody looked is not known."""
        known: deque[int | None] = deque(maxlen=2000)
        for lesson in lessons:
            self.ledger.take(lesson)
            known.append(lesson.fix_id)
        there = set(known)
        for fix in fixes:
            if fix.id not in there:
                self.ended(fix)
        now = self._clock.wall()
        for case in cases:
            if case.verdict is not ShadowVerdict.PENDING:
                self._count(case)
            elif case.until <= now:
                self._settle(case, ShadowVerdict.UNSCORED, "the daemon did not run at that time")
            else:
                self._open[case.key] = case

    def ended(self, fix: Fix) -> None:
        """A fix that was decided on has ended: learn from its outcome."""
        plan = fix.plan
        if fix.outcome is None or fix.ended_at is None or plan.issue_id is None or plan.cause is Cause.REQUESTED:
            return
        self._take(
            Lesson(
                key=f"fix:{fix.id}",
                at=fix.ended_at,
                kind=LessonKind(fix.outcome.value),
                service=plan.service or "",
                strategy=plan.strategy,
                cause=plan.cause,
                said=plan.confidence,
                issue_id=plan.issue_id,
                fix_id=fix.id,
                actor=fix.actor,
                message=fix.message,
            )
        )

    def undone(self, fix: Fix, *, actor: str) -> None:
        """A person rolled `fix` back: whatever validation had seen, it counts as a failure."""
        self._take(self._word(LessonKind.UNDONE, fix.plan, key=f"undone:{fix.id}", actor=actor, fix_id=fix.id))

    def denied(self, plan: Plan, approval: int, *, actor: str) -> None:
        """A person said no to `plan`, which waited as `approval`."""
        self._take(self._word(LessonKind.DENIED, plan, key=f"denied:{approval}", actor=actor))

    def raise_again(self, service: str, strategy: str, *, actor: str) -> None:
        """A person trusts the strategy ("": every one) on `service` again."""
        self._forgive(LessonKind.RAISED, service, strategy, actor)

    def release(self, service: str, strategy: str, *, actor: str) -> None:
        """A person ends the quarantine of the strategy ("": of every one) on `service`."""
        self._forgive(LessonKind.RELEASED, service, strategy, actor)

    def fix_moved(self, fix: Fix) -> None:
        """Hears of every state of every fix: what people have done shows at once, the ends teach."""
        self.asked_for(fix)
        if fix.ended_at is not None:
            self.ended(fix)

    # --- shadow mode -------------------------------------------------------------------------------------------------

    def shadowed(self, issue: Issue, decision: Plan | Refusal) -> None:
        """Note what would have been done, once for an issue and a remedy."""
        if not isinstance(decision, Refusal) or decision.reason is not RefusalReason.SHADOW or decision.wanted is None:
            return
        now = self._clock.wall()
        case = ShadowCase(
            issue_id=issue.id,
            at=now,
            until=now + self._verify_s(decision.wanted.service or ""),
            plan=decision.wanted,
        )
        if case.key in self._open or len(self._open) >= MAX_OPEN_CASES:
            return
        if any(each.key == case.key for each in self._shown):
            return  # it was scored already, and the issue is still open
        self._open[case.key] = case
        self._record_shadow(case)

    def over(self, issue: Issue) -> None:
        """An issue was resolved: score what would have been done about it."""
        for case in [each for each in self._open.values() if each.issue_id == issue.id]:
            verdict = shadow_verdict(case, now=self._clock.wall(), over=True, same_by_person=False)
            self._settle(case, verdict, "it was well again by then")

    def asked_for(self, fix: Fix) -> None:
        """A person had something done: is it what shadow mode would have done?"""
        if fix.plan.cause is not Cause.REQUESTED or not fix.actor.startswith("uid="):
            return
        for case in [each for each in self._open.values() if same_deed(each.plan, fix.plan)]:
            verdict = shadow_verdict(case, now=self._clock.wall(), over=False, same_by_person=True)
            self._settle(case, verdict, f"{fix.actor} did the same")

    def settle(self) -> None:
        """Score what has stayed broken for as long as a fix would have been given."""
        now = self._clock.wall()
        for case in list(self._open.values()):
            verdict = shadow_verdict(case, now=now, over=False, same_by_person=False)
            if verdict is not ShadowVerdict.PENDING:
                self._settle(case, verdict, "it stayed broken")

    # --- what is told ------------------------------------------------------------------------------------------------

    def report(self, consents: tuple[Consent, ...] = ()) -> TrustReport:
        """Everything that `autonomyctl trust` shows."""
        pairs = {(service, place[1]) for service, place in self.ledger.places()}
        pairs |= set(self._score) | {(each.plan.service or "", each.plan.strategy) for each in self._open.values()}
        return TrustReport(
            rows=tuple(self._row(*pair) for pair in sorted(pairs)),
            calibration=self.ledger.calibration(),
            consents=consents,
            shadow=(*self._open.values(), *reversed(self._shown)),
        )

    def _row(self, service: str, strategy: str) -> TrustRow:
        now = self._clock.wall()
        places = [place for name, place in self.ledger.places() if (name, place[1]) == (service, strategy)]
        tallies = [self.ledger.tally(service, place) for place in places]
        found = [self.ledger.experience(service, place, now) for place in places]
        total, healed = sum(each.total for each in tallies), sum(each.healed for each in tallies)
        right, scored = self._score.get((service, strategy), (0, 0))
        means = [each.mean for each in found if each.mean is not None]
        configured = self._configured(service)
        fallen = self.earned(service).get(strategy)
        level = configured if fallen is None else min(configured, fallen, key=tuple(Autonomy).index)
        record = Record(
            total=total, healed=healed, mean=min(means, default=None), right=right, scored=scored, fallen=fallen
        )
        proposal, why = proposed(level, record)
        said = sum(each.said for each in tallies)
        return TrustRow(
            service=service,
            strategy=strategy,
            configured=configured,
            level=level,
            proposed=proposal,
            why=why,
            total=total,
            healed=healed,
            shadow_right=right,
            shadow_total=scored,
            score=healed / total if total else right / scored if scored else None,
            said=100.0 * said / total if total else None,
            quarantined_until=max((each.quarantined_until or 0.0 for each in found), default=0.0) or None,
        )

    # --- private -----------------------------------------------------------------------------------------------------

    def _take(self, lesson: Lesson) -> None:
        self._record(lesson)
        lost = self.ledger.take(lesson)
        if lost:
            log.warning("trust_lost", service=lesson.service, strategy=lesson.strategy, what=lost)
            self._tell("trust_lost", lesson.service, lost, lesson.actor)

    def _word(self, kind: LessonKind, plan: Plan, *, key: str, actor: str, fix_id: int | None = None) -> Lesson:
        return Lesson(
            key=key,
            at=self._clock.wall(),
            kind=kind,
            service=plan.service or "",
            strategy=plan.strategy,
            cause=plan.cause,
            said=plan.confidence,
            issue_id=plan.issue_id,
            fix_id=fix_id,
            actor=actor,
        )

    def _forgive(self, kind: LessonKind, service: str, strategy: str, actor: str) -> None:
        at = self._clock.wall()
        key = f"{kind}:{service}:{strategy}:{at:.6f}"
        self._take(Lesson(key=key, at=at, kind=kind, service=service, strategy=strategy, actor=actor))
        self._tell(f"trust_{kind}", service, f"{strategy or 'every fix'} is trusted again", actor)

    def _settle(self, case: ShadowCase, verdict: ShadowVerdict, note: str) -> None:
        self._open.pop(case.key, None)
        scored = replace(case, verdict=verdict, scored_at=self._clock.wall(), note=note)
        self._count(scored)
        self._record_shadow(scored)

    def _count(self, case: ShadowCase) -> None:
        self._shown.append(case)
        if case.verdict in SCORED:
            pair = (case.plan.service or "", case.plan.strategy)
            right, scored = self._score.get(pair, (0, 0))
            self._score[pair] = (right + (case.verdict in RIGHT), scored + 1)
