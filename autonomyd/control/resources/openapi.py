"""`/v1/openapi.json`: generated from the routes and the model, when somebody asks."""

from typing import Any

from autonomyd.control.resource import Call, Route


async def openapi(call: Call) -> dict[str, Any]:
    # pydantic's schema machinery is only loaded for this one answer
    from autonomyd.control.openapi import document
    from autonomyd.control.resources import ROUTES as ALL

    return document(ALL)


ROUTES = (Route(method="GET", path="/v1/openapi.json", handler=openapi, summary="This description"),)
