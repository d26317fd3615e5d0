"""What belongs together among containers: the stack that a container was started with, what it says that it needs, and
the networks it is on. One question for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autonomyd.host.containers.api import EngineApi
from autonomyd.host.containers.inspected import rows, table, text

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NEEDS = "com.docker.compose.depends_on"
SHARED = frozenset({"bridge", "host", "none", "podman"})
"""Networks that everything is on by default: being there together says nothing."""
MOST = 1_000
"""Containers that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackMember:
    """A container. `project` and `service` are "" outside of a stack; `needs` are services of the same project."""

    id: str
    names: tuple[str, ...]
    project: str = ""
    service: str = ""
    needs: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    def is_named(self, name: str) -> bool:
        """Whether `name`, a name or an id, means this container."""
        return name in self.names or (len(name) >= 12 and self.id.startswith(name))


async def stack_members(api: EngineApi) -> tuple[StackMember, ...]:
    """All containers, running or not. Raises EngineFailure."""
    answer = await api.ask("GET", "/containers/json", query={"all": "1"})
    return tuple(member_of(each) for each in rows(answer)[:MOST])


def member_of(answer: Mapping[str, Any]) -> StackMember:
    """One row of /containers/json; what is not of the right type is taken for missing."""
    labels = table(answer.get("Labels"))
    names = answer.get("Names")
    networks = table(table(answer.get("NetworkSettings")).get("Networks"))
    needs = (each.partition(":")[0].strip() for each in text(labels.get(NEEDS)).split(","))
    return StackMember(
        id=text(answer.get("Id")),
        names=tuple(text(each).removeprefix("/") for each in names) if isinstance(names, list) else (),
        project=text(labels.get(PROJECT)),
        service=text(labels.get(SERVICE)),
        needs=tuple(filter(None, needs)),
        networks=tuple(name for name in map(str, networks) if name not in SHARED),
    )
