"""How long one decision takes, with nothing learned and with ten thousand outcomes behind it."""

import gc
import statistics
import time

from figure import Figure, Options

from autonomyd.engine.trust import Trust
from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import PastFix
from autonomyd.model.fix import Outcome
from autonomyd.model.issue import IssueType
from autonomyd.model.plan import Plan, Refusal
from autonomyd.model.trust import Lesson, LessonKind
from autonomyd.plan.planner import decide
from autonomyd.testing import MONOTONIC, WALL, ManualClock, check, diagnosis, issue, service, situation

OUTCOMES = 10_000
PAST_FIXES = 2000
SERVICES = 20
STRATEGIES = ("restart", "kill-and-start", "start", "reload", "recycle")


def measure(options: Options) -> list[Figure]:
    rounds = int(options.pick(2000, 400))
    none, none_p99 = _timed(Trust(clock=ManualClock()), _past(), rounds)
    known, known_p99 = _timed(_experienced(), _past(), rounds)
    return [
        Figure(
            what="planning decision, 10,000 outcomes", value=1e3 * known_p99, unit="ms p99", target=20.0, bound=20.0,
            note=f"CPU time; median {known * 1e3:.2f} ms, {PAST_FIXES} recent fixes are looked at besides",
        ),
        Figure(
            what="planning, 10,000 outcomes : none", value=known / none, unit="x", target=1.5, bound=3.0,
            note=f"medians; with none {none * 1e3:.2f} ms, p99 {none_p99 * 1e3:.2f} ms",
        ),
    ]  # fmt: skip


def _timed(trust: Trust, past: tuple[PastFix, ...], rounds: int) -> tuple[float, float]:
    """(median, 99th percentile) in seconds of CPU of what the healing loop does to decide."""
    about = service(checks=(check("http", failing=True), check("tcp", failing=True)), name="service-3")
    found = diagnosis(Cause.PROCESS_HUNG, confidence=92.0, signals=("http", "tcp"))
    problem = issue(IssueType.SERVICE_UNHEALTHY, service="service-3")
    took = []
    for _ in range(rounds):
        began = time.thread_time()
        now = situation(about, past=past, learned=trust.learned("service-3"), earned=trust.earned("service-3"))
        answer = decide(problem, found, now, BUNDLED)
        took.append(time.thread_time() - began)
        assert isinstance(answer, Plan | Refusal)
    gc.collect()
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def _experienced() -> Trust:
    trust = Trust(clock=ManualClock())
    trust.restore((_lesson(number) for number in range(OUTCOMES)), (), ())
    return trust


def _lesson(number: int) -> Lesson:
    return Lesson(
        key=f"fix:{number}",
        at=WALL - OUTCOMES + number,
        kind=LessonKind.INEFFECTIVE if number % 7 == 0 else LessonKind.HEALED,
        service=f"service-{number % SERVICES}",
        strategy=STRATEGIES[number // SERVICES % len(STRATEGIES)],
        cause=Cause.PROCESS_HUNG,
        said=92.0,
        issue_id=number,
        fix_id=number,
    )


def _past() -> tuple[PastFix, ...]:
    """Long enough ago, or elsewhere, so that every gate is asked to the end."""
    return tuple(
        PastFix(
            strategy="restart", cause=Cause.PROCESS_HUNG, service=f"service-{number % SERVICES}", issue_key="other",
            outcome=Outcome.HEALED, disruptive=False, at=MONOTONIC - 86400.0 + number,
        )
        for number in range(PAST_FIXES)
    )  # fmt: skip
