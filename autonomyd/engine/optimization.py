"""SelfOptimizationSystem: measures what the daemon itself costs, tries what optimize/ proposes, keeps what helped.

Usable alone. Every change of a probe's interval is a plan that the one runner carries out, and so is taking it back.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

import structlog

from autonomyd.engine.experiments import Apply, Experiment, Program, called, own_runner
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.selfcost import OwnCost, ProbeCosts
from autonomyd.host.process import ProcessFacts, read_process
from autonomyd.model.candidate import CandidateState, OptimizationCandidate
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix, Outcome
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.reading import ReadingState
from autonomyd.model.status import OptimizationStatus
from autonomyd.model.step import SetProbeInterval
from autonomyd.model.subject import Subject
from autonomyd.monitor.sampler import ScheduledProbe
from autonomyd.optimize.candidates import Bounds, ProbeCost, propose, select, wanted_interval
from autonomyd.optimize.experiment import Judgement, Measured, judge
from autonomyd.settings.optimization import OptimizationSettings

LEAST_LOOKS = 3
"""So many looks at the new interval must fit into the time of an experiment."""
AGAIN_AFTER_S = 86400.0
"""What was taken back is not tried again for so long."""
STRATEGY = "set-probe-interval"

log = structlog.get_logger(__name__)


class SelfOptimizationSystem:
    """`apply` carries a plan out (the runner's); without it an own one is made that keeps no journal. `paused` tells
    whether automation stops, `on_candidate` hears every candidate that changed (to store it). Settings are
    monitoring's."""

    def __init__(
        self,
        *,
        monitoring: SelfMonitoringSystem | None = None,
        apply: Apply | None = None,
        paused: Callable[[], bool] = lambda: False,
        next_id: Callable[[], int] | None = None,
        on_candidate: Callable[[OptimizationCandidate], None] = lambda candidate: None,
        own_process: Callable[[], ProcessFacts | None] = lambda: read_process(os.getpid()),
    ) -> None:
        self._monitoring = monitoring or SelfMonitoringSystem()
        self._clock = self._monitoring.clock
        self._apply = apply or own_runner(self._monitoring)
        self._paused = paused
        self._ids = iter(range(1, 2**62))
        self._next_id = next_id or (lambda: next(self._ids))
        self._on_candidate = on_candidate
        self._own = OwnCost(self._clock, own_process)
        self._costs = ProbeCosts(self._monitoring)
        self._experiments: dict[str, Experiment] = {}
        self._waiting: dict[str, tuple[OptimizationCandidate, Program]] = {}
        self._proposals = 0
        self._counts = dict.fromkeys(CandidateState, 0)
        self._not_before: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last = "nothing was looked at yet"

    @property
    def candidates(self) -> tuple[OptimizationCandidate, ...]:
        """Those in force, and those of the embedding program that wait."""
        held = tuple(each.candidate for each in self._experiments.values())
        return (*held, *(candidate for candidate, _ in self._waiting.values()))

    def register(
        self,
        candidate: OptimizationCandidate,
        *,
        apply: Callable[[], Awaitable[object]],
        measure: Callable[[], Awaitable[float]],
        undo: Callable[[], Awaitable[object]],
    ) -> OptimizationCandidate:
        """Propose an optimization of your own. It is scored with the others; when chosen, `apply` is called, after
        `verify_s` `measure` (lower is better), and `undo` when it did not help. Raises ValueError for a component that
        is busy, or for figures out of range."""
        if candidate.component in self._waiting or candidate.component in self._experiments:
            raise ValueError(f"{candidate.component} is being optimized already")
        shares = 0.0 < candidate.expected_improvement <= 1.0 and 0.0 <= candidate.confidence <= 1.0
        if not (shares and candidate.cost > 0.0):
            raise ValueError("expected_improvement is in (0, 1], cost above 0, confidence in 0..1")
        made = self._moved(replace(candidate, id=0, step=None), CandidateState.PROPOSED, candidate.message)
        self._waiting[made.component] = (made, Program(apply=apply, measure=measure, undo=undo))
        return made

    def restore(
        self, candidates: Iterable[OptimizationCandidate], *, counts: Mapping[CandidateState, int] | None = None
    ) -> None:
        """Settle what the last run left: after a restart every probe has its configured interval."""
        self._counts.update(counts or {})
        for each in candidates:
            if each.state in (CandidateState.APPLIED, CandidateState.PROPOSED):
                self._counts[each.state] = max(0, self._counts[each.state] - 1)
                applied = each.state is CandidateState.APPLIED
                state = CandidateState.ROLLED_BACK if applied else CandidateState.REJECTED
                self._moved(each, state, "the daemon was restarted: the configuration is in force")

    def on_issue(self, subject: Subject) -> None:
        """An issue was opened: calm is over, and the configured interval comes back at once."""
        for entry in self._costs.on_issue(subject):
            configured_s, own = self._costs.configured(entry)
            if own or entry.every_s <= configured_s or self._paused():
                continue
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # used alone and not within a loop: the next turn does it
            task = loop.create_task(self._calm_is_over(entry.name, f"an issue on {subject}"))
            self._tasks.add(task)
            task.add_done_callback(self._told)

    async def tick(self) -> None:
        """One turn: measure, judge what was tried, take back what is no longer safe, try the best."""
        settings = self._settings
        self._own.mark()
        if self._paused():
            self._last = "paused"
            return
        if settings.enabled:
            await self._judge_all()
        probes = self._costs.read()
        await self._follow_trouble(probes)
        if not settings.enabled:
            await self._take_all_back()
            self._last = "switched off"
            return
        await self._try_best(probes)
        self._costs.mark()

    async def close(self) -> None:
        """End the changes under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def status(self) -> OptimizationStatus:
        """`applied` counts the changes in force that are not verified yet; the rest since the store began, or since the
        start. The cost is over the newest span that says something."""
        applied = sum(not each.judged for each in self._experiments.values())
        return OptimizationStatus(
            proposed=self._proposals + len(self._waiting),
            applied=applied,
            verified=self._counts[CandidateState.VERIFIED],
            rolled_back=self._counts[CandidateState.ROLLED_BACK],
            cost_percent=self._own.percent_now(),
            memory_mb=self._own.memory_mb,
            last=self._last,
        )

    @property
    def _settings(self) -> OptimizationSettings:
        return self._monitoring.settings.optimization

    # --- judging -------------------------------------------------------------------------------------------------

    async def _judge_all(self) -> None:
        now = self._clock.monotonic()
        for name, held in list(self._experiments.items()):
            if held.program is not None:
                if now - held.since >= self._settings.verify_s:
                    await self._judge_program(name, held, held.program)
                continue
            entry = self._monitoring.sampler.probes.get(name)
            step = held.candidate.step
            if entry is None or not isinstance(step, SetProbeInterval) or entry.every_s != step.after_s:
                self._drop(name, held, "taken back: the configuration set the interval anew")
            elif not held.judged and now - held.since >= max(self._settings.verify_s, LEAST_LOOKS * entry.every_s):
                after = self._after(entry, held, step, now - held.since)
                found = judge(Measured(metric=held.before), after, expected=held.candidate.expected_improvement)
                await self._settle(name, held, found, after)

    def _after(self, entry: ScheduledProbe, held: Experiment, step: SetProbeInterval, span_s: float) -> Measured:
        """What the probe cost since the change, by its looks as they really came. How long one look takes is not the
        change's doing and varies with all that the machine does: it counts as it did before."""
        looks = entry.looks - held.looks
        return Measured(
            metric=held.before * step.before_s * looks / span_s if looks > 0 else None,
            failures=int(entry.last is not None and entry.last.state is ReadingState.FAILED),
            unknowns=entry.unknowns - held.unknowns,
            issues=self._costs.issues_since(entry, held.since),
        )

    async def _settle(self, name: str, held: Experiment, found: Judgement, after: Measured) -> None:
        candidate = replace(held.candidate, measured_metric=after.metric)
        held.candidate = candidate
        if found.verified:
            held.candidate = self._moved(candidate, CandidateState.VERIFIED, found.reason)
            held.judged = True
            if held.program is not None:
                del self._experiments[name]
        else:
            await self._take_back(name, held, found.reason)

    async def _judge_program(self, name: str, held: Experiment, program: Program) -> None:
        value, error = await called(program.measure)
        after = Measured(metric=value if isinstance(value, int | float) else None)
        found = judge(Measured(metric=held.before), after, expected=held.candidate.expected_improvement)
        if error:
            found = replace(found, reason=f"taken back: measuring failed: {error}")
        await self._settle(name, held, found, after)

    # --- acting --------------------------------------------------------------------------------------------------

    async def _follow_trouble(self, probes: tuple[ProbeCost, ...]) -> None:
        """Bring the configured interval (or a shorter one) back where there is trouble."""
        settings = self._settings
        cheap = self._own.percent is not None and self._own.percent <= settings.target_percent
        for probe in probes:
            wanted_s = wanted_interval(probe, self._bounds(), sharpen=cheap and settings.enabled)
            if wanted_s == probe.every_s:
                continue
            if probe.name in self._experiments and not probe.calm:
                await self._calm_is_over(probe.name, "its subject is not well")
            else:
                why = "its subject is not well" if wanted_s < probe.configured_s else "its subject is well again"
                await self._set(probe.name, probe.every_s, wanted_s, why)

    async def _try_best(self, probes: tuple[ProbeCost, ...]) -> None:
        settings = self._settings
        now = self._clock.monotonic()
        self._not_before = {name: until for name, until in self._not_before.items() if until > now}
        cheap = self._own.percent is None or self._own.percent <= settings.target_percent
        proposals = propose(probes, self._bounds(), slow_only=cheap)
        self._proposals = len(proposals)
        trying = {name for name, held in self._experiments.items() if not held.judged}
        chosen = select(
            (*proposals, *(candidate for candidate, _ in self._waiting.values())),
            limit=max(0, settings.max_candidates - len(trying)),
            min_confidence=settings.min_confidence,
            busy=trying | self._not_before.keys(),
        )
        self._last = self._words(cheap, len(proposals), len(trying))
        for candidate in chosen:
            if candidate.component in self._waiting:
                await self._try_program(candidate)
            else:
                await self._try_interval(candidate)

    async def _try_interval(self, candidate: OptimizationCandidate) -> None:
        entry = self._monitoring.sampler.probes.get(candidate.component)
        if entry is None or not isinstance(candidate.step, SetProbeInterval):
            return
        fix = await self._set(entry.name, candidate.step.before_s, candidate.step.after_s, candidate.message)
        if fix.outcome not in (Outcome.HEALED, Outcome.UNVERIFIED):
            self._reject(candidate, f"it could not be applied: {fix.message}")
            return
        made = self._moved(replace(candidate, id=0), CandidateState.APPLIED, candidate.message)
        self._experiments[entry.name] = Experiment(
            candidate=made,
            since=self._clock.monotonic(),
            before=made.current_metric,
            looks=entry.looks,
            unknowns=entry.unknowns,
        )
        self._last = f"{entry.name}: {made.message}"

    async def _try_program(self, candidate: OptimizationCandidate) -> None:
        _, program = self._waiting.pop(candidate.component)
        before, error = await called(program.measure)
        if not error and isinstance(before, int | float):
            candidate = self._moved(replace(candidate, current_metric=float(before)), CandidateState.APPLIED, "")
            held = Experiment(candidate=candidate, since=self._clock.monotonic(), before=float(before), program=program)
            self._experiments[candidate.component] = held
            _, error = await called(program.apply)
            if error:
                await self._take_back(candidate.component, held, f"it could not be applied: {error}")
            else:
                self._last = f"{candidate.component}: {candidate.optimization_type} applied"
            return
        self._reject(candidate, f"it could not be measured: {error or 'no number'}")

    async def _calm_is_over(self, name: str, why: str) -> None:
        held = self._experiments.get(name)
        entry = self._monitoring.sampler.probes.get(name)
        if held is not None:
            await self._take_back(name, held, f"taken back: {why}", again_after_s=0.0)
        elif entry is not None:
            await self._set(name, entry.every_s, self._costs.configured(entry)[0], why)

    async def _take_all_back(self) -> None:
        for name, held in list(self._experiments.items()):
            await self._take_back(name, held, "taken back: optimization is switched off", again_after_s=0.0)

    async def _take_back(self, name: str, held: Experiment, why: str, *, again_after_s: float = AGAIN_AFTER_S) -> None:
        self._drop(name, held, why)
        if again_after_s:
            self._not_before[name] = self._clock.monotonic() + again_after_s
        if held.program is not None:
            _, error = await called(held.program.undo)
            if error:
                self._moved(held.candidate, held.candidate.state, f"{why}; undo failed: {error}", count=False)
            return
        entry = self._monitoring.sampler.probes.get(name)
        if entry is None or not isinstance(held.candidate.step, SetProbeInterval):
            return
        configured_s, own = self._costs.configured(entry)
        back_s = entry.every_s if own else configured_s if not again_after_s else held.candidate.step.before_s
        if back_s != entry.every_s:
            await self._set(name, entry.every_s, back_s, why)

    async def _set(self, probe: str, before_s: float, after_s: float, why: str) -> Fix:
        plan = Plan(
            strategy=STRATEGY,
            cause=Cause.CUSTOM,
            steps=(SetProbeInterval(probe=probe, before_s=before_s, after_s=after_s),),
            confidence=100.0,
            risk=Risk.LOW,
            disruptive=False,
            reversible=True,
            preview=(f"{probe} every {after_s:g} s instead of {before_s:g} s: {why}",),
        )
        return await self._apply(plan)

    def _drop(self, name: str, held: Experiment, why: str) -> None:
        if self._experiments.get(name) is held:
            del self._experiments[name]
            held.candidate = self._moved(held.candidate, CandidateState.ROLLED_BACK, why)
            self._last = f"{name}: {why}"

    def _reject(self, candidate: OptimizationCandidate, why: str) -> None:
        self._not_before[candidate.component] = self._clock.monotonic() + AGAIN_AFTER_S
        self._moved(candidate, CandidateState.REJECTED, why)
        self._last = f"{candidate.component}: {why}"

    def _moved(
        self, candidate: OptimizationCandidate, state: CandidateState, message: str, *, count: bool = True
    ) -> OptimizationCandidate:
        """The candidate in its new state, told to whoever stores it; one without an id gets one."""
        wall = self._clock.wall()
        made = candidate if candidate.id else replace(candidate, id=self._next_id(), created_at=wall)
        made = replace(made, state=state, updated_at=wall, message=message or made.message)
        self._counts[state] += count
        log.info("optimization", component=made.component, state=state.value, message=made.message)
        self._on_candidate(made)
        return made

    def _told(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("interval_not_restored", exc_info=task.exception())

    def _bounds(self) -> Bounds:
        return Bounds(least=self._settings.min_interval_factor, most=self._settings.max_interval_factor)

    def _words(self, cheap: bool, proposals: int, trying: int) -> str:
        if trying:
            return f"{trying} changes are being measured"
        cost = "not measured yet" if self._own.percent is None else f"{self._own.percent:.2g} % of a core"
        if cheap and not proposals:
            return f"own cost {cost}, target {self._settings.target_percent:g} %: nothing to gain"
        return f"own cost {cost}, {proposals} possible changes, none sure enough yet"
