"""`/v1/check`: run all probes now."""

from typing import Any

from autonomyd.control.resource import Call, Route


async def check(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "probe": reading.probe,
            "subject": reading.subject,
            "state": reading.state,
            "message": reading.message,
            "duration_ms": reading.duration_s * 1000.0,
        }
        for reading in await call.system.check_now()
    ]


ROUTES = (
    Route(method="POST", path="/v1/check", handler=check, summary="Run every probe now and wait for the answers"),
)
