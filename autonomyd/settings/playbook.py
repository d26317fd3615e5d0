"""One file of `playbooks.d`: a remedy that the user writes."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import Risk
from autonomyd.model.service import RunState
from autonomyd.settings.base import Argv, Seconds, Table
from autonomyd.settings.tune import NumberSettings

SHELLS = frozenset({"sh", "ash", "bash", "dash", "zsh", "ksh", "fish", "csh", "tcsh"})
NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
PATH = r"^/"


class RunStep(Table):
    """Runs a program; exit code 0 is success."""

    type: Literal["run"]
    """This kind of step."""
    argv: Argv
    """Program and arguments; no shell. `{service}` stands for the service's name."""
    undo: Argv | None = None
    """Takes it back; it may be called when the step was not begun, or not ended."""
    irreversible: bool = False
    """Instead of `undo`: nothing can take it back."""
    writes: tuple[Annotated[str, Field(pattern=PATH)], ...] = ()
    """Every file that it may change, below `roots`: they are backed up, and put back when it did not help."""
    timeout_s: Seconds | None = None
    """Default: the playbook's."""
    cwd: Annotated[str, Field(pattern=PATH)] | None = None
    """Working folder."""

    @field_validator("argv", "undo")
    @classmethod
    def _no_shell(cls, argv: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if argv is None else without_shell(argv)

    @model_validator(mode="after")
    def _can_be_undone(self) -> Self:
        if self.undo is None and not self.irreversible:
            raise PydanticCustomError("missing_undo", "missing undo: say how it is taken back, or irreversible = true")
        if self.undo is not None and self.irreversible:
            raise PydanticCustomError("both_undo", "it has an undo and is called irreversible: one of them is wrong")
        return self


class NumberStep(NumberSettings):
    """Changes one number in a file below `roots` by one bounded step; it is put back when it did not help."""

    type: Literal["number"]
    """This kind of step."""


class ServiceStep(Table):
    """Acts on the service that the problem is about."""

    type: Literal["start", "stop", "restart", "reload"]
    """What is done to it."""


StepSettings = Annotated[RunStep | NumberStep | ServiceStep, Field(discriminator="type")]


class Needs(Table):
    """What must be known to be so; else the playbook does nothing."""

    run: tuple[RunState, ...] = ()
    """States of the process, one of which it must be in."""
    failing_checks: tuple[str, ...] = ()
    """Names of checks that must all fail."""
    passing_checks: tuple[str, ...] = ()
    """Names of checks that must all pass."""
    log_rules: tuple[str, ...] = ()
    """Names of log rules, one of which must have matched lately."""
    failing_for_s: Annotated[float, Field(ge=0)] = 0.0
    """How long its checks must have been failing."""


class Playbook(Table):
    """A remedy of your own for one or more causes."""

    name: str = Field(pattern=NAME)
    """Its name in plans and reports; no other playbook has it."""
    causes: Annotated[tuple[Cause, ...], Field(min_length=1)]
    """What it is a remedy for."""
    services: tuple[str, ...] = ()
    """For which services; default: all."""
    risk: Risk = Risk.MEDIUM
    """low, medium or high."""
    rung: Annotated[int, Field(ge=0, le=9)] = 1
    """Its place on the ladder, from gentle (0) to harsh."""
    disruptive: bool = True
    """Whether it interrupts something that still runs."""
    consent: Literal["ask", "standing"] = "ask"
    """For irreversible steps: ask each time, or this file is your standing consent."""
    roots: tuple[Annotated[str, Field(pattern=PATH)], ...] = ()
    """Folders outside of which it writes nothing."""
    timeout_s: Seconds = 30.0
    """Time for each command."""
    needs: Needs = Field(default_factory=Needs)
    """What must be so."""
    steps: Annotated[tuple[StepSettings, ...], Field(min_length=1)]
    """What is done, in this order; undone in the other one."""
    validation: Argv | None = None
    """Command that tells whether it helped: exit 0 yes, another code no, out of time unknown (then it is undone)."""
    validation_timeout_s: Seconds = 30.0
    """Time for the validation."""

    @field_validator("validation")
    @classmethod
    def _no_shell(cls, argv: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if argv is None else without_shell(argv)

    def faults(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """(key path, what is wrong) where one key does not fit another."""
        written: dict[str, int] = {}
        for index, step in enumerate(self.steps):
            for place, path in _writes(step):
                if not any(_below(path, root) for root in self.roots):
                    roots = ", ".join(self.roots) or "none is declared"
                    yield ("steps", index, *place), f"{path} is outside the playbook's roots ({roots})"
                if written.setdefault(path, index) != index and isinstance(step, NumberStep):
                    yield ("steps", index, *place), f"{path} is written by another step too"


def without_shell(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`argv` itself. Refuses one that hands a text to a shell, directly or through env, sudo and the like."""
    for index, word in enumerate(argv):
        shell = word.rpartition("/")[2] in SHELLS
        if shell and any(each[:1] == "-" and each[1:2] != "-" and "c" in each for each in argv[index + 1 :]):
            raise PydanticCustomError(
                "shell_string", "no shell strings: put the commands into a script and name that, or list the arguments"
            )
    return argv


def _writes(step: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(step, RunStep):
        for index, path in enumerate(step.writes):
            yield ("writes", index), path
    elif isinstance(step, NumberStep):
        yield ("file",), step.file


def _below(path: str, root: str) -> bool:
    """By the names alone; links on the way are refused when it is written."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts[1:]):
        return False
    return path.startswith(f"{root.rstrip('/')}/")
