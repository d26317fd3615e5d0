"""`tune = [...]`: numbers of a service that may be changed, within bounds, to heal it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.settings.base import Table

TuneCause = Literal["rate_limited", "process_overloaded", "slow_dependency", "memory_leak", "errors_in_log"]


class NumberSettings(Table):
    """One number: where it stands, its bounds, by how much it is changed at once."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    """Its name in plans and reports."""
    file: str = Field(pattern=r"^/")
    """Absolute path of the file that holds it."""
    format: Literal["toml", "yaml", "json", "ini", "env", "source"]
    """How the file is written. `source`: program text, found by `pattern`."""
    key: str | None = None
    """Dotted path of the number (`client.delay`; in INI files `section.key`)."""
    pattern: str | None = None
    """For `source`: regular expression that matches exactly once, with one group around the number."""
    floor: float
    """Never less than this."""
    ceiling: float
    """Never more than this."""
    factor: Annotated[float, Field(gt=0, le=10)] = 1.5
    """One step multiplies by this (over 1: more; under 1: less)."""

    @model_validator(mode="after")
    def _found_by_one_way(self) -> Self:
        wanted, other = ("pattern", "key") if self.format == "source" else ("key", "pattern")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise PydanticCustomError("tune_place", "format {format} needs {wanted} and no {other}", {
                "format": self.format, "wanted": wanted, "other": other,
            })  # fmt: skip
        if self.floor >= self.ceiling:
            raise PydanticCustomError("tune_bounds", "floor must be less than ceiling")
        if self.factor == 1:
            raise PydanticCustomError("tune_factor", "a factor of 1 changes nothing")
        return self


class TuneSettings(NumberSettings):
    """One number: where it stands, its bounds, by how much it is changed at once, and against what."""

    helps: Annotated[tuple[TuneCause, ...], Field(min_length=1)]
    """The causes against which it is changed."""
