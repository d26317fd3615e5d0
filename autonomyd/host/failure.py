"""The errors that a look at something outside can end in. Each carries one sentence for people."""

from typing import Literal

Stage = Literal["request", "resolve", "connect", "answer"]


class NetworkFailure(Exception):  # noqa: N818  (what was looked at failed, not the looking)
    """A network look without an answer. `stage` is how far it came: a bad `request` never left, `resolve` and `connect`
    found nobody, in `answer` the connection stood. `ours` says that the fault is this machine's own (no descriptors, no
    memory, no ports): then nothing was learned about the other side."""

    def __init__(self, message: str, *, stage: Stage, ours: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.stage: Stage = stage
        self.ours = ours

    @property
    def connected(self) -> bool:
        """Whether the other side had accepted the connection."""
        return self.stage == "answer"


class HttpFailure(NetworkFailure):
    """An HTTP look without an answer."""


class CommandFailure(Exception):  # noqa: N818
    """A command that could not be started (missing, not executable, bad folder): nothing was learned from it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RemovalRefused(Exception):  # noqa: N818
    """A file that is not, or no longer, what was planned to be removed. Nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class FileRefused(Exception):  # noqa: N818
    """A file that can't be saved or written; nothing was changed. `unfit` says that this tells nothing about what was
    to be done with it: it is not what it was expected to be, or the disk is full."""

    def __init__(self, message: str, *, unfit: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.unfit = unfit


class NotifyFailure(Exception):  # noqa: N818
    """A message that was not sent. `permanent`: not before a person changes something (the URL, a package)."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
