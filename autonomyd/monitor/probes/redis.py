"""`type = "redis"`: PING and INFO of a Redis server (or Valkey, KeyDB) on a kept connection."""

import time
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, field_validator

from autonomyd.aio.clock import Clock
from autonomyd.host.databases.address import ServerAddress, server_address
from autonomyd.host.databases.redis import RedisConnection, RedisError, open_redis
from autonomyd.model.health import Severity
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import LATENCY, Bound, Look, ok
from autonomyd.monitor.probes.database import DatabaseOptions, DatabaseProbe
from autonomyd.settings.base import Percent
from autonomyd.settings.service import CheckSettings

SCHEMES = frozenset({"redis", "rediss"})
PORT = 6379
PROGRAMS = frozenset({"redis", "valkey", "keydb", "dragonfly"})
MB = 1_000_000
REFUSES_WRITES = "MISCONF"


def redis_address(url: str) -> ServerAddress:
    """Raises ValueError."""
    return server_address(url, schemes=SCHEMES, default_port=PORT)


class RedisOptions(DatabaseOptions):
    """PING and INFO of a Redis server. A refused connection, a refused login, silence, and a server that still loads
    its data are failures; the bounds below are issues of their own."""

    url: str = Field(max_length=2000)
    """redis://user:password@host:port/database; rediss:// for TLS, ?socket=/path for a Unix socket."""
    max_memory_percent: Percent = 95.0
    """Most of its maxmemory, where its policy is noeviction (then it refuses writes; caches are meant to be full)."""
    max_clients_percent: Percent = 90.0
    """Most clients of its maxclients."""
    persistence: bool = True
    """Whether it is an issue when it could not save its data. Nothing is restarted then: unsaved data would be lost."""
    verify: bool = True
    """Check the certificate of a rediss URL."""

    @field_validator("url")
    @classmethod
    def _readable(cls, value: str) -> str:
        redis_address(value)
        return value


class RedisProbe(DatabaseProbe[RedisConnection]):
    kind: ClassVar[str] = "redis"
    Options: ClassVar[type[CheckSettings]] = RedisOptions
    programs: ClassVar[frozenset[str]] = PROGRAMS
    hedged: ClassVar[bool] = True
    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="latency_ms", unit="ms"),
        MetricSpec(name="memory_mb", unit="MB"),
        MetricSpec(name="memory_percent", unit="%"),
        MetricSpec(name="clients"),
        MetricSpec(name="clients_percent", unit="%"),
        MetricSpec(name="unsaved"),
    )
    bounds: ClassVar[tuple[Bound, ...]] = (
        LATENCY,
        Bound(
            value="memory_percent",
            option="max_memory_percent",
            unit="%",
            words="{check} of {service} has used {value:.0f} % of its maxmemory, and refuses writes when it is full "
            "(policy noeviction)",
        ),
        Bound(
            value="clients_percent",
            option="max_clients_percent",
            unit="%",
            words="{check} of {service} has {value:.0f} % of the clients that it may have (maxclients)",
        ),
        Bound(
            value="unsaved",
            severity=Severity.CRITICAL,
            words="{check} of {service} could not save its data: look at its log and at the space on its disk, and do "
            "not restart it before it has saved",
        ),
    )

    def __init__(self, options: RedisOptions, clock: Clock) -> None:
        super().__init__(options, redis_address(options.url), RedisConnection.close)
        self._options = options

    async def _open(self) -> RedisConnection:
        options = self._options
        return await open_redis(self._address, timeout_s=options.timeout_s, verify=options.verify)

    async def _ask(self, connection: RedisConnection) -> Look:
        began = time.perf_counter()
        refuses = ""
        try:
            await connection.ask("PING")
        except RedisError as error:
            if error.code != REFUSES_WRITES:
                raise
            refuses = error.message
        values = {"latency_ms": (time.perf_counter() - began) * 1000.0}
        try:
            info = _fields(await connection.ask("INFO"))
        except RedisError as error:
            return self._told(
                values, refuses, f"; INFO is not allowed, so neither memory nor clients are known: {error}"
            )
        return self._told(values | self._values(info), refuses, "")

    def _told(self, values: Mapping[str, float], refuses: str, note: str) -> Look:
        unsaved = {"unsaved": 1.0} if refuses and self._options.persistence else {}
        words = f"answered in {values['latency_ms']:.1f} ms{note}"
        return ok({**values, **unsaved}, f"{words}; it refuses writes: {refuses}" if refuses else words)

    def _values(self, info: Mapping[str, str]) -> dict[str, float]:
        values: dict[str, float] = {}
        used, limit = _number(info, "used_memory"), _number(info, "maxmemory")
        clients, most = _number(info, "connected_clients"), _number(info, "maxclients")
        if used is not None:
            values["memory_mb"] = used / MB
            if limit and info.get("maxmemory_policy") == "noeviction":
                values["memory_percent"] = 100.0 * used / limit
        if clients is not None:
            values["clients"] = clients
            if most:
                values["clients_percent"] = 100.0 * clients / most
        if self._options.persistence and "rdb_last_bgsave_status" in info:
            values["unsaved"] = float(_unsaved(info))
        return values


def _unsaved(info: Mapping[str, str]) -> bool:
    wrote_log = info.get("aof_enabled") != "1" or (
        info.get("aof_last_write_status", "ok") == "ok" and info.get("aof_last_bgrewrite_status", "ok") == "ok"
    )
    return info["rdb_last_bgsave_status"] != "ok" or not wrote_log


def _fields(text: object) -> dict[str, str]:
    """The lines `name:value` of an answer to INFO."""
    lines = str(text).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def _number(info: Mapping[str, str], name: str) -> float | None:
    try:
        return float(info[name])
    except (KeyError, ValueError):
        return None
