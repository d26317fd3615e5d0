"""A pytest plugin: the asynchronous tests on uvloop and in real time, the loop that the daemon runs on where it is
installed. Tests in virtual time keep asyncio's loop, the only one whose clock can be replaced."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("looptime") is not None:
        return {"asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}
