"""What a problem means: whom it reaches, how hard and how long its repair is, and where that is made."""

from collections.abc import Mapping, Sequence

from autonomyd.analyze.graph import ServiceGraph
from autonomyd.model.diagnosis import Assessment, Cause, Complexity, Diagnosis, FixType
from autonomyd.model.health import Severity
from autonomyd.model.issue import Issue
from autonomyd.model.subject import service_of

ENOUGH_TIMES = 3
"""Repairs of one (cause, strategy) from which on their own times are believed."""
MANY = 3
"""Affected services from which on a warning is as grave as a critical problem, and a repair no small matter."""
SURE = 85.0

CONFIGURATION = frozenset(
    {
        Cause.CONFIG_CHANGED,
        Cause.CONFIG_INVALID,
        Cause.RATE_LIMITED,
        Cause.LIMIT_EXCEEDED,
        Cause.AUTHENTICATION_FAILED,
        Cause.PERMISSION_DENIED,
        Cause.CERTIFICATE_EXPIRING,
        Cause.TLS_FAILED,
        Cause.PORT_TAKEN,
        Cause.LOG_OUTGROWN,
    }
)
CODE = frozenset(
    {
        Cause.RELEASE_CHANGED,
        Cause.MEMORY_LEAK,
        Cause.DESCRIPTOR_LEAK,
        Cause.LEAKING,
        Cause.ZOMBIES,
        Cause.RUNAWAY,
        Cause.WRONG_ANSWERS,
        Cause.ERRORS_IN_LOG,
        Cause.PROCESS_HUNG,
        Cause.STALE_HEARTBEAT,
        Cause.BLOCKED_SESSIONS,
        Cause.MISSING_DEPENDENCY,
        Cause.VERSION_MISMATCH,
    }
)
"""Where the lasting repair is made; whatever is in neither is the infrastructure's. A restart may well end the trouble
until then."""

DEFAULT_S: Mapping[Complexity, float] = {Complexity.LOW: 30.0, Complexity.MEDIUM: 300.0, Complexity.HIGH: 3600.0}
"""Stated, not learned: a start and its verification, a choice of remedies, a person's work."""


def assess(
    issue: Issue,
    diagnosis: Diagnosis | None,
    graph: ServiceGraph,
    *,
    strategy: str | None = None,
    taken_s: Sequence[float] = (),
) -> Assessment:
    """The assessment of an issue as it is known now. `strategy` is the remedy that was chosen (None: the repair is a
    person's), `taken_s` the seconds from the opening of earlier issues to their repair by it, of the same cause."""
    affected = _affected(issue, graph)
    cause = diagnosis.cause if diagnosis is not None else None
    why: list[str] = []
    severity = issue.severity
    if severity is Severity.WARNING and len(affected) >= MANY:
        severity = Severity.CRITICAL
        why.append(f"{len(affected)} services need it")
    complexity = _complexity(diagnosis, strategy, affected, why)
    fix_s, fix_from = _time(complexity, taken_s)
    return Assessment(
        severity=severity,
        affected=affected,
        complexity=complexity,
        fix_type=fix_type_of(None if cause is None else cause.cause),
        fix_s=fix_s,
        fix_from=fix_from,
        why=tuple(why),
    )


def fix_type_of(cause: Cause | None) -> FixType:
    """Where the lasting repair of a cause is made. What is not known is looked for in the infrastructure first."""
    if cause in CONFIGURATION:
        return FixType.CONFIGURATION
    return FixType.CODE if cause in CODE else FixType.INFRASTRUCTURE


def _affected(issue: Issue, graph: ServiceGraph) -> tuple[str, ...]:
    """The services that a problem of this subject can reach: all of them when it is the machine's own."""
    name = service_of(issue.subject)
    return graph.names if name is None else graph.below(name)


def _complexity(
    diagnosis: Diagnosis | None, strategy: str | None, affected: Sequence[str], why: list[str]
) -> Complexity:
    if diagnosis is None or diagnosis.cause is None:
        why.append("the cause is not known")
        return Complexity.HIGH
    if strategy is None:
        why.append(f"no remedy for {diagnosis.cause.cause.words} may be applied by itself")
        return Complexity.HIGH
    rivals = [each for each in diagnosis.causes[1:] if each.confidence >= SURE]
    if rivals:
        why.append(f"{len(rivals) + 1} causes are likely")
    if len(affected) >= MANY:
        why.append(f"{len(affected)} services feel the repair")
    sure = diagnosis.certain or diagnosis.cause.confidence >= SURE
    if not sure:
        why.append(f"the cause is not sure ({diagnosis.cause.confidence:.0f} of 100)")
    return Complexity.LOW if sure and not rivals and len(affected) < MANY else Complexity.MEDIUM


def _time(complexity: Complexity, taken_s: Sequence[float]) -> tuple[float, str]:
    """Seconds, and where they come from: the median of what it took before, else what is stated."""
    taken = sorted(taken_s)
    if len(taken) >= ENOUGH_TIMES:
        return taken[len(taken) // 2], f"the median of {len(taken)} repairs of this kind"
    few = f", with {len(taken)} of this kind so far" if taken else ""
    return DEFAULT_S[complexity], f"stated for a repair of {complexity} complexity{few}"
