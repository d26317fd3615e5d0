"""What a person asks for by hand: start, stop, restart. No gate is asked, but it goes through the one runner."""

from contextlib import ExitStack

from autonomyd.engine.managed import ManagedService
from autonomyd.engine.records import Records
from autonomyd.engine.services import ServiceKeeper
from autonomyd.execute.runner import Runner
from autonomyd.model.diagnosis import Cause
from autonomyd.model.fix import Fix
from autonomyd.model.plan import Plan, Risk
from autonomyd.model.service import Intent, RunState
from autonomyd.model.step import RestartService, StartService, Step, StopService
from autonomyd.model.subject import service_subject

VERBS = ("start", "stop", "restart")


class UnknownServiceError(LookupError):
    """No service of that name is configured."""


class ServiceRequests:
    """Stopping is intent: what a person stopped is not healed until a person starts it."""

    def __init__(self, *, keeper: ServiceKeeper, runner: Runner, records: Records) -> None:
        self._keeper = keeper
        self._runner = runner
        self._records = records

    async def carry_out(self, verb: str, name: str, *, actor: str) -> Fix | str:
        """Do what was asked, in order of dependency: the Fix, or words when it was so already.

        Raises UnknownServiceError, or ValueError for an unknown verb."""
        if name not in self._keeper.services:
            raise UnknownServiceError(name)
        if verb not in VERBS:
            raise ValueError(f"unknown verb {verb!r}; there are: {', '.join(VERBS)}")
        already = self._already(verb, self._keeper.services[name])
        if already:
            return already
        steps, touched = self._steps(verb, name)
        intent = Intent.STOPPED if verb == "stop" else Intent.STARTED
        self._records.event(f"service_{verb}_requested", service_subject(name), ", ".join(touched), actor=actor)
        plan = Plan(
            strategy=verb,
            cause=Cause.REQUESTED,
            steps=steps,
            confidence=100.0,
            risk=Risk.LOW,
            disruptive=verb != "start",
            reversible=True,
            service=name,
            preview=tuple(f"{verb} {each}" for each in touched),
        )
        with ExitStack() as held:
            # what happens to them until it is done is what was asked for, and opens no issue
            for each in touched:
                held.enter_context(self._keeper.held(each))
                service = self._keeper.services.get(each)
                if service is not None:  # a reload may have let it go since the last one was written down
                    service.intent = intent
                await self._records.intent(each, intent)
            return await self._runner.run(plan, actor=actor)

    def _already(self, verb: str, service: ManagedService) -> str:
        running = service.run.state is RunState.RUNNING and not service.operating
        if verb == "start" and running and service.intent is Intent.STARTED:
            return f"it runs already (pid {service.run.pid})" if service.run.pid else "it runs already"
        if verb == "stop" and service.run.state is RunState.GONE and service.intent is Intent.STOPPED:
            return "it was stopped already"
        return ""

    def _steps(self, verb: str, name: str) -> tuple[tuple[Step, ...], tuple[str, ...]]:
        if verb == "stop":
            # what depends on it goes first; one that is stopped already is left out
            names = (*(each for each in self._keeper.children_of(name) if self._runs(each)), name)
            return tuple(StopService(service=each) for each in names), names
        if verb == "restart":
            return (RestartService(service=name),), (name,)
        names = (*(each for each in self._parents_of(name) if not self._runs(each)), name)
        return tuple(StartService(service=each) for each in names), names

    def _parents_of(self, name: str) -> tuple[str, ...]:
        wanted = {name}
        for each in reversed(self._keeper.order()):
            if each in wanted:
                wanted.update(self._keeper.services[each].settings.depends_on)
        return tuple(each for each in self._keeper.order() if each in wanted and each != name)

    def _runs(self, name: str) -> bool:
        return self._keeper.services[name].run.state is not RunState.GONE
