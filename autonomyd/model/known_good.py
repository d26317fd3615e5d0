"""What a service was configured with, and which release it ran, when it was last verified healthy."""

from dataclasses import dataclass

from autonomyd.model.change import FileState


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodState:
    """One file, or the link of the release, as the verified process had read it. `at` is epoch seconds of the snapshot.
    A file's content is in the object store under `state.sha256`."""

    service: str
    path: str
    state: FileState
    at: float

    @property
    def value(self) -> str:
        """What makes two snapshots of one path the same: the content's hash, or the link's target."""
        return self.state.sha256 or self.state.target or ""
