"""The end of a service's processes, in order, with the errors that its control raises."""

import asyncio

from autonomyd.host.controls.family import family_of
from autonomyd.host.controls.protocol import ControlError, ErrorKind
from autonomyd.host.process import ProcessIdentity
from autonomyd.host.signals import Ended, end_processes, named_signal, why_not_gone
from autonomyd.settings.control import CommandControl, ProcessControl


async def end_family(
    name: str,
    settings: ProcessControl | CommandControl,
    main: ProcessIdentity | None,
    *,
    marker: str | None,
    force: bool,
) -> Ended:
    """End the main process and all that belongs to it; returns when they really exited. Raises ControlError."""
    family = await asyncio.to_thread(family_of, main, marker)
    try:
        ended = await end_processes(
            family.members,
            main=main,
            first=named_signal(settings.stop_signal),
            timeout_s=settings.stop_timeout_s,
            force=force,
        )
    except PermissionError as error:
        raise ControlError(f"no permission to signal {name}: {error}", ErrorKind.OPERATOR) from error
    if ended.left:
        raise ControlError("; ".join(why_not_gone(pid) for pid in ended.left), ErrorKind.TRANSIENT)
    return ended


def late_note(settings: ProcessControl | CommandControl, ended: Ended, *, force: bool) -> str:
    """Words for what did not obey in time; empty when all did, or nobody was asked."""
    if not ended.killed or force:
        return ""
    return f" ({len(ended.killed)} killed after {settings.stop_timeout_s:g} s)"
