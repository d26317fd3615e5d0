"""A web application that watches and heals itself.

It searches a catalogue and remembers every search in a list. The longer the list, the slower the answers: that is its
illness. The embedded system sees the answer time rise, calls the remedy that the application registered, and looks at
the next answers to tell whether it helped.

    python docs/examples/embedded_web.py PORT STATE_FOLDER

then ask for /search?q=lamp until it is slow, and look at /autonomy.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from autonomyd import (
    AutonomousOperationSystem,
    Goal,
    GoalPriority,
    GoalType,
    HealingAction,
    Issue,
    IssueType,
    make_settings,
)
from autonomyd.model.wire import plain

SLOW_MS = 100.0
LOOKUP_S = 0.002
CATALOGUE = ("desk lamp", "floor lamp", "lamp shade", "tea pot", "tea cup")


class Shop:
    """The application itself. It knows nothing of autonomyd."""

    def __init__(self) -> None:
        self.searches: list[str] = []

    async def search(self, words: str) -> list[str]:
        self.searches.append(words)
        await asyncio.sleep(LOOKUP_S * len(self.searches))  # stands for a scan that grows with what is remembered
        return [name for name in CATALOGUE if words in name]

    def forget_searches(self) -> int:
        count = len(self.searches)
        self.searches.clear()
        return count


def make_app(state_dir: str) -> Starlette:
    """The application with the system inside; `state_dir` is where the system remembers what it did."""
    shop = Shop()
    system = AutonomousOperationSystem(make_settings({"daemon": {"state_dir": state_dir}}))

    async def clear_cache(issue: Issue) -> HealingAction:
        """The remedy for slow answers. Whether it helped is not for it to say: new samples tell."""
        return HealingAction(description=f"forgot {shop.forget_searches()} searches")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        system.monitoring.thresholds["search_latency"] = SLOW_MS
        system.healing.healing_strategies[IssueType.HIGH_LATENCY] = clear_cache
        async with system:
            system.goals.add(
                Goal(
                    key="fast-search",  # the same goal at the next start, not a second one
                    description="Answer a search within 20 ms",
                    type=GoalType.PERFORMANCE,
                    priority=GoalPriority.HIGH,
                    target_metrics={"application/search_latency": 20.0},
                    actions=("forget old searches", "index the catalogue"),
                )
            )
            yield

    async def search(request: Request) -> Response:
        began = time.perf_counter()
        found = await shop.search(request.query_params.get("q", ""))
        took_ms = (time.perf_counter() - began) * 1000.0
        system.push("search_latency", took_ms, unit="ms")
        return JSONResponse({"found": found, "took_ms": round(took_ms, 1)})

    async def autonomy(request: Request) -> Response:
        status = await system.get_system_status()
        return JSONResponse(
            {
                "health": status["health"]["status"],
                "issues": [each.issue.summary for each in status.issues],
                "resolved_issues": status["healing"]["resolved_issues"],
                "last_fix": plain(status.healing.last),
                "goals": [goal.description for goal in status.goals.items],
            }
        )

    return Starlette(routes=[Route("/search", search), Route("/autonomy", autonomy)], lifespan=lifespan)


def main() -> None:
    port, state_dir = sys.argv[1:]
    uvicorn.run(make_app(state_dir), host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
