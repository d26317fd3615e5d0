"""What a fix does to files: each change with the state before and after, and the backup that covers them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from autonomyd.model.diagnosis import Cause

NO_XATTRS: Mapping[str, str] = MappingProxyType({})


class FileKind(StrEnum):
    ABSENT = "absent"
    FILE = "file"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """One path at one moment. A file has `sha256` (its content is in the object store under it) and the rest; a link
    its `target`. Times are nanoseconds since the epoch, `xattrs` base64 by name."""

    kind: FileKind
    sha256: str | None = None
    target: str | None = None
    mode: int = 0
    uid: int = 0
    gid: int = 0
    atime_ns: int = 0
    mtime_ns: int = 0
    xattrs: Mapping[str, str] = field(default_factory=lambda: NO_XATTRS)


ABSENT = FileState(kind=FileKind.ABSENT)


def alike(one: FileState, other: FileState) -> bool:
    """Whether two states are the same but for their times: reading a file, or putting it back, changes those."""
    if one.kind is not other.kind or one.kind is FileKind.ABSENT:
        return one.kind is other.kind
    if one.kind is FileKind.LINK:
        return (one.target, one.uid, one.gid) == (other.target, other.uid, other.gid)
    held = (one.sha256, one.mode, one.uid, one.gid)
    return held == (other.sha256, other.mode, other.uid, other.gid) and dict(one.xattrs) == dict(other.xattrs)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """`after` is None when it is not known before the act (a declared command writes it)."""

    path: str
    before: FileState
    after: FileState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a fix saved before it wrote anything. `id` names it for `autonomyctl rollback`; times are epoch seconds.
    `rolled_back_at` is set once it was put back, by the fix itself or by a person."""

    id: str
    fix_id: int
    at: float
    strategy: str
    cause: Cause
    confidence: float
    reason: str
    changes: tuple[FileChange, ...]
    service: str | None = None
    issue_id: int | None = None
    rolled_back_at: float | None = None


class BackupState(StrEnum):
    """`in_use`: its fix is under way. `rolled_back`: what it holds was put back, by the fix itself or by a person."""

    IN_USE = "in_use"
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStatus:
    """One line of `autonomyctl backups`. `bytes` is what the saved contents take."""

    id: str
    fix_id: int
    at: float
    strategy: str
    cause: Cause
    reason: str
    files: tuple[str, ...]
    bytes: int
    state: BackupState
    service: str | None = None
    issue_id: int | None = None
    rolled_back_at: float | None = None
