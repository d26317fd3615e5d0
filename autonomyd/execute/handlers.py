"""What carries a step out. The engine joins the handlers to the machine; the runner only knows this protocol."""

from collections.abc import Mapping
from typing import Any, Protocol

from autonomyd.model.change import FileChange
from autonomyd.model.step import Step, StepResult


class StepFailure(Exception):  # noqa: N818 - a failed step is an answer, no error of the program
    """A step could not be done; the message says what happened and what to do."""


class Unfit(StepFailure):
    """Nothing was changed, for a reason that says nothing about the remedy: the file is no longer what the step was
    planned on, or there is no room for a backup."""


class FileHandler(Protocol):
    """Works one kind of file step out; the runner backs up, writes and restores what it answers."""

    async def changes(self, step: Any) -> tuple[FileChange, ...]:
        """What the step would do now, the new content in the object store already; nothing is written yet.

        Raises Unfit when the file is not what the step was planned on, StepFailure when the result would not parse."""


class StepHandler(Protocol):
    """Carries out one kind of step. After a crash `undo` may meet a step that was never begun, or half done: it looks
    at what is there."""

    async def apply(self, step: Any) -> StepResult:
        """Do it. Raises StepFailure."""

    async def undo(self, step: Any) -> StepResult | None:
        """Take it back; None where there is nothing to take back. Raises StepFailure."""


Handlers = Mapping[type[Step], StepHandler | FileHandler]
