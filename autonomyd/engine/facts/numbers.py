"""The numbers of a service that may be tuned, as they stand in their files, and where the next step would take them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.host.config_files import real_path, stamp_of, steady_content
from autonomyd.host.editing.change import read_number
from autonomyd.host.editing.place import SIGNIFICANT_DIGITS, EditRefused
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import NumberFacts
from autonomyd.model.issue import Issue
from autonomyd.settings.service import ServiceSettings
from autonomyd.settings.tune import NumberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedNumber:
    """One declared number. `name` is unique within the service."""

    name: str
    settings: NumberSettings
    helps: frozenset[Cause]


NumbersOf = Callable[[str, ServiceSettings], tuple[TunedNumber, ...]]
"""A service (name, settings) to the numbers that may be changed to heal it."""


def declared(name: str, settings: ServiceSettings) -> tuple[TunedNumber, ...]:
    """Those of the service's own `tune`."""
    return tuple(
        TunedNumber(name=each.name, settings=each, helps=frozenset(Cause(word) for word in each.helps))
        for each in settings.tune
    )


class NumbersReader:
    """Fills `Situation.numbers`."""

    field = "numbers"

    def __init__(self, numbers_of: NumbersOf = declared) -> None:
        self._numbers_of = numbers_of

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and bool(self._numbers_of(service.name, service.settings))

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[NumberFacts, ...]:
        """Raises EditRefused for a number that is not there exactly once, OSError for a file that can't be read."""
        assert service is not None
        wanted = self._numbers_of(service.name, service.settings)
        return await in_thread(lambda: tuple(_read(each) for each in wanted))


def next_value(value: float, settings: NumberSettings, *, whole: bool) -> float | None:
    """One bounded step on from `value`; None where it can't go on in the declared direction."""
    up = settings.factor > 1
    floor, ceiling, wanted = settings.floor, settings.ceiling, value * settings.factor
    if whole:
        floor, ceiling = math.ceil(floor), math.floor(ceiling)
        wanted = math.ceil(wanted) if up else math.floor(wanted)
    else:
        wanted = float(f"{wanted:.{SIGNIFICANT_DIGITS}g}")
    bounded = float(min(max(wanted, floor), ceiling))
    return bounded if (bounded > value if up else bounded < value) else None


def _read(number: TunedNumber) -> NumberFacts:
    """For a thread."""
    settings = number.settings
    key = settings.key if settings.key is not None else settings.pattern
    assert key is not None
    stamp = stamp_of(settings.file)
    if stamp is None:
        raise FileNotFoundError(f"{number.name}: {settings.file} is not there")
    try:
        value, whole = read_number(
            steady_content(settings.file, stamp), path=settings.file, kind=settings.format, key=key
        )
    except EditRefused as refused:
        raise EditRefused(f"{number.name}: {settings.file}: {refused}") from None
    return NumberFacts(
        name=number.name,
        path=real_path(settings.file),
        format=settings.format,
        key=key,
        value=value,
        toward=next_value(value, settings, whole=whole),
        floor=settings.floor,
        ceiling=settings.ceiling,
        helps=number.helps,
    )
