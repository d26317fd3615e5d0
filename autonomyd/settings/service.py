"""`[services.NAME]`: a thing the user cares for."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from autonomyd.model.plan import Autonomy
from autonomyd.settings.base import Percent, Seconds, Table
from autonomyd.settings.control import Control
from autonomyd.settings.fallback import FallbackSettings
from autonomyd.settings.maintenance import WindowSettings
from autonomyd.settings.release import ReleaseSettings
from autonomyd.settings.rotate import RotateSettings
from autonomyd.settings.tune import TuneSettings


class CheckSettings(Table):
    """These keys, and those of its type."""

    # Each probe's file adds its own keys by a subclass.

    type: str
    """Which check: one of the types below."""
    name: str | None = None
    """Name in status and issues; default: the type, numbered when it occurs twice."""
    timeout_s: Seconds = 5.0
    """A look that takes longer gives up: failed where silence proves a fault (http, tcp), else unknown."""
    every_s: Seconds | None = None
    """Interval; default: intervals.monitoring_s."""
    failures: int = Field(default=2, ge=1, le=1000)
    """Failures in a row before it counts."""


class Limits(Table):
    """Bounds on the process tree of a service, exceeded for `for_s` seconds."""

    rss_mb: Annotated[float, Field(gt=0)] | None = None
    """Resident memory, MB."""
    cpu_percent: Annotated[float, Field(gt=0)] | None = None
    """CPU in percent of one core."""
    fds: Annotated[int, Field(gt=0)] | None = None
    """Open file descriptors of the main process."""
    children: Annotated[int, Field(gt=0)] | None = None
    """Child processes, at all depths."""
    threads: Annotated[int, Field(gt=0)] | None = None
    """Threads."""
    zombies: Annotated[int, Field(gt=0)] | None = None
    """Dead children that it does not collect."""
    for_s: Annotated[float, Field(ge=0)] = 30.0
    """How long a bound must be exceeded."""
    clear_percent: Percent = 90.0
    """The issue clears below this share of the bound."""


class RestartLimit(Table):
    """At most `max` restarts within `within_s`; then the service is parked and a person is told."""

    max: int = Field(default=5, ge=1, le=1000)
    """Restarts."""
    within_s: Seconds = 300.0
    """Time span."""


def check_names(checks: Sequence[CheckSettings]) -> tuple[str, ...]:
    """One name for each check, in order: its own, or else its type, numbered (http, http-2) where that is taken."""
    taken = {check.name for check in checks if check.name is not None}
    names: list[str] = []
    for check in checks:
        name, number = check.name or check.type, 1
        while check.name is None and name in taken:
            number += 1
            name = f"{check.type}-{number}"
        taken.add(name)
        names.append(name)
    return tuple(names)


def checks_by_name(checks: Sequence[CheckSettings]) -> dict[str, CheckSettings]:
    """The checks of a service by the names that status and issues show."""
    return dict(zip(check_names(checks), checks, strict=True))


def _check_by_type(value: Any, info: ValidationInfo) -> Any:
    """Validate one check by its own probe's options; the kinds come in through the validation context.

    pydantic keeps the locations of the nested errors, so that they name services.web.checks[1].timeout_s."""
    if isinstance(value, CheckSettings):
        return value
    kinds: Mapping[str, type[CheckSettings]] = (info.context or {}).get("checks", {})
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "a check is a table")
    if "type" not in value:
        raise _about_type("missing", value)
    kind = value["type"]
    if not isinstance(kind, str) or kind not in kinds:
        raise _about_type(
            PydanticCustomError("unknown_kind", "unknown check type", {"expected": ", ".join(sorted(kinds))}), kind
        )
    return kinds[kind].model_validate(value, context=info.context)


def _about_type(problem: str | PydanticCustomError, value: Any) -> ValidationError:
    details = InitErrorDetails(type=problem, loc=("type",), input=value)
    return ValidationError.from_exception_data("check", [details])


Check = Annotated[SerializeAsAny[CheckSettings], BeforeValidator(_check_by_type)]


class ServiceSettings(Table):
    """One thing that you care for: how to run it, how to tell that it works, what it needs."""

    control: Control
    """How it is started and stopped."""
    autonomy: Autonomy = Autonomy.ACT
    """How much the daemon may do: look only; say what it would do; ask first; act."""
    depends_on: tuple[str, ...] = ()
    """Services that must be up first; they are healed first, and stop last."""
    logs: tuple[str, ...] = ()
    """Log files, shown by `autonomyctl logs NAME`."""
    config_files: tuple[str, ...] = ()
    """Files that configure it."""
    start_grace_s: Annotated[float, Field(ge=0)] = 8.0
    """Checks do not count while it starts; it is up as soon as they pass."""
    checks: tuple[Check, ...] = ()
    """What tells that it works."""
    limits: Limits = Field(default_factory=Limits)
    """Bounds on its processes."""
    restart: RestartLimit = Field(default_factory=RestartLimit)
    """How many restarts are too many."""
    release: ReleaseSettings | None = None
    """The symbolic link that names the release in use."""
    fallback: FallbackSettings | None = None
    """What runs instead when nothing else helps."""
    tune: tuple[TuneSettings, ...] = ()
    """Numbers that may be changed to heal it."""
    rotate: RotateSettings | None = None
    """Consent to rotate its `logs`."""
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """Ports that it listens on; default: those of its checks that ask this machine."""
    may_end: tuple[str, ...] = ()
    """Programs (by name) that may be ended when they hold its port."""
    maintenance: tuple[WindowSettings, ...] = ()
    """Spans of time in which it is not healed."""
    objective: Annotated[float, Field(gt=0, lt=100)] | None = None
    """Share of time that it is to work, %; default: the level of thresholds.availability_percent."""
    verify_s: Seconds | None = None
    """Longest time in which new samples must show that a fix helped; default: healing.verify_s."""
    check_every_s: Seconds | None = None
    """Interval of the process metrics and limits; default: the shortest interval of its checks."""
