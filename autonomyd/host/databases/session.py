"""Sessions of a database that hold others up, whatever the database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A session that holds others up and waits for nobody. `id` is the server's own number, `blocks` counts who waits,
    `idle` says that it does nothing but keep its transaction open, `age_s` for how long (else how old the transaction
    is). `query` is the newest one, with its values in it."""

    id: int
    idle: bool
    age_s: float
    blocks: int
    query: str
