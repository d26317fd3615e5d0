"""What a scenario is and what comes out of it. Values only."""

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from autonomyd.drill.services import Program, ServiceSpec

if TYPE_CHECKING:
    from autonomyd.drill.stage import Stage

EVERY_S = 1.0
REDIS = ServiceSpec(name="redis", program=Program.REDIS, every_s=EVERY_S, timeout_s=EVERY_S)
WEB = ServiceSpec(name="web", program=Program.WEB, needs="redis", every_s=EVERY_S, timeout_s=EVERY_S)
BYSTANDERS = tuple(ServiceSpec(name=f"bystander-{n}", every_s=EVERY_S, timeout_s=EVERY_S) for n in (1, 2))
"""The stage of nearly every scenario: a small HTTP service, its dependency, and two services that nobody touches."""


class Kind(StrEnum):
    """A fault must be healed; one that announces itself must be foretold, or its cause be named, while nobody heals; in
    a control nothing is wrong, and nothing may be done."""

    FAULT = "fault"
    FORETOLD = "foretold"
    CONTROL = "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a scenario saw from outside. Seconds are since its act; None: it never came, or there is nothing to wait
    for. `broken_after_s` is asked for only when nobody heals. `problems` say in words what was not as it must be."""

    broken_after_s: float | None = None
    detected_after_s: float | None = None
    recovered_after_s: float | None = None
    problems: tuple[str, ...] = ()
    note: str = ""


Play = Callable[["Stage"], Observed]


def always() -> str:
    """Nothing keeps the scenario from being played."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`bound_s` is how long healing may take. `starts` are the starts of its services, by name, that its act gives
    reason for; any more is a false act. `unhealed` plays it while nobody heals. `tables` are further tables of the
    configuration, made of the scratch folder's path. `why_not` says why it cannot be played here ("": it can)."""

    name: str
    kind: Kind
    what: str
    play: Play
    unhealed: Play | None = None
    services: tuple[ServiceSpec, ...] = (REDIS, WEB)
    starts: Mapping[str, int] = field(default_factory=dict)
    bound_s: float | None = None
    tables: Callable[[str], str] = lambda scratch: ""
    why_not: Callable[[], str] = always


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A scenario's row of the table. `starts` counts those of each service of the stage since the act; `false_acts` are
    starts and other acts that nobody needed; `collateral` names bystanders that were restarted or down meanwhile. `log`
    is the end of the daemon's log when it was not good."""

    name: str
    kind: Kind
    what: str
    observed: Observed
    bound_s: float | None = None
    starts: Mapping[str, int] = field(default_factory=dict)
    false_acts: tuple[str, ...] = ()
    collateral: tuple[str, ...] = ()
    skipped: str = ""
    took_s: float = 0.0
    log: str = ""

    @property
    def good(self) -> bool:
        return not self.observed.problems and not self.collateral and not self.false_acts

    @property
    def recovered(self) -> bool:
        return self.kind is Kind.FAULT and self.observed.recovered_after_s is not None and not self.observed.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The last lines: MTTD and MTTR are the median seconds until detection and until recovery. `late` names the faults
    whose median is over their bound; `broken` counts those that showed themselves while nobody healed."""

    faults: int
    recovered: int
    broken: int
    controls: int
    left_alone: int
    announced: int
    foretold: int
    skipped: int
    false_acts: int
    bystanders_harmed: int
    mttd_s: float | None
    mttr_s: float | None
    late: tuple[str, ...]
    good: bool


def score(results: tuple[Result, ...]) -> Score:
    """The score of all rows; of no rows it is not good."""
    played = [each for each in results if not each.skipped]
    faults = [each for each in played if each.kind is Kind.FAULT]
    return Score(
        faults=len(faults),
        recovered=sum(each.recovered for each in faults),
        broken=sum(each.good and each.observed.broken_after_s is not None for each in faults),
        controls=sum(each.kind is Kind.CONTROL for each in played),
        left_alone=sum(each.good for each in played if each.kind is Kind.CONTROL),
        announced=sum(each.kind is Kind.FORETOLD for each in played),
        foretold=sum(each.good for each in played if each.kind is Kind.FORETOLD),
        skipped=len(results) - len(played),
        false_acts=sum(len(each.false_acts) for each in played),
        bystanders_harmed=sum(bool(each.collateral) for each in played),
        mttd_s=median(each.observed.detected_after_s for each in faults),
        mttr_s=median(each.observed.recovered_after_s for each in faults),
        late=tuple(group[0].name for group in by_name(results) if is_late(group)),
        good=bool(played) and all(each.good for each in played),
    )


def by_name(results: Iterable[Result]) -> list[list[Result]]:
    """The rounds of each scenario together."""
    groups: dict[str, list[Result]] = {}
    for each in results:
        groups.setdefault(each.name, []).append(each)
    return list(groups.values())


def is_late(group: list[Result]) -> bool:
    """Whether the median time of one scenario's rounds is over its bound."""
    bound_s, found = group[0].bound_s, median(each.observed.recovered_after_s for each in group)
    return bound_s is not None and found is not None and found > bound_s


def median(values: Iterable[float | None]) -> float | None:
    """Of those that are known; None when none is."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
