"""A line of the daemon's diary: what happened, to whom, when, and who caused it."""

from dataclasses import dataclass

from autonomyd.model.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`at` is epoch seconds, `kind` a constant word ("service_exited"), `actor` who caused it."""

    at: float
    kind: str
    subject: Subject
    message: str
    actor: str = "autonomyd"
