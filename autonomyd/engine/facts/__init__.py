"""What a decision may rest on beyond the service itself, one file a fact: each reader fills one field of the Situation.

A reader is asked only for issues that it `wants`, and is bounded in time; one that fails leaves its field empty and its
reason in `Situation.unread`, so that no strategy which rests on it acts."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import structlog

from autonomyd.engine.managed import ManagedService
from autonomyd.model.issue import Issue

READ_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)


class FactReader(Protocol):
    """Reads one fact. `field` is the name of the Situation's field that it fills."""

    field: str

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        """Whether this issue could be explained or healed by the fact."""

    async def read(self, issue: Issue, service: ManagedService | None) -> Any:
        """The value of the field. Whatever it raises makes the fact unread."""


async def gathered(
    readers: tuple[FactReader, ...], issue: Issue, service: ManagedService | None
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """(field to value, field to why it could not be read), all readers side by side."""
    wanted = [reader for reader in readers if reader.wants(issue, service)]
    answers = await asyncio.gather(*(_bounded(reader, issue, service) for reader in wanted))
    values: dict[str, Any] = {}
    unread: dict[str, str] = {}
    for reader, (value, why) in zip(wanted, answers, strict=True):
        if why:
            unread[reader.field] = why
        else:
            values[reader.field] = value
    return MappingProxyType(values), MappingProxyType(unread)


async def _bounded(reader: FactReader, issue: Issue, service: ManagedService | None) -> tuple[Any, str]:
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return await reader.read(issue, service), ""
    except TimeoutError:
        return None, f"it could not be read within {READ_TIMEOUT_S:g} s"
    except Exception as error:
        log.warning("fact_unread", fact=reader.field, issue=issue.id, reason=f"{type(error).__name__}: {error}")
        return None, f"{type(error).__name__}: {error}"
