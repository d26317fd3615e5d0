"""The bundled strategies, one file each, gentle ones first. A new one is one file, one line here, one data test."""

from functools import cache
from importlib.metadata import entry_points

from autonomyd.execute.playbooks.clean_caches import CleanCaches
from autonomyd.execute.playbooks.custom import Custom
from autonomyd.execute.playbooks.end_culprit import EndCulprit
from autonomyd.execute.playbooks.fall_back import FallBack, ReturnFromFallback
from autonomyd.execute.playbooks.free_disk_space import FreeDiskSpace
from autonomyd.execute.playbooks.free_port import FreePort
from autonomyd.execute.playbooks.kill_and_start import KillAndStart
from autonomyd.execute.playbooks.optimize_sqlite import TidySqlite
from autonomyd.execute.playbooks.prune_containers import PruneContainersPlaybook
from autonomyd.execute.playbooks.recreate_container import RecreateContainerPlaybook
from autonomyd.execute.playbooks.recycle import Recycle
from autonomyd.execute.playbooks.reload import Reload
from autonomyd.execute.playbooks.remove_stale_pid_file import RemoveStalePidFile
from autonomyd.execute.playbooks.restart import Restart
from autonomyd.execute.playbooks.restart_stack import RestartStack
from autonomyd.execute.playbooks.restore_config import RestoreLastGoodConfig
from autonomyd.execute.playbooks.restore_release import RestoreLastGoodRelease
from autonomyd.execute.playbooks.rotate_logs import RotateLogs
from autonomyd.execute.playbooks.start import Start
from autonomyd.execute.playbooks.terminate_sessions import EndBlockingSessions
from autonomyd.execute.playbooks.tune import CAUSES as TUNABLE
from autonomyd.execute.playbooks.tune import Tune
from autonomyd.execute.playbooks.vacuum_journal import VacuumJournal
from autonomyd.model.strategy import Strategy

BUNDLED: tuple[Strategy, ...] = (
    Custom(),
    Start(),
    RotateLogs(),
    FreePort(),
    RemoveStalePidFile(),
    RestoreLastGoodConfig(),
    RestoreLastGoodRelease(),
    *(Tune(against=cause) for cause in TUNABLE),
    Reload(),
    Recycle(),
    EndCulprit(),
    Restart(),
    KillAndStart(),
    RecreateContainerPlaybook(),
    RestartStack(),
    FallBack(),
    ReturnFromFallback(),
    FreeDiskSpace(),
    CleanCaches(),
    VacuumJournal(),
    TidySqlite(),
    EndBlockingSessions(),
    PruneContainersPlaybook(),
)


@cache
def strategies() -> tuple[Strategy, ...]:
    """The bundled strategies and those that installed packages add by the entry point `autonomyd.playbooks`."""
    return (*BUNDLED, *(entry.load()() for entry in entry_points(group="autonomyd.playbooks")))
