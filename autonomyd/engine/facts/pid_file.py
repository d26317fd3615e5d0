"""The pid file that a service which does not run left behind."""

from pathlib import Path

from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.host.controls.evidence import is_marked, read_pidfile, runs_command
from autonomyd.host.files import file_sha256
from autonomyd.host.process import read_process
from autonomyd.model.facts import PidFileFacts
from autonomyd.model.issue import Issue
from autonomyd.model.service import RunState
from autonomyd.settings.control import CommandControl, ProcessControl


class PidFileReader:
    """Fills `Situation.pid_file`. It is stale when it certainly names no process of the service: nobody lives under
    that pid, or somebody who neither carries the service's mark nor runs its command."""

    field = "pid_file"

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and service.run.state is RunState.GONE and self._path(service) is not None

    async def read(self, issue: Issue, service: ManagedService | None) -> PidFileFacts | None:
        assert service is not None
        path = self._path(service)
        return None if path is None else await in_thread(lambda: self._read(path, service))

    def _path(self, service: ManagedService) -> Path | None:
        control = service.settings.control
        if not isinstance(control, ProcessControl | CommandControl) or control.pidfile is None:
            return None
        return (Path(control.cwd) if control.cwd else self._state_dir) / control.pidfile

    def _read(self, path: Path, service: ManagedService) -> PidFileFacts | None:
        sha256 = file_sha256(str(path)) if path.is_file() and not path.is_symlink() else None
        if sha256 is None:
            return None
        file = read_pidfile(path)
        pid = None if file is None else file.pid
        facts = None if pid is None else read_process(pid)
        if pid is None:
            names, stale = "no process at all", True
        elif facts is None or facts.is_dead:
            names, stale = f"pid {pid}, which does not exist", True
        elif facts.unknown:
            names, stale = f"pid {pid}, which may not be looked at", False
        else:
            names, stale = f"pid {pid} ({facts.name})", not self._is_service(pid, service)
        return PidFileFacts(path=str(path), pid=pid, sha256=sha256, names=names, stale=stale)

    def _is_service(self, pid: int, service: ManagedService) -> bool:
        control = service.settings.control
        if is_marked(pid, f"{self._state_dir}/{service.name}"):
            return True
        command = control.command if isinstance(control, ProcessControl) else ()
        return bool(command) and runs_command(pid, command, None)
