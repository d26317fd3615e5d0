"""Which logs a service has (those that it names, and where its manager puts its output), and who reads one."""

from collections.abc import Callable, Iterator
from pathlib import Path

from autonomyd.aio.clock import Clock
from autonomyd.engine.managed import ManagedService
from autonomyd.host.containers.engines import ContainerEngines
from autonomyd.host.journal_tail import JournalTail
from autonomyd.host.tail import FileTail
from autonomyd.model.log_rules import LogRules
from autonomyd.monitor.log_reader import LogKind, LogReader, LogSource
from autonomyd.settings.container import ContainerControl
from autonomyd.settings.control import ProcessControl, SystemdControl


def log_file_of(service: ManagedService, state_dir: Path) -> str | None:
    """The log of a service: the first that it names, else where its output goes."""
    if service.settings.logs:
        return service.settings.logs[0]
    control = service.settings.control
    if isinstance(control, ProcessControl):
        return control.stdout or str(state_dir / "logs" / f"{service.name}.log")
    return None


def log_sources_of(service: ManagedService, state_dir: Path) -> Iterator[LogSource]:
    """Every log of a service."""
    control = service.settings.control
    if isinstance(control, SystemdControl):
        yield LogSource(kind=LogKind.JOURNAL, name=control.unit)
    elif isinstance(control, ContainerControl):
        yield LogSource(kind=LogKind.CONTAINER, name=control.name)
    files = service.settings.logs or tuple(filter(None, (log_file_of(service, state_dir),)))
    for path in files:
        yield LogSource(kind=LogKind.FILE, name=path)


def reader_of(
    source: LogSource,
    service: ManagedService,
    *,
    rules: Callable[[], LogRules],
    containers: ContainerEngines,
    clock: Clock,
    timeout_s: float,
) -> LogReader:
    """Reads the log `source` of `service`."""
    if source.kind is LogKind.CONTAINER:
        from autonomyd.host.container_tail import ContainerTail  # only where there are containers

        api = containers.of(getattr(service.settings.control, "socket", None)).api
        container = ContainerTail(source.name, api, clock, timeout_s=timeout_s)
        return LogReader(source, container, rules=rules, clock=clock, timeout_s=timeout_s)
    journal = source.kind is LogKind.JOURNAL
    tail = JournalTail(source.name, timeout_s=timeout_s) if journal else FileTail(source.name)
    return LogReader(source, tail, rules=rules, clock=clock, timeout_s=timeout_s)
