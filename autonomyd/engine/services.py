"""Keeps the services: opens their controls, hears of every change at once, starts and stops in order of dependency.

It acts only through the handlers of the runner (`start`, `stop`, `restart`); it never heals by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

import structlog

from autonomyd.aio.clock import Clock
from autonomyd.engine.managed import ManagedCheck, ManagedService, start_order
from autonomyd.execute.handlers import StepFailure
from autonomyd.host.controls.protocol import ControlError, ServiceControl
from autonomyd.model.facts import ServiceFacts
from autonomyd.model.reading import Reading
from autonomyd.model.service import Intent, RunState, ServiceRun, ServiceState
from autonomyd.settings.service import ServiceSettings

log = structlog.get_logger(__name__)

MakeControl = Callable[[str, ServiceSettings], ServiceControl]
OnState = Callable[[ManagedService, ServiceState], None]
"""(service, the state it had before)."""
OnIntent = Callable[[ManagedService, Intent], None]
"""(service, what somebody wants of it who asked the service manager and not this daemon)."""
MANAGERS = frozenset({"systemd", "container"})
"""The kinds of control whose manager tells who started and stopped."""
_RUNS = (RunState.STARTING, RunState.RUNNING, RunState.FROZEN)


class ServiceKeeper:
    """All services by name. `on_state` hears of every change of state, `on_intent` of every start and stop that
    somebody asked a service manager for."""

    def __init__(
        self,
        *,
        clock: Clock,
        make_control: MakeControl,
        on_state: OnState,
        on_intent: OnIntent = lambda service, intent: None,
    ) -> None:
        self._clock = clock
        self._make_control = make_control
        self._on_state = on_state
        self._on_intent = on_intent
        self.services: dict[str, ManagedService] = {}

    async def add(
        self,
        name: str,
        settings: ServiceSettings,
        intent: Intent,
        *,
        hold: Callable[[ManagedService], bool] = lambda _: False,
    ) -> ManagedService:
        """Take a service in: find what runs of it now. A control that can't work makes it `unknown`, with the reason.
        When `hold` says so it counts as starting from the beginning: somebody is about to start it."""
        service = ManagedService(
            name=name, settings=settings, control=self._make_control(name, settings), intent=intent
        )
        self.services[name] = service
        try:
            run = await service.control.open(lambda run: self._heard(service, run))
        except ControlError as error:
            log.warning("service_control_unusable", service=name, reason=str(error))
            service.problem = str(error)
            run = ServiceRun(state=RunState.UNKNOWN, message=str(error))
        service.run = run
        service.has_run = service.has_process
        service.fallback_since = self._clock.monotonic() if service.control.fallback else None
        service.settled_from = self._clock.monotonic()
        if hold(service):
            service.operating = "start"
        self.update(service)
        return service

    async def remove(self, name: str) -> None:
        """Let a service go. It goes on running."""
        service = self.services.pop(name, None)
        if service is not None:
            await service.control.close()

    async def close(self) -> None:
        for name in list(self.services):
            await self.remove(name)

    def order(self) -> tuple[str, ...]:
        return start_order({name: service.settings.depends_on for name, service in self.services.items()})

    def parents_down(self, service: ManagedService) -> tuple[str, ...]:
        """Those it depends on that are not up."""
        parents = (self.services.get(name) for name in service.settings.depends_on)
        return tuple(parent.name for parent in parents if parent is not None and parent.state is not ServiceState.UP)

    def parents_unsure(self, service: ManagedService) -> tuple[str, ...]:
        """Those it depends on that have not been seen well since this service began to fail: until they are, its own
        trouble may be theirs."""
        since = service.failing_since
        if since is None:
            return ()
        parents = (self.services.get(name) for name in service.settings.depends_on)
        return tuple(parent.name for parent in parents if parent is not None and not parent.seen_well(since))

    def children_of(self, name: str) -> tuple[str, ...]:
        """Those that depend on `name`, at any depth, to be stopped in this order."""
        return tuple(child for child in reversed(self.order()) if self._depends(child, name))

    def facts(self, service: ManagedService, cpu_percent: float | None, exceeded: tuple[str, ...] = ()) -> ServiceFacts:
        return service.facts(
            now=self._clock.monotonic(),
            wall_now=self._clock.wall(),
            cpu_percent=cpu_percent,
            parents_down=self.parents_down(service),
            exceeded=exceeded,
            parents_unsure=self.parents_unsure(service),
            children=tuple(
                name for name in self.children_of(service.name) if self.services[name].intent is Intent.STARTED
            ),
        )

    def hear(self, service: ManagedService, check: ManagedCheck, reading: Reading) -> None:
        """A reading of a check came in."""
        service.hear(check, reading, self._clock.monotonic())
        self.update(service)

    def observe(self, service: ManagedService) -> None:
        """Ask the control what it knows now (a frozen process, one that somebody else started)."""
        self._heard(service, service.control.observe())

    @contextmanager
    def held(self, name: str | None) -> Iterator[None]:
        """While a fix has the service in hand, its going down between two steps is no new issue."""
        service = self.services.get(name or "")
        if service is None:
            yield
            return
        service.holders += 1
        try:
            yield
        finally:
            service.holders -= 1
            self._follow_intent(service, service.run)
            self.update(service)

    def update(self, service: ManagedService) -> None:
        """Let the state follow from what is known, and tell when it changed."""
        before = service.state
        service.state = service.settle(self._clock.monotonic())
        service.changed.set()
        service.changed = asyncio.Event()
        if self.services.get(service.name) is not service:
            return  # a reload let it go while something was done to it: its name is somebody else's now
        if service.state is not before:
            service.state_since_at = self._clock.wall()
            log.info("service_state", service=service.name, before=before.value, state=service.state.value)
            self._on_state(service, before)
            if service.state is ServiceState.UP:
                self._look_anew_at_children(service)

    # --- the hands of the runner -------------------------------------------------------------------------------

    async def start(self, name: str) -> str:
        """Start the service and return when its process runs. Raises StepFailure."""
        service = self._get(name)
        if service.has_process:
            service.operating = ""
            self.update(service)
            return f"{name} runs already (pid {service.run.pid})"
        if service.intent is Intent.STOPPED:
            return f"{name} stays down: it was stopped by a person meanwhile"
        run = await self._operate(service, "start", service.control.start)
        return f"started {name} (pid {run.pid})"

    async def stop(self, name: str, *, force: bool = False) -> str:
        """Stop the service and return when it has really ended. Raises StepFailure."""
        service = self._get(name)
        await self._operate(service, "stop", lambda: service.control.stop(force=force))
        return f"{'killed' if force else 'stopped'} {name}"

    async def restart(self, name: str) -> str:
        """Raises StepFailure."""
        service = self._get(name)
        if service.intent is Intent.STOPPED:
            return f"{name} is not restarted: it was stopped by a person meanwhile"
        run = await self._operate(service, "restart", service.control.restart)
        return f"restarted {name} (pid {run.pid})"

    async def reload(self, name: str) -> str:
        """Let the running service read its configuration anew. Raises StepFailure."""
        service = self._get(name)
        try:
            await service.control.reload()
        except ControlError as error:
            raise StepFailure(str(error)) from error
        service.reloaded_at = self._clock.wall()
        service.begin(self._clock.monotonic())
        self.update(service)
        return f"{name} reads its configuration anew"

    async def switch(self, name: str, *, fallback: bool) -> str:
        """Run the service by its fallback command, or by its own again. Raises StepFailure."""
        service = self._get(name)
        try:
            service.control.use_fallback(fallback)
        except ControlError as error:
            raise StepFailure(str(error)) from error
        word = "its fallback command" if fallback else "its own command"
        service.fallback_since = self._clock.monotonic() if fallback else None
        if service.intent is Intent.STOPPED:
            return f"{name} stays down: it was stopped by a person meanwhile; the next start uses {word}"
        await self._operate(service, "restart", service.control.restart)
        return f"{name} runs by {word} (pid {service.run.pid})"

    async def operate(self, name: str, act: Callable[[], Awaitable[ServiceRun]]) -> None:
        """Run another act of the service's control, after which it is to run. Raises StepFailure."""
        await self._operate(self._get(name), "restart", act)

    def runs(self, name: str) -> bool:
        service = self.services.get(name)
        return service is not None and service.has_process

    def _get(self, name: str) -> ManagedService:
        service = self.services.get(name)
        if service is None:
            raise StepFailure(f"there is no service {name}")
        if service.problem:
            raise StepFailure(f"{name} can't be controlled: {service.problem}")
        return service

    async def _operate(
        self, service: ManagedService, word: str, act: Callable[[], Awaitable[ServiceRun]]
    ) -> ServiceRun:
        """Run one act of the control; what it causes meanwhile is our own echo and opens no issue."""
        service.operating = word
        self.update(service)
        try:
            run = await act()
        except BaseException as error:
            # whatever it was: a service that nobody starts any more must not count as starting
            service.operating = ""
            self.observe(service)
            if isinstance(error, ControlError):
                raise StepFailure(str(error)) from error
            raise
        service.operating = ""
        service.run = run
        if word != "stop":
            service.outdated = ""
            service.restarts += service.has_run
            service.has_run = True
            service.begin(self._clock.monotonic())
        self.update(service)
        return run

    def _heard(self, service: ManagedService, run: ServiceRun) -> None:
        before = service.run
        service.run = run
        service.last_pid = run.pid or service.last_pid
        seen = before.state is not RunState.UNKNOWN
        if run.pid is not None and run.pid != before.pid and not service.operating and seen:
            service.begin(self._clock.monotonic())  # somebody else started it anew
        if run.state is RunState.GONE and before.state in _RUNS and not (service.operating or run.asked):
            service.ended(self._clock.monotonic())
        self._follow_intent(service, before)
        self.update(service)

    def _follow_intent(self, service: ManagedService, before: ServiceRun) -> None:
        """What somebody does to the service through its manager is a person's word like one given to this daemon. While
        it is in our own hands nothing is concluded; a stop that came meanwhile still shows when they let it go."""
        if service.operating or service.holders or self.services.get(service.name) is not service:
            return
        run = service.run
        if service.intent is Intent.STARTED and run.asked and run.state is RunState.GONE:
            intent = Intent.STOPPED
        elif service.intent is Intent.STOPPED and before.state is RunState.GONE and _runs_managed(service):
            intent = Intent.STARTED
        else:
            return
        service.intent = intent
        log.info("service_intent", service=service.name, intent=intent.value, actor=service.control.kind)
        self._on_intent(service, intent)

    def _look_anew_at_children(self, parent: ManagedService) -> None:
        """What failed while its parent was away is judged by samples from now on: until its checks pass, or the grace
        time is over, it counts as starting."""
        for child in self.services.values():
            failed = parent.name in child.settings.depends_on and child.state is ServiceState.FAILING
            if failed and child.run.state is RunState.RUNNING and not self.parents_down(child):
                child.begin(self._clock.monotonic())
                self.update(child)

    def _depends(self, child: str, name: str) -> bool:
        parents = self.services[child].settings.depends_on
        return name in parents or any(self._depends(parent, name) for parent in parents if parent in self.services)


def _runs_managed(service: ManagedService) -> bool:
    """Only a service manager says for certain that what runs is the service, and was started on somebody's word."""
    return service.control.kind in MANAGERS and service.run.state in _RUNS


def intents(stored: Mapping[str, str]) -> dict[str, Intent]:
    """Stored intents as values; what is not a known word counts as started."""
    return {name: Intent.STOPPED if word == Intent.STOPPED else Intent.STARTED for name, word in stored.items()}
