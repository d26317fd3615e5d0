"""Freeing disk space: which files under an allow-listed root would go, and the removal itself."""

import asyncio
from collections.abc import Callable

from autonomyd.aio.clock import Clock, SystemClock
from autonomyd.aio.offload import in_thread
from autonomyd.engine.judges import folder_subject
from autonomyd.host.failure import RemovalRefused
from autonomyd.host.files import folder_size
from autonomyd.host.machine import disk_bytes, disk_subject
from autonomyd.host.mounts import mount_point_of
from autonomyd.host.rotated import (
    Fits,
    RotatedFile,
    is_rotated,
    log_stem,
    remove_checked,
    rotated_logs,
    untouched_since,
)
from autonomyd.model.facts import CleanupPreview
from autonomyd.model.subject import Subject
from autonomyd.settings.cleanup import CleanupSettings

MB = 1_000_000
DAY_S = 86_400.0
LOOK_TIMEOUT_S = 10.0


class Cleaner:
    """Holds what its last preview named, so that the removal can hold each file against it again."""

    def __init__(
        self,
        cleanups: Callable[[], tuple[CleanupSettings, ...]],
        protect: Callable[[], tuple[str, ...]] = tuple,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._cleanups = cleanups
        self._protect = protect
        self._seen: dict[str, tuple[Fits, dict[str, RotatedFile]]] = {}
        self._looking: dict[str, asyncio.Task[CleanupPreview]] = {}

    async def preview(self, subject: Subject) -> CleanupPreview | None:
        """What cleaning would remove for this disk or folder: under the first root that has something; None when none
        on it is allowed."""
        found = None
        for cleanup in self._cleanups():
            if _covers(cleanup, subject):
                found = await self._bounded(cleanup)
                if found.total_bytes and not found.incomplete:
                    break
        return found

    async def remove(self, root: str, files: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        """Remove the files that the preview named; (bytes freed, why each skipped one was skipped)."""
        return await in_thread(lambda: self._remove(root, files))

    async def _bounded(self, cleanup: CleanupSettings) -> CleanupPreview:
        """A folder whose disk does not answer must hold up no other healing, nor collect hanging threads."""
        looking = self._looking.get(cleanup.root)
        if looking is None:
            looking = asyncio.get_running_loop().create_task(in_thread(lambda: self._preview(cleanup)))
            self._looking[cleanup.root] = looking
            looking.add_done_callback(lambda _: self._looking.pop(cleanup.root, None))
        done, _ = await asyncio.wait((looking,), timeout=LOOK_TIMEOUT_S)
        if done:
            return looking.result()
        late = f"{cleanup.root} could not be read within {LOOK_TIMEOUT_S:g} s"
        return CleanupPreview(root=cleanup.root, files=(), total_bytes=0, incomplete=late, kind=cleanup.kind)

    def _preview(self, cleanup: CleanupSettings) -> CleanupPreview:
        try:
            needed = _bytes_to_free(cleanup)
            if cleanup.kind == "journal":
                return _journal(cleanup, needed)
            fits = self._fits(cleanup)
            found = rotated_logs(cleanup.root, protect=self._protect(), fits=fits)
        except OSError as error:
            unread = f"{cleanup.root}: {error.strerror}"
            return CleanupPreview(root=cleanup.root, files=(), total_bytes=0, incomplete=unread, kind=cleanup.kind)
        chosen: list[RotatedFile] = []
        freed = 0
        for file in without_newest(found.files, cleanup.keep) if cleanup.kind == "logs" else found.files:
            if freed >= needed:
                break
            chosen.append(file)
            freed += file.bytes
        self._seen[cleanup.root] = (fits, {file.path: file for file in chosen})
        return CleanupPreview(
            root=cleanup.root,
            files=tuple(file.path for file in chosen),
            total_bytes=freed,
            incomplete=found.incomplete,
            kind=cleanup.kind,
        )

    def _fits(self, cleanup: CleanupSettings) -> Fits:
        if cleanup.kind == "cache":
            return untouched_since(self._clock.wall() - cleanup.older_days * DAY_S)
        return is_rotated

    def _remove(self, root: str, files: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        freed = 0
        fits, named = self._seen.pop(root, (is_rotated, {}))
        skipped: list[str] = []
        for path in files:
            seen = named.get(path)
            if seen is None:
                skipped.append(f"{path}: it was not in the preview")
                continue
            try:
                freed += remove_checked(seen, root=root, fits=fits)
            except RemovalRefused as error:
                skipped.append(f"{path}: {error}")
        return freed, tuple(skipped)


def _journal(cleanup: CleanupSettings, needed: float) -> CleanupPreview:
    """systemd itself removes what is too much."""
    return CleanupPreview(
        root=cleanup.root,
        files=(),
        total_bytes=max(0, int(needed)),
        kind=cleanup.kind,
        target_bytes=int((cleanup.quota_mb or 0.0) * MB * cleanup.target_percent / 100.0),
    )


def _covers(cleanup: CleanupSettings, subject: Subject) -> bool:
    if cleanup.quota_mb is not None:
        return subject == folder_subject(cleanup.root)
    point = mount_point_of(cleanup.root)
    return point is not None and subject == disk_subject(point)


def _bytes_to_free(cleanup: CleanupSettings) -> float:
    """How much must go to come down to the target level."""
    if cleanup.quota_mb is not None:
        used, total = folder_size(cleanup.root).bytes, int(cleanup.quota_mb * MB)
    else:
        used, total = disk_bytes(cleanup.root)
    return used - total * cleanup.target_percent / 100.0


def without_newest(files: tuple[RotatedFile, ...], keep: int) -> tuple[RotatedFile, ...]:
    """`files` (oldest first) without the `keep` newest of each log."""
    kept: dict[str, int] = {}
    chosen: list[RotatedFile] = []
    for file in reversed(files):
        stem = log_stem(file.path)
        kept[stem] = kept.get(stem, 0) + 1
        if kept[stem] > keep:
            chosen.append(file)
    return tuple(reversed(chosen))
