"""Who holds certain TCP ports, and the end of one process: for a service that can't have its port. For a thread."""

from dataclasses import dataclass

from autonomyd.host.controls.evidence import is_marked, session_of
from autonomyd.host.listeners import listening_services
from autonomyd.host.pidfd import identify
from autonomyd.host.process import ProcessIdentity
from autonomyd.host.signals import end_processes, named_signal

END_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that listens on a port; identity None when it may not be seen."""

    port: int
    name: str
    identity: ProcessIdentity | None
    session: int | None
    marked: bool


def holders_of(ports: frozenset[int], *, marker: str) -> tuple[Holder, ...]:
    """The processes that listen on any of `ports`; `marked`: started for the service of this marker."""
    return tuple(
        Holder(
            port=each.port,
            name=each.name or "an unknown process",
            identity=None if each.pid is None else identify(each.pid),
            session=None if each.pid is None else session_of(each.pid),
            marked=each.pid is not None and is_marked(each.pid, marker),
        )
        for each in listening_services(ports)
    )


async def end_one(identity: ProcessIdentity) -> str:
    """End exactly this process: SIGTERM, then SIGKILL; "" when it is gone, else why not. Raises PermissionError."""
    ended = await end_processes(
        lambda: frozenset({identity} if identity.is_alive else ()),
        main=identity,
        first=named_signal("TERM"),
        timeout_s=END_TIMEOUT_S,
        force=False,
    )
    return f"pid {identity.pid} is still there" if ended.left else ""
