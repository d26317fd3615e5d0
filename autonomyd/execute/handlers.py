"""What carries a step out. The engine joins the handlers to the machine; the runner only knows this protocol."""

from collections.abc import Mapping
from typing import Any, Protocol

from autonomyd.model.step import Step, StepResult


class StepFailure(Exception):  # noqa: N818 - a failed step is an answer, no error of the program
    """A step could not be done; the message says what happened and what to do."""


class StepHandler(Protocol):
    """Carries out one kind of step."""

    async def apply(self, step: Any) -> StepResult:
        """Do it. Raises StepFailure."""

    async def undo(self, step: Any) -> StepResult | None:
        """Take it back; None where there is nothing to take back. Raises StepFailure."""


Handlers = Mapping[type[Step], StepHandler]
