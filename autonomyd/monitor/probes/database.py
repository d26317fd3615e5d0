"""What the checks of database servers share: the kept connection, the circuit breaker, whose server it is."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Annotated, ClassVar, Generic, Protocol, TypeVar

from pydantic import Field

from autonomyd.aio.dependency import Dependency
from autonomyd.host.databases.address import ServerAddress
from autonomyd.host.databases.failure import DatabaseFailure
from autonomyd.host.databases.kept import Kept
from autonomyd.host.databases.session import Holder
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import LATENCY, Bound, Look, Surroundings, failed, unknown
from autonomyd.settings.base import Percent, Seconds
from autonomyd.settings.service import CheckSettings, ServiceSettings

C = TypeVar("C")

HOLDING = "holding_age_s"
"""The value and the issue's metric: for how long a session has held others up."""


class DatabaseOptions(CheckSettings):
    """What the checks of all database servers take."""

    latency_ms: Annotated[float, Field(gt=0)] = 1000.0
    """A slower answer is an issue of its own (high latency), not a failure."""
    dependency: bool | None = None
    """Whether this is a server that the service needs (then the service is not restarted for it), or the service
    itself; default: the service itself when its `ports`, its name or its control name the server."""


class SqlOptions(DatabaseOptions):
    """What the checks of SQL servers take."""

    query: str = Field(default="SELECT 1", min_length=1, max_length=10_000)
    """What is asked; an error is a failure, the answer itself is not looked at."""
    max_connections_percent: Percent = 90.0
    """Most connections of its max_connections."""
    max_lock_waits: Annotated[int, Field(ge=0)] | None = None
    """Most sessions that wait for a lock of another."""
    long_transaction_s: Seconds | None = None
    """Longest time for which a transaction may be open."""
    idle_in_transaction_s: Seconds | None = None
    """Longest time for which a session may do nothing within a transaction."""
    replication_lag_s: Seconds | None = None
    """Most that a replica may be behind."""
    terminate_after_s: Seconds | None = None
    """Consent: sessions that have held others up for longer (idle in a transaction, or by a transaction that old)
    may be ended. What they had not committed is lost."""


class Activity(Protocol):
    """What every SQL server tells of itself; None is not known."""

    @property
    def connections(self) -> int: ...

    @property
    def max_connections(self) -> int: ...

    @property
    def lock_waits(self) -> int: ...

    @property
    def transaction_s(self) -> float | None: ...

    @property
    def idle_in_transaction_s(self) -> float | None: ...

    @property
    def replication_lag_s(self) -> float | None: ...


SQL_METRICS = (
    MetricSpec(name="latency_ms", unit="ms"),
    MetricSpec(name="connections"),
    MetricSpec(name="connections_percent", unit="%"),
    MetricSpec(name="lock_waits"),
    MetricSpec(name="transaction_age_s", unit="s"),
    MetricSpec(name="idle_in_transaction_age_s", unit="s"),
    MetricSpec(name="replication_lag_s", unit="s"),
    MetricSpec(name=HOLDING, unit="s"),
)
SQL_BOUNDS = (
    LATENCY,
    Bound(
        value="connections_percent",
        option="max_connections_percent",
        unit="%",
        words="{check} of {service} has {value:.0f} % of the connections that it may have (max_connections)",
    ),
    Bound(
        value="lock_waits",
        option="max_lock_waits",
        words="{check} of {service} lets {value:.0f} sessions wait for locks of others",
    ),
    Bound(
        value="transaction_age_s",
        option="long_transaction_s",
        unit="s",
        words="{check} of {service} has a transaction that is {value:.0f} s old",
    ),
    Bound(
        value="idle_in_transaction_age_s",
        option="idle_in_transaction_s",
        unit="s",
        words="{check} of {service} has a session that has done nothing in its transaction for {value:.0f} s",
    ),
    Bound(
        value="replication_lag_s",
        option="replication_lag_s",
        unit="s",
        words="{check} of {service} is {value:.0f} s behind",
    ),
    Bound(
        value=HOLDING,
        option="terminate_after_s",
        unit="s",
        words="{check} of {service} has a session that has been holding others up for {value:.0f} s",
        consecutive=1,
    ),
)


