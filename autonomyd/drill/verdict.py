"""What a scenario is and what comes out of it. Values only."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from autonomyd.drill.services import ServiceSpec

if TYPE_CHECKING:
    from autonomyd.drill.stage import Stage


class Kind(StrEnum):
    """A fault must be healed; in a control nothing is wrong, and nothing may be done."""

    FAULT = "fault"
    CONTROL = "control"


class Phase(StrEnum):
    """`alone`: one after another, for exact times. `together`: side by side. `last`: when all others are through."""

    ALONE = "alone"
    TOGETHER = "together"
    LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a scenario saw from outside. Seconds are since its act; None: it never came, or there is nothing to wait
    for. `problems` say in words what was not as it must be; `false_acts` counts starts and other acts that nobody
    needed."""

    detected_after_s: float | None = None
    recovered_after_s: float | None = None
    problems: tuple[str, ...] = ()
    false_acts: int = 0
    note: str = ""


Play = Callable[["Stage"], Observed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`allowed_starts` are the starts of its services, by name, that its act gives reason for; any more is a false
    act. `cleanup` are tables of the configuration, made of the scratch folder's path."""

    name: str
    kind: Kind
    phase: Phase
    what: str
    services: tuple[ServiceSpec, ...]
    play: Play
    allowed_starts: tuple[tuple[str, int], ...] = ()
    cleanup: Callable[[str], str] = lambda scratch: ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A scenario's row of the table. `collateral` names bystanders that were restarted or down meanwhile."""

    name: str
    kind: Kind
    what: str
    observed: Observed
    collateral: tuple[str, ...] = ()
    took_s: float = 0.0

    @property
    def good(self) -> bool:
        return not self.observed.problems and not self.collateral and not self.observed.false_acts

    @property
    def recovered(self) -> bool:
        return self.kind is Kind.FAULT and self.observed.recovered_after_s is not None and not self.observed.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The last line: MTTD and MTTR are the median seconds until detection and until recovery."""

    faults: int
    recovered: int
    controls: int
    false_acts: int
    mttd_s: float | None
    mttr_s: float | None
    good: bool


def score(results: tuple[Result, ...]) -> Score:
    """The score of all rows; of no rows it is not good."""
    faults = [each for each in results if each.kind is Kind.FAULT]
    return Score(
        faults=len(faults),
        recovered=sum(each.recovered for each in faults),
        controls=len(results) - len(faults),
        false_acts=sum(each.observed.false_acts for each in results),
        mttd_s=_median([each.observed.detected_after_s for each in faults]),
        mttr_s=_median([each.observed.recovered_after_s for each in faults]),
        good=bool(results) and all(each.good for each in results),
    )


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
