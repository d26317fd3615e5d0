"""A folder with a quota, watched like a disk of that size."""

from typing import ClassVar

from autonomyd.aio.offload import in_thread
from autonomyd.host.files import folder_size
from autonomyd.model.reading import MetricSpec
from autonomyd.monitor.probe import Look, ok, unknown

MB = 1_000_000


class FolderProbe:
    """`root` is walked in a thread: it can be large, and can lie on a mount that hangs."""

    metrics: ClassVar[tuple[MetricSpec, ...]] = (
        MetricSpec(name="folder.used_percent", unit="%"),
        MetricSpec(name="folder.used_mb", unit="MB"),
    )

    def __init__(self, root: str, quota_mb: float) -> None:
        self._root = root
        self._quota_mb = quota_mb

    async def look(self) -> Look:
        size = await in_thread(lambda: folder_size(self._root))
        if size.incomplete:
            return unknown(f"{self._root} could not be measured whole: {size.incomplete}")
        used_mb = size.bytes / MB
        return ok({"folder.used_mb": used_mb, "folder.used_percent": 100.0 * used_mb / self._quota_mb})
