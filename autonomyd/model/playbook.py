"""All strategies that healing chooses from, for people to look at."""

from dataclasses import dataclass

from autonomyd.model.diagnosis import Cause
from autonomyd.model.plan import Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookStatus:
    """One strategy. `reads` are the facts that it rests on, `yields` the kinds of its steps; `source` is the file of
    the user's own, "bundled" or "program". `validation` is its own command."""

    name: str
    causes: tuple[Cause, ...]
    rung: int
    risk: Risk
    disruptive: bool
    reversible: bool
    consented: bool
    reads: tuple[str, ...]
    yields: tuple[str, ...]
    source: str
    validation: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFile:
    """A playbook file that is not used; each problem is one line with its place."""

    file: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookList:
    """`folder` is where the user's own are looked for; None: nowhere."""

    folder: str | None
    playbooks: tuple[PlaybookStatus, ...]
    refused: tuple[RefusedFile, ...] = ()
