"""Database probes that tests make: each is closed before its loop is, by the fixture in tests/integration."""

from typing import Any, TypeVar

from autonomyd.monitor.probes.database import DatabaseProbe

P = TypeVar("P", bound=DatabaseProbe[Any])
MADE: list[DatabaseProbe[Any]] = []


def closed_later(probe: P) -> P:
    """The same probe, to be closed at the end of the test."""
    MADE.append(probe)
    return probe