def sql_values(latency_ms: float, seen: Activity, holders: tuple[Holder, ...] | None) -> dict[str, float]:
    """The values of a look; what is not known is not among them."""
    holding_s = None if holders is None else max((holder.age_s for holder in holders), default=0.0)
    values = {
        "latency_ms": latency_ms,
        "connections": float(seen.connections),
        "connections_percent": 100.0 * seen.connections / seen.max_connections if seen.max_connections else None,
        "lock_waits": float(seen.lock_waits),
        "transaction_age_s": seen.transaction_s,
        "idle_in_transaction_age_s": seen.idle_in_transaction_s,
        "replication_lag_s": seen.replication_lag_s,
        HOLDING: holding_s,
    }
    return {name: value for name, value in values.items() if value is not None}


def blames(error: Exception) -> bool | None:
    """What a failure says about the server, for its circuit breaker."""
    if isinstance(error, DatabaseFailure):
        return None if error.ours else not error.answered
    return True


class DatabaseProbe(ABC, Generic[C]):
    """One server, asked on a kept connection. The looks themselves are not held back by an open breaker: they are the
    trial that closes it, and an echo of the breaker would be no observation."""

    asks: ClassVar[bool] = True
    cheap: ClassVar[bool] = True
    about_service: ClassVar[bool] = True
    programs: ClassVar[frozenset[str]]
    """What its server's program, unit or container is called."""

    def __init__(self, options: DatabaseOptions, address: ServerAddress, shut: Callable[[C], None]) -> None:
        self._timeout_s = options.timeout_s
        self._family = options.type
        self._wanted = options.dependency
        self._address = address
        self._kept = Kept(self._open, shut)
        self._outside: Dependency | None = None
        self.dependency = bool(options.dependency)

    def place(self, around: Surroundings) -> None:
        self._outside = around.dependencies.of(self._family, self._address.shown)
        if self._wanted is None:
            self.dependency = not is_own(self._address, self.programs, around.service, around.settings)

    def close(self) -> None:
        self._kept.close()

    async def look(self) -> Look:
        try:
            if self._outside is None:
                async with asyncio.timeout(self._timeout_s):
                    return await self._kept.use(self._ask)
            return await self._outside.call(
                lambda: self._kept.use(self._ask), timeout_s=self._timeout_s, trial=True, blames=blames
            )
        except TimeoutError:
            return failed(f"{self._address.shown}: no answer within {self._timeout_s:g} s")
        except DatabaseFailure as failure:
            return unknown(failure.message) if failure.ours else failed(f"{self._address.shown}: {failure.message}")

    @abstractmethod
    async def _open(self) -> C:
        """A new connection. Raises DatabaseFailure."""

    @abstractmethod
    async def _ask(self, connection: C) -> Look:
        """What the server answers on it. Raises DatabaseFailure."""


def is_own(address: ServerAddress, programs: frozenset[str], name: str, settings: ServiceSettings) -> bool:
    """Whether the server at `address` is the service itself: the service declares the port, or is called like the
    server, or its control runs the program. When nothing tells it is held for a dependency: a server that is not
    restarted wrongly can still be restarted by a person. Arguments do not count: `web --redis HOST` is no Redis."""
    if not address.here:
        return False
    if settings.ports:
        return address.port in settings.ports
    words = re.split(r"[^a-z0-9]+", " ".join((name, *_called(settings))).lower())
    return not programs.isdisjoint(words)


def _called(settings: ServiceSettings) -> Iterator[str]:
    """What the service's control calls it: its program, unit, container or job."""
    control = settings.control
    for key in ("unit", "name", "label"):
        if isinstance(value := getattr(control, key, None), str):
            yield value
    for key in ("command", "start"):
        if argv := getattr(control, key, None):
            yield PurePath(argv[0]).name
