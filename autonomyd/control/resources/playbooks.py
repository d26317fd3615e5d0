"""`/v1/playbooks`: what healing chooses from."""

from autonomyd.control.resource import Call, Route
from autonomyd.model.playbook import PlaybookList


async def playbooks(call: Call) -> PlaybookList:
    return call.system.parts.shelf.listed()


ROUTES = (
    Route(
        method="GET",
        path="/v1/playbooks",
        handler=playbooks,
        summary="Every strategy with its causes, and the files that were refused",
        answer=PlaybookList,
    ),
)
