"""Which processes belong to a service, so that they end with it. Reads /proc: call it in a thread."""

from dataclasses import dataclass

from autonomyd.host.controls.evidence import group_of, is_marked, marked_processes, session_of
from autonomyd.host.pidfd import identify
from autonomyd.host.process import ProcessIdentity, all_pids


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A service's processes: what carries its marker, and what shares the main process's session or group.

    `session` and `group` are set only where the main process leads them, so that the terminal of a person who started
    a service by hand never counts. Kept from before the main process ended: afterwards it cannot be asked."""

    main: ProcessIdentity | None
    marker: str | None
    session: int | None = None
    group: int | None = None

    def members(self) -> frozenset[ProcessIdentity]:
        """Everything that belongs to it and runs now, the main process included."""
        found = set(() if self.marker is None else marked_processes(self.marker))
        if self.session is not None or self.group is not None:
            found.update(self._companions())
        if self.main is not None and self.main.is_alive:
            found.add(self.main)
        return frozenset(found)

    def _companions(self) -> frozenset[ProcessIdentity]:
        leader = None if self.main is None else identify(self.main.pid)
        if leader is not None and leader != self.main:
            # The pid went to a stranger, which can lead a session or group of the same number.
            return frozenset()
        pids = [pid for pid in all_pids() if self._shares(pid)]
        return frozenset(one for one in map(identify, pids) if one is not None)

    def _shares(self, pid: int) -> bool:
        if self.session is not None and session_of(pid) == self.session:
            return True
        return self.group is not None and group_of(pid) == self.group


def family_of(main: ProcessIdentity | None, marker: str | None) -> Family:
    """The family of a main process that runs now, or of none: then only the marker tells."""
    if main is None:
        return Family(main=None, marker=marker)
    ours = marker is not None and is_marked(main.pid, marker)
    return Family(
        main=main,
        marker=marker,
        # A session led by a process that does not carry the marker can be a person's login.
        session=main.pid if ours and session_of(main.pid) == main.pid else None,
        group=main.pid if group_of(main.pid) == main.pid else None,
    )
