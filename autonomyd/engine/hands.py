"""Which part carries out which kind of step: the hands of the runner."""

from collections.abc import Awaitable, Callable

from autonomyd.engine.cleaning import Cleaner
from autonomyd.engine.containers import ContainerKeeper
from autonomyd.engine.databases import DatabaseHands
from autonomyd.engine.facts.logs import main_pid, rotatable_logs
from autonomyd.engine.monitoring import SelfMonitoringSystem
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.filework import FileWork
from autonomyd.execute.handlers import Handlers
from autonomyd.execute.steps.commands import RunCommandHandler
from autonomyd.execute.steps.containers import PruneHandler, RecreateHandler
from autonomyd.execute.steps.custom import CallHandler
from autonomyd.execute.steps.databases import OptimizeSqliteHandler, TerminateSessionsHandler
from autonomyd.execute.steps.file_changes import (
    RemoveFileHandler,
    RestoreBackupHandler,
    SwitchLinkHandler,
    WriteFileHandler,
)
from autonomyd.execute.steps.files import RemoveFilesHandler
from autonomyd.execute.steps.logs import RotateLogHandler
from autonomyd.execute.steps.numbers import SetNumberHandler
from autonomyd.execute.steps.probes import ProbeIntervalHandler
from autonomyd.execute.steps.processes import EndProcessHandler
from autonomyd.execute.steps.services import ReloadHandler, RestartHandler, StartHandler, StopHandler, SwitchHandler
from autonomyd.host.command import run_command
from autonomyd.host.port_holders import end_one
from autonomyd.host.process import ProcessIdentity
from autonomyd.model.step import (
    CallStrategy,
    EndProcess,
    OptimizeSqlite,
    PruneContainers,
    RecreateContainer,
    ReloadService,
    RemoveFile,
    RemoveFiles,
    RestartService,
    RestoreBackup,
    RotateLog,
    RunCommand,
    SetNumber,
    SetProbeInterval,
    StartService,
    StepResult,
    StopService,
    SwitchCommand,
    SwitchLink,
    TerminateSessions,
    WriteFile,
)


def handlers_of(
    keeper: ServiceKeeper,
    cleaner: Cleaner,
    monitoring: SelfMonitoringSystem,
    call: Callable[[str], Awaitable[StepResult]],
    files: FileWork,
    containers: ContainerKeeper,
    database_hands: DatabaseHands,
) -> Handlers:
    """Each kind of step with the one part that carries it out. A new kind is one line here."""
    return {
        StartService: StartHandler(keeper),
        StopService: StopHandler(keeper),
        RestartService: RestartHandler(keeper),
        ReloadService: ReloadHandler(keeper),
        SwitchCommand: SwitchHandler(keeper),
        EndProcess: EndProcessHandler(_end_process),
        RemoveFiles: RemoveFilesHandler(cleaner.remove),
        RotateLog: RotateLogHandler(lambda name: rotatable_logs(keeper, name), lambda name: main_pid(keeper, name)),
        SetProbeInterval: ProbeIntervalHandler(monitoring.sampler.set_interval),
        CallStrategy: CallHandler(call),
        WriteFile: WriteFileHandler(files),
        RemoveFile: RemoveFileHandler(files),
        SwitchLink: SwitchLinkHandler(files),
        RestoreBackup: RestoreBackupHandler(files),
        SetNumber: SetNumberHandler(files),
        RunCommand: RunCommandHandler(run_command),
        RecreateContainer: RecreateHandler(containers),
        PruneContainers: PruneHandler(containers),
        TerminateSessions: TerminateSessionsHandler(database_hands),
        OptimizeSqlite: OptimizeSqliteHandler(database_hands),
    }


async def _end_process(pid: int, started: int) -> str:
    return await end_one(ProcessIdentity(pid=pid, start_ticks=started))
