"""What is closed at the end of every integration test."""

from collections.abc import AsyncIterator

import pytest

from tests.boxes.opened import MADE


@pytest.fixture(autouse=True)
async def _closed_probes() -> AsyncIterator[None]:
    """A connection that is still open when its loop is closed holds uvloop up for ever."""
    yield
    for probe in MADE:
        probe.close()
    MADE.clear()
