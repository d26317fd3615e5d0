"""Remove a pid file that names no process of the service and keeps it from starting."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RemoveFile, StartService, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveStalePidFile:
    """The process that the file names is never touched; the backup keeps the file."""

    name: str = "remove-stale-pid-file"
    causes: frozenset[Cause] = frozenset({Cause.STALE_PID_FILE})
    rung: int = 0
    risk: Risk = Risk.LOW
    disruptive: bool = False
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service", "pid_file"})
    yields: frozenset[type] = frozenset({RemoveFile, StartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service, file = situation.service, situation.pid_file
        if service is None or file is None or not file.stale:
            return ()
        return (RemoveFile(path=file.path, before_sha256=file.sha256), StartService(service=service.name))

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        file = situation.pid_file
        return "it has no pid file" if file is None else f"{file.path} names {file.names}"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        service, file = situation.service, situation.pid_file
        if service is None or file is None:
            return ()
        return (f"remove {file.path}, which names {file.names}", f"start {service.name}")
