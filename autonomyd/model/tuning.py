"""What recorded history says about the thresholds: proposals, never more."""

from dataclasses import dataclass
from enum import StrEnum


class AdviceState(StrEnum):
    """`change`: another level fits better; `fits`: it is well as it is; `waits`: there is not enough history."""

    CHANGE = "change"
    FITS = "fits"
    WAITS = "waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The threshold `name` over all `series` that it judges, in their `unit`. `usual` and `rare` are the median and the
    level that only a two-hundredth of ordinary time is beyond, of the series that comes nearest. Alarms are what the
    levels would have raised in 30 days of ordinary time. `why` in words; without history only the levels in force are
    known."""

    name: str
    state: AdviceState
    enter: float
    clear: float
    why: str
    unit: str = ""
    series: tuple[str, ...] = ()
    new_enter: float | None = None
    new_clear: float | None = None
    usual: float | None = None
    rare: float | None = None
    alarms: float | None = None
    new_alarms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningReport:
    """Advice on every threshold that judges a recorded series. `diff` is what a person would change in `file`, unified;
    "" when nothing, or when `problem` says why the file can't be shown changed. Nothing is written."""

    at: float
    file: str
    advice: tuple[Advice, ...]
    diff: str = ""
    problem: str = ""
    unreached: int = 0
