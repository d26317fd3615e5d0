"""`[[cleanup]]`: the folders in which disk space may be freed. The list is the permission; there is no other."""

import posixpath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from autonomyd.settings.base import Table

NEVER_CLEANED = frozenset(
    {
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/media", "/mnt", "/opt", "/private",
        "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/usr", "/var", "/Applications", "/Library", "/System",
        "/Users", "/private/etc", "/private/var", "/var/lib", "/var/spool", "/usr/lib", "/usr/local",
    }
)  # fmt: skip
"""Folders that hold other people's things. A folder inside may be named; these themselves may not."""
NEVER_INSIDE = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/System")
"""Nothing at all is freed in here."""


def _may_be_cleaned(root: str) -> str:
    """`root` without doubled or closing slashes. Raises ValueError where freeing space would be reckless."""
    if not root.startswith("/") or "\0" in root:
        raise ValueError("expected an absolute path, one that begins with /")
    if ".." in root.split("/"):
        raise ValueError("a folder to clean is named without '..'")
    plain = posixpath.normpath("/" + root.lstrip("/"))
    if any(f"{plain}/".startswith(f"{each}/") for each in NEVER_INSIDE):
        raise ValueError(f"nothing in /{plain.split('/')[1]} is ever cleaned")
    if plain in NEVER_CLEANED:
        raise ValueError(f"{plain} itself is never cleaned; name a folder of one program inside it")
    return plain


class CleanupSettings(Table):
    """One folder in which files may be removed when its disk, or its own quota, fills. Open files are never touched."""

    root: Annotated[str, AfterValidator(_may_be_cleaned)]
    """The folder; symbolic links inside it are not followed."""
    kind: Literal["logs", "cache", "journal"] = "logs"
    """What goes, oldest first: rotated logs; any file that nobody has used for `older_days`; or what systemd's journal
    has beyond `quota_mb`."""
    older_days: Annotated[float, Field(ge=1)] = 7.0
    """For kind "cache": files that were neither written nor read for so many days."""
    quota_mb: Annotated[float, Field(gt=0)] | None = None
    """The folder is watched like a disk of this size; default: the disk it is on."""
    enter_percent: Annotated[float, Field(gt=0, le=100)] = 90.0
    """Cleaning begins when so much is in use, %."""
    target_percent: Annotated[float, Field(ge=0, lt=100)] = 80.0
    """Cleaning ends when only so much is in use, %."""
    keep: int = Field(default=1, ge=0, le=1000)
    """Newest rotated files of each log that stay (kind "logs")."""

    @model_validator(mode="after")
    def _target_below_enter(self) -> Self:
        if self.target_percent >= self.enter_percent:
            raise PydanticCustomError(
                "cleanup_target",
                "target_percent ({target}) must be below enter_percent ({enter})",
                {"target": f"{self.target_percent:g}", "enter": f"{self.enter_percent:g}"},
            )
        if self.kind == "journal" and self.quota_mb is None:
            raise PydanticCustomError("cleanup_journal", 'kind "journal" needs quota_mb, the room that it may take')
        return self
