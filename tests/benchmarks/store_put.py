"""A put into the store on a real disk: an event as the daemon writes it, and a durable one as a fix journals it."""

import asyncio
import statistics
import time
from pathlib import Path

import running
from figure import Figure, Options

from autonomyd.aio.clock import SystemClock
from autonomyd.knowledge.events import Events
from autonomyd.knowledge.store import Store
from autonomyd.knowledge.write import Write


def measure(options: Options) -> list[Figure]:
    with running.scratch() as scratch:
        plain, durable = asyncio.run(_measure(scratch.folder, int(options.pick(2000, 500))))
    return [
        Figure(what="store put", value=1e6 * plain, unit="us", bound=2000.0, note="acknowledged: survives kill -9"),
        Figure(what="store put, durable", value=1e3 * durable, unit="ms", bound=200.0, note="survives a power cut"),
    ]


async def _measure(folder: Path, rounds: int) -> tuple[float, float]:
    clock = SystemClock()
    store = await Store.open(str(folder / "state.db"), clock=clock)
    try:
        events = Events(store)
        await events.add()
        plain = []
        params = {"at": 1.0, "kind": "measured", "subject": "host", "message": "m" * 60, "actor": "benchmark"}
        for _ in range(rounds):
            began = time.perf_counter()
            await store.put(Write(query="put_event", params=params))
            plain.append(time.perf_counter() - began)
        durable = []
        for _ in range(max(20, rounds // 20)):
            began = time.perf_counter()
            await store.put(Write(query="put_event", params=params), durable=True)
            durable.append(time.perf_counter() - began)
    finally:
        await store.close()
    return statistics.median(plain), statistics.median(durable)
