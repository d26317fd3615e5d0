"""What a strategy (playbook) declares, and the one question it answers: which steps, given these facts?"""

from typing import Protocol

from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import Step


class Strategy(Protocol):
    """Pure: facts in, steps out. `rung` orders the ladder from gentle (0) to harsh."""

    @property
    def name(self) -> str: ...

    @property
    def causes(self) -> frozenset[Cause]: ...

    @property
    def rung(self) -> int: ...

    @property
    def risk(self) -> Risk: ...

    @property
    def disruptive(self) -> bool:
        """Whether it interrupts something that still runs."""

    @property
    def reversible(self) -> bool: ...

    @property
    def consented(self) -> bool:
        """Whether the configuration itself is a person's standing consent to an irreversible step."""

    @property
    def reads(self) -> frozenset[str]:
        """The names of the Situation's facts that it rests on; one of them unread means that it does nothing."""

    @property
    def yields(self) -> frozenset[type]:
        """The kinds of step that it may answer with."""

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        """The steps now; empty when there is nothing it could do (`why_nothing` says why)."""

    def why_nothing(self, issue: Issue, situation: Situation) -> str: ...

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        """What would happen, in words and figures."""
