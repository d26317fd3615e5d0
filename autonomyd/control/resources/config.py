"""`/v1/config` and `/v1/reload`."""

from collections.abc import Mapping
from typing import Any

from autonomyd.control.resource import Call, Route


async def config(call: Call) -> Mapping[str, Any]:
    return call.hooks.config()


async def reload(call: Call) -> Mapping[str, Any]:
    return await call.hooks.reload()


ROUTES = (
    Route(method="GET", path="/v1/config", handler=config, summary="The configuration in force, secrets masked"),
    Route(
        method="POST", path="/v1/reload", handler=reload, summary="Read the configuration again; a bad one is refused"
    ),
)
