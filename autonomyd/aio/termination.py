"""Waiting for the signal that ends a program."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_signals() -> "Iterator[asyncio.Future[signal.Signals]]":
    """Hear SIGINT and SIGTERM from here on: the future holds the first that comes. At the end handlers are put back.

    Enter it before anything is started: a signal that nobody hears yet ends the program without any order."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[signal.Signals] = loop.create_future()

    def settle(number: signal.Signals) -> None:
        if not came.done():
            came.set_result(number)

    for number in ENDING:
        loop.add_signal_handler(number, settle, number)
    try:
        yield came
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
