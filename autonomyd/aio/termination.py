"""Waiting for the signal that ends a program."""

import asyncio
import signal

ENDING = (signal.SIGINT, signal.SIGTERM)


async def until_signal() -> signal.Signals:
    """Return the first SIGINT or SIGTERM that comes; handlers are put back."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[signal.Signals] = loop.create_future()

    def settle(number: signal.Signals) -> None:
        if not came.done():
            came.set_result(number)

    for number in ENDING:
        loop.add_signal_handler(number, settle, number)
    try:
        return await came
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)
