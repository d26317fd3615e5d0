"""The error that a question to a database ends in."""

from autonomyd.host.failure import NetworkFailure, Stage


class DatabaseFailure(NetworkFailure):
    """A question to a database without a good answer. `answered` says that the server works and said no (a wrong
    password, a bad query)."""

    def __init__(self, message: str, *, stage: Stage, ours: bool = False, answered: bool = False) -> None:
        super().__init__(message, stage=stage, ours=ours)
        self.answered = answered
