"""A playbook that the user wrote, as a strategy like all others."""

from collections.abc import Iterator
from dataclasses import dataclass

from autonomyd.execute.playbooks.tune import at_its_end, change_words, changed
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import NumberFacts, ServiceFacts, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import CommandCheck, Risk
from autonomyd.model.secrets import masked
from autonomyd.model.step import (
    ReloadService,
    RestartService,
    RunCommand,
    SetNumber,
    StartService,
    Step,
    StopService,
)
from autonomyd.settings.playbook import NumberStep, Playbook, RunStep, ServiceStep

SERVICE = "{service}"
_ON_SERVICE = {
    "start": StartService,
    "stop": StopService,
    "restart": RestartService,
    "reload": ReloadService,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPlaybook:
    """`source` is the file that it stands in."""

    source: str
    book: Playbook

    @property
    def name(self) -> str:
        return self.book.name

    @property
    def causes(self) -> frozenset[Cause]:
        return frozenset(self.book.causes)

    @property
    def rung(self) -> int:
        return self.book.rung

    @property
    def risk(self) -> Risk:
        return self.book.risk

    @property
    def disruptive(self) -> bool:
        return self.book.disruptive

    @property
    def reversible(self) -> bool:
        return not any(isinstance(step, RunStep) and step.irreversible for step in self.book.steps)

    @property
    def consented(self) -> bool:
        return self.book.consent == "standing"

    @property
    def reads(self) -> frozenset[str]:
        logs = {"log_errors"} if self.book.needs.log_rules else set()
        numbers = {"numbers"} if any(isinstance(step, NumberStep) for step in self.book.steps) else set()
        return frozenset({"service", *logs, *numbers})

    @property
    def yields(self) -> frozenset[type]:
        return frozenset(_kind(step) for step in self.book.steps)

    @property
    def validation(self) -> CommandCheck | None:
        """The command that tells whether it helped, besides the service's own checks."""
        argv = self.book.validation
        return None if argv is None else CommandCheck(argv=argv, timeout_s=self.book.validation_timeout_s)

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service = situation.service
        if service is None or self.why_nothing(issue, situation):
            return ()
        return tuple(self._step(step, service, situation) for step in self.book.steps)

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        return next(self._hindrances(situation), "")

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        return tuple(_words(step, situation) for step in self.steps(issue, situation))

    def _hindrances(self, situation: Situation) -> Iterator[str]:
        """Why it does nothing now, most telling first."""
        service, needs = situation.service, self.book.needs
        if service is None:
            yield "this playbook is for problems of services"
            return
        if self.book.services and service.name not in self.book.services:
            yield f"this playbook is not for {service.name}"
        if needs.run and service.run not in needs.run:
            yield f"its process is {service.run}, the playbook needs {' or '.join(needs.run)}"
        yield from self._checks_against(service)
        if service.failing_for_s < needs.failing_for_s:
            yield f"it has been failing for {service.failing_for_s:.0f} s, the playbook needs {needs.failing_for_s:g} s"
        if needs.log_rules and not any(each.rule in needs.log_rules for each in situation.log_errors):
            yield f"no log line matched {' or '.join(needs.log_rules)} lately"
        for step in self.book.steps:
            if isinstance(step, NumberStep):
                number = _number(self.name, step, situation)
                if number is None:
                    yield f"the number {step.name} was not read"
                elif number.toward is None:
                    yield at_its_end(number)

    def _checks_against(self, service: ServiceFacts) -> Iterator[str]:
        needs = self.book.needs
        wanted = {**dict.fromkeys(needs.failing_checks, True), **dict.fromkeys(needs.passing_checks, False)}
        checks = {check.name: check for check in service.checks if check.known}
        for name, failing in wanted.items():
            if name not in checks:
                yield f"what the check {name} says is not known"
            elif checks[name].failing is not failing:
                yield f"the check {name} {'passes' if failing else 'fails'}"

    def _step(self, step: RunStep | NumberStep | ServiceStep, service: ServiceFacts, situation: Situation) -> Step:
        if isinstance(step, RunStep):
            return RunCommand(
                argv=_filled(step.argv, service.name),
                undo=_filled(step.undo or (), service.name),
                timeout_s=step.timeout_s or self.book.timeout_s,
                writes=step.writes,
                cwd=step.cwd,
            )
        if isinstance(step, NumberStep):
            number = _number(self.name, step, situation)
            assert number is not None
            return changed(number)
        kind = _ON_SERVICE[step.type]
        made: Step = kind(service=service.name)
        return made


def number_name(playbook: str, step: NumberStep) -> str:
    """What the fact of a playbook's number is called: unique among all numbers of a service."""
    return f"{playbook}:{step.name}"


def _number(playbook: str, step: NumberStep, situation: Situation) -> NumberFacts | None:
    return next((each for each in situation.numbers if each.name == number_name(playbook, step)), None)


def _filled(argv: tuple[str, ...], service: str) -> tuple[str, ...]:
    return tuple(word.replace(SERVICE, service) for word in argv)


def _kind(step: RunStep | NumberStep | ServiceStep) -> type:
    if isinstance(step, ServiceStep):
        return _ON_SERVICE[step.type]
    return RunCommand if isinstance(step, RunStep) else SetNumber


def _words(step: Step, situation: Situation) -> str:
    if isinstance(step, RunCommand):
        return f"run {masked(' '.join(step.argv))}"
    if isinstance(step, SetNumber):
        number = next(each for each in situation.numbers if (each.path, each.key) == (step.path, step.key))
        return change_words(number)
    name = type(step).__name__.removesuffix("Service").lower()
    return f"{name} {getattr(step, 'service', '')}"
