"""What a probe says: one Reading per look at one subject, with the samples it took."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from autonomyd.model.subject import Subject

NO_VALUES: Mapping[str, float] = MappingProxyType({})


class ReadingState(StrEnum):
    """`unknown` is not a mild `failed`: nothing was learned, so nothing may follow from it."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSpec:
    """A metric that a probe can report. `unit` is shown to people: "%", "MB", "s", "ms", "1/s", "" (a count)."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one metric of one subject. `at` is monotonic seconds."""

    subject: Subject
    metric: str
    value: float
    unit: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The result of one look. `at` is monotonic seconds, `values` maps metric name to value,
    `message` says in words what was seen (always set when the state is not `ok`)."""

    probe: str
    subject: Subject
    state: ReadingState
    at: float
    values: Mapping[str, float] = field(default_factory=lambda: NO_VALUES)
    message: str = ""
    duration_s: float = 0.0

    def samples(self, units: Mapping[str, str]) -> Iterator[Sample]:
        """The values as Samples; `units` maps metric name to unit."""
        for metric, value in self.values.items():
            yield Sample(subject=self.subject, metric=metric, value=value, unit=units.get(metric, ""), at=self.at)
