"""Which child of the service the trouble comes from."""

from autonomyd.aio.offload import in_thread
from autonomyd.engine.managed import ManagedService
from autonomyd.host.culprits import busiest_child, parent_of_zombies
from autonomyd.model.facts import Culprit
from autonomyd.model.issue import Issue, IssueType

METRICS = ("cpu_percent", "zombies")


class CulpritReader:
    """Fills `Situation.culprit` for limits on CPU and on dead children; None when it is the main process itself."""

    field = "culprit"

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        limited = issue.type is IssueType.RESOURCE_EXHAUSTION and issue.metric in METRICS
        return limited and service is not None and service.run.pid is not None

    async def read(self, issue: Issue, service: ManagedService | None) -> Culprit | None:
        pid = None if service is None else service.run.pid
        if pid is None:
            return None
        if issue.metric == "zombies":
            parent = await in_thread(lambda: parent_of_zombies(pid))
            if parent is None:
                return None
            who, name, dead = parent
            return Culprit(
                pid=who.pid, started=who.start_ticks, name=name, why=f"does not collect {dead} dead children"
            )
        found = await in_thread(lambda: busiest_child(pid))
        if found is None:
            return None
        who, name, share = found
        return Culprit(pid=who.pid, started=who.start_ticks, name=name, why=f"uses {100 * share:.0f} % of its CPU time")
