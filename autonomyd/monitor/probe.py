"""What a probe is. It looks; the sampler stamps time, subject and name, keeps the deadline, catches what it raises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from autonomyd.aio.clock import Clock
from autonomyd.aio.dependency import Dependencies
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.model.health import Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.reading import NO_VALUES, MetricSpec, ReadingState
from autonomyd.model.subject import Subject
from autonomyd.settings.service import CheckSettings, ServiceSettings

if TYPE_CHECKING:
    from autonomyd.model.log_rules import LogRules
    from autonomyd.monitor.log_reader import LogReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look saw. `subject` is set by a probe that looks at several."""

    state: ReadingState = ReadingState.OK
    values: Mapping[str, float] = field(default_factory=lambda: NO_VALUES)
    message: str = ""
    subject: Subject | None = None


def ok(values: Mapping[str, float] = NO_VALUES, message: str = "") -> Look:
    return Look(values=values, message=message)


def failed(message: str, values: Mapping[str, float] = NO_VALUES) -> Look:
    return Look(state=ReadingState.FAILED, message=message, values=values)


def unknown(message: str) -> Look:
    return Look(state=ReadingState.UNKNOWN, message=message)


@runtime_checkable
class QuickProbe(Protocol):
    """A look that can't block (an in-memory or /proc read): it runs between two turns of the event loop."""

    metrics: ClassVar[tuple[MetricSpec, ...]]

    def look_now(self) -> Look | tuple[Look, ...]:
        """Look. Whatever it raises becomes `unknown`."""


@runtime_checkable
class SometimesQuick(Protocol):
    """A probe whose look can't block with these options on this machine, and can with others."""

    def quick(self) -> QuickProbe | None:
        """The look that can't block, None where it may."""


@runtime_checkable
class Probe(Protocol):
    """A look that waits for something. It is cancelled at its deadline."""

    metrics: ClassVar[tuple[MetricSpec, ...]]

    async def look(self) -> Look | tuple[Look, ...]:
        """Look. Whatever it raises becomes `unknown`."""


def quick_of(probe: Probe | QuickProbe) -> QuickProbe | None:
    """The quick look that `probe` has, else None. Ask once a probe: the check of a protocol costs more than many a
    look."""
    if isinstance(probe, SometimesQuick):
        return probe.quick()
    return probe if isinstance(probe, QuickProbe) else None


class CheckProbe(Probe, Protocol):
    """A probe that a service's `checks` can name: `kind` is the `type` in the configuration, `Options` its keys.

    It may also say of itself (all False where it says nothing): `cheap`, it costs little enough to look a few times a
    second for a while; `hedged`, a look that hangs is worth a second one beside it; `timed`, what fails has lasted
    already, so that one look tells; `recalls`, it goes on failing for a while after what it saw once."""

    kind: ClassVar[str]
    Options: ClassVar[type[CheckSettings]]
    asks: ClassVar[bool]
    """Whether it asks the process for work, so that a process that stays idle meanwhile looks hung."""
    about_service: ClassVar[bool]
    """Whether its failing tells that the service does not work, and not only how a thing around it looks."""

    def __init__(self, options: Any, clock: Clock) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A value of a check that is an issue of its own above the bound in its option (without one: `level`): what is
    watched works, and is in trouble. `words` are the issue's summary: "{service} answers slowly: {check} takes
    {value:.0f} ms"."""

    value: str
    words: str
    option: str | None = None
    level: float = 0.0
    unit: str = ""
    type: IssueType = IssueType.DATABASE_OVERLOAD
    severity: Severity = Severity.WARNING
    consecutive: int = 3


LATENCY = Bound(
    value="latency_ms",
    option="latency_ms",
    words="{service} answers slowly: {check} takes {value:.0f} ms",
    unit="ms",
    type=IssueType.HIGH_LATENCY,
)


class LogDesk(Protocol):
    """Remembers where the reading of each log has stopped, and learns from what is read."""

    @property
    def rules(self) -> "LogRules":
        """The rules that ship and a person's own, as they are in force now."""

    def enter(self, reader: "LogReader", service: str) -> None:
        """A log of `service` is read from now on: give the reader its place, and listen to it."""

    def leave(self, reader: "LogReader") -> None:
        """It is read no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where a check stands: the service that it belongs to, and what it may ask outside."""

    service: str
    settings: ServiceSettings
    dependencies: Dependencies
    containers: ContainerEngines | None = None
    logs: LogDesk | None = None


@runtime_checkable
class Placed(Protocol):
    """A check that wants to know where it stands, and lets go of what it holds at its end."""

    def place(self, around: Surroundings) -> None:
        """Called once, before the first look."""

    def close(self) -> None:
        """Called once, after the last look; must not wait."""
