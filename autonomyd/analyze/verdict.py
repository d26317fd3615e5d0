"""What a detector says after each sample."""

from enum import StrEnum


class Verdict(StrEnum):
    """`raised` and `cleared` are states, not edges: a detector repeats them at every known sample.
    `pending`: seen, but not for long enough. `silent`: nothing can be said (unknown data)."""

    RAISED = "raised"
    CLEARED = "cleared"
    PENDING = "pending"
    SILENT = "silent"
