"""Run a program of the user: a step of a playbook, what takes it back, and what tells whether it helped."""

from collections.abc import Sequence
from typing import Protocol

from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.transaction import Validate, Validation
from autonomyd.host.command import CommandFailure, CommandResult
from autonomyd.model.fix import Outcome
from autonomyd.model.plan import CommandCheck, Plan
from autonomyd.model.secrets import masked
from autonomyd.model.step import RunCommand, StepResult

SHOWN_CHARS = 400
"""Of the end of what a command said."""


class Run(Protocol):
    """host.command.run_command, or a stand-in."""

    async def __call__(self, argv: Sequence[str], *, timeout_s: float, cwd: str | None = None) -> CommandResult:
        """Raises CommandFailure when it can't be started."""


class RunCommandHandler:
    def __init__(self, run: Run) -> None:
        self._run = run

    async def apply(self, step: RunCommand) -> StepResult:
        return await self._done(step.argv, step)

    async def undo(self, step: RunCommand) -> StepResult | None:
        """The playbook promises that its undo may also meet a step that never began."""
        return await self._done(step.undo, step) if step.undo else None

    async def _done(self, argv: tuple[str, ...], step: RunCommand) -> StepResult:
        name = shown(argv)
        try:
            result = await self._run(argv, timeout_s=step.timeout_s, cwd=step.cwd)
        except CommandFailure as error:
            raise StepFailure(masked(str(error))) from None
        if result.timed_out:
            raise StepFailure(f"{name} did not end within {step.timeout_s:g} s and was ended{said(result)}")
        if result.code != 0:
            raise StepFailure(f"{name} ended with code {result.code}{said(result)}")
        return StepResult(
            ok=True, message=f"ran {name} in {result.duration_s:.1f} s{said(result)}",
            details={"duration_s": result.duration_s},
        )  # fmt: skip


def with_own_validation(validate: Validate, run: Run) -> Validate:
    """`validate`, and for a plan that has a validation of its own that one too: both must find it healed. Where the
    first can't tell, the second decides."""

    async def both(plan: Plan, since: float) -> Validation:
        found = await validate(plan, since)
        if plan.validation is None or found.outcome not in (Outcome.HEALED, Outcome.UNVERIFIED):
            return found
        own = await validated(plan.validation, run)
        return Validation(outcome=own.outcome, message=f"{found.message}; {own.message}")

    return both


async def validated(check: CommandCheck, run: Run) -> Validation:
    """What a playbook's own validation says: exit 0 healed, another code ineffective; a command that does not end in
    time, or can't be started, has shown nothing: unverified."""
    name = shown(check.argv)
    try:
        result = await run(check.argv, timeout_s=check.timeout_s)
    except CommandFailure as error:
        return Validation(outcome=Outcome.UNVERIFIED, message=f"the validation could not tell: {masked(str(error))}")
    if result.timed_out or result.code is None:
        words = f"the validation {name} did not end within {check.timeout_s:g} s, so it could not tell"
        return Validation(outcome=Outcome.UNVERIFIED, message=words)
    if result.code != 0:
        words = f"the validation {name} ended with code {result.code}{said(result)}"
        return Validation(outcome=Outcome.INEFFECTIVE, message=words)
    return Validation(outcome=Outcome.HEALED, message=f"the validation {name} passed{said(result)}")


def shown(argv: Sequence[str]) -> str:
    """A command for a message: short, and without what looks like a secret."""
    text = masked(" ".join(argv))
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."


def said(result: CommandResult) -> str:
    """The end of what a command wrote, secrets masked; errors before output."""
    text = masked(result.error.strip() or result.output.strip())[-SHOWN_CHARS:]
    return f": {' '.join(text.split())}" if text else ""
