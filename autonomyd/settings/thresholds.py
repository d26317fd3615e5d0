"""`[thresholds]`: which value of a metric is a problem, for how long, and when the problem is over."""

from functools import partial
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.settings.base import FromEnvironment, Table

CLEAR_POINTS = 5.0
"""A percentage clears this many points from where it entered, if nothing else is said."""
CLEAR_SHARE = 0.1
"""Every other metric clears this share of the entering level from it."""


class Threshold(Table):
    """A problem begins at `enter` and is over at `clear`; with `clear` above `enter`, low values are the bad ones."""

    written_as: ClassVar[str] = "number or table"

    enter: float
    """The level that is a problem, in the metric's unit."""
    clear: float
    """The level at which the problem is over; default: 5 points better than enter for percentages, else 10 % better."""
    for_s: Annotated[float, Field(ge=0)] = 0.0
    """The level must be held for this time, s."""
    consecutive: int = Field(default=3, ge=1, le=1000)
    """Samples in a row that must be at the level."""
    x_of_y: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1, le=1000)]] | None = None
    """[4, 5]: instead of samples in a row, 4 of the newest 5."""

    @property
    def low_is_bad(self) -> bool:
        """Whether values at or below `enter` are the problem."""
        return self.clear > self.enter

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        if isinstance(data, int | float | FromEnvironment) and not isinstance(data, bool):
            data = {"enter": data}
        if isinstance(data, dict) and "clear" not in data:
            enter = _number(data.get("enter")) or 0.0  # without a number the complaint is about `enter` alone
            data = data | {"clear": enter - CLEAR_SHARE * abs(enter)}
        return data

    @model_validator(mode="after")
    def _x_within_y(self) -> Self:
        if self.x_of_y is not None and self.x_of_y[0] > self.x_of_y[1]:
            raise PydanticCustomError("threshold_x_of_y", "x_of_y: the first number is at most the second: [4, 5]")
        if self.clear == self.enter:
            raise PydanticCustomError("threshold_clear", "clear must differ from enter, else it would flap")
        return self


def _number(value: Any) -> float | None:
    """`value` where it is a number or the text of one (from the environment), else None."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _default(enter: float, clear: float, **more: Any) -> Any:
    return Field(default_factory=partial(Threshold, enter=enter, clear=clear, **more))


class ThresholdSettings(Table):
    """When a metric is a problem. A plain number is the entering level: `cpu_percent = 70`; the rest stays as it is."""

    cpu_percent: Threshold = _default(80.0, 75.0, for_s=60.0)
    """CPU in use, all cores together, %. Busy for a moment is no problem."""
    load_per_core: Threshold = _default(2.0, 1.5, for_s=300.0)
    """Load average (1 min) divided by cores."""
    memory_percent: Threshold = _default(85.0, 80.0, for_s=60.0)
    """Memory in use that could not be freed, %."""
    swap_percent: Threshold = _default(80.0, 70.0, for_s=300.0)
    """Swap in use, %."""
    disk_percent: Threshold = _default(90.0, 85.0, for_s=10.0, consecutive=2)
    """Space in use of each disk, %."""
    inodes_percent: Threshold = _default(90.0, 85.0, for_s=10.0, consecutive=2)
    """Inodes in use of each disk, %."""
    error_rate_percent: Threshold = _default(5.0, 4.0, for_s=60.0)
    """Failed requests, %: judges a metric of this name that a program pushes. For checks see availability_percent."""
    latency_ms: Threshold = _default(1000.0, 900.0, for_s=30.0)
    """Answer time of a service's checks, ms; a check's own latency_ms goes first."""
    availability_percent: Threshold = _default(99.0, 99.5, for_s=60.0)
    """Share of time that a service is to work, %: the `objective` of every service that has none of its own, judged by
    how fast the rest is used up (detectors.burn_rate). Judges a pushed metric of this name too; low is bad."""
    custom: dict[str, Threshold] = Field(default_factory=dict)
    """Metrics that the embedding program pushes, by name: `custom = { queue_length = { enter = 100, clear = 80 } }`;
    with clear above enter low values are bad."""

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, data: Any) -> Any:
        """What is not said about a metric stays at that metric's default."""
        if not isinstance(data, dict):
            return data
        return {key: cls._complete(key, value) for key, value in data.items()}

    @classmethod
    def _complete(cls, key: str, value: Any) -> Any:
        if key not in cls.model_fields or key == "custom" or isinstance(value, Threshold | bool):
            return value
        given = value if isinstance(value, dict) else {"enter": value}
        default: Threshold = cls.model_fields[key].get_default(call_default_factory=True)
        filled = {"enter": default.enter, "for_s": default.for_s, "consecutive": default.consecutive} | given
        enter = _number(filled["enter"])
        if "clear" not in filled and enter is not None:
            filled["clear"] = _clear_for(key, enter, default) if enter != default.enter else default.clear
        return filled

    @field_validator("*", mode="after")
    @classmethod
    def _right_side(cls, value: Any, info: ValidationInfo) -> Any:
        key = info.field_name or ""
        problem = side_problem(key, value) if isinstance(value, Threshold) else ""
        if problem:
            raise PydanticCustomError("threshold_side", "{problem}", {"problem": problem})
        return value


def _clear_for(key: str, enter: float, default: Threshold) -> float:
    """The clear level that belongs to another `enter`: as far from it as it is by default, within 0 to 100 %."""
    if default.low_is_bad:
        return enter + (100.0 - enter) / 2.0
    if not key.endswith("_percent"):
        return enter * (1.0 - CLEAR_SHARE)
    return max(enter - CLEAR_POINTS, enter / 2.0)


def side_problem(key: str, threshold: Threshold) -> str:
    """What is wrong with the levels of the metric `key`, in words; empty when they are right."""
    if key.endswith("_percent") and not (0.0 <= threshold.enter <= 100.0 and 0.0 <= threshold.clear <= 100.0):
        return f"a percentage is between 0 and 100 (enter {threshold.enter:g}, clear {threshold.clear:g})"
    if threshold.low_is_bad is (key == "availability_percent"):
        return ""
    side = "above" if key == "availability_percent" else "below"
    return f"clear ({threshold.clear:g}) must be {side} enter ({threshold.enter:g})"
