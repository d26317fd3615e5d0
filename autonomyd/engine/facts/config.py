"""Which configuration files of a service differ from what they were when it was last verified healthy."""

import errno
from datetime import UTC, datetime

from autonomyd.aio.offload import in_thread
from autonomyd.engine.facts.difference import difference
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.managed import ManagedService
from autonomyd.host.config_files import Stamp, free_name, real_path, stamp_of, steady_content
from autonomyd.host.objects import ObjectStore, name_of
from autonomyd.model.facts import GoodFile
from autonomyd.model.issue import Issue
from autonomyd.model.known_good import GoodState

DIFF = ".diff"

_Told = tuple[str, str, str]
"""SHA-256 of the readable difference, summary, problem."""


class ConfigReader:
    """Fills `Situation.config`. What a fix would write aside is in the object store when it answers."""

    field = "config"

    def __init__(self, known: KnownGood, objects: ObjectStore) -> None:
        self._known = known
        self._objects = objects
        self._told: dict[str, tuple[str, str, _Told]] = {}

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and bool(self._goods(service))

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[GoodFile, ...]:
        """Raises OSError or UnsteadyFile for a file that can't be read, ObjectError when its good content is lost."""
        assert service is not None
        goods = self._goods(service)
        found = await in_thread(lambda: [self._changed(good) for good in goods])
        return tuple(each for each in found if each is not None)

    def _goods(self, service: ManagedService) -> tuple[GoodState, ...]:
        paths = (self._known.goods_of(service.name, path) for path in service.settings.config_files)
        return tuple(goods[0] for goods in paths if goods)

    def _changed(self, good: GoodState) -> GoodFile | None:
        """None when it is what it was. For a thread."""
        path = real_path(good.path)
        stamp = stamp_of(path)
        assert good.state.sha256 is not None
        if stamp is None:
            self._objects.get(good.state.sha256)  # lost: then there is nothing to put back
            return _fact(good, path, now_sha256=None, told=("", "the file is gone", ""))
        content = steady_content(path, stamp)
        now_sha256 = self._kept(content)
        if now_sha256 == good.state.sha256:
            return None
        told = self._difference(good, path, content, now_sha256, stamp)
        return _fact(good, path, now_sha256=now_sha256, told=told, stamp=stamp)

    def _kept(self, content: bytes) -> str:
        """Its name in the object store. A full disk hides no cause: the fix asks for room itself, and says so."""
        try:
            return self._objects.put(content)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            return name_of(content)

    def _difference(self, good: GoodState, path: str, content: bytes, now_sha256: str, stamp: Stamp) -> _Told:
        """Worked out once for each pair of contents: decisions follow one another within milliseconds."""
        assert good.state.sha256 is not None
        was = self._objects.get(good.state.sha256)
        before = self._told.get(good.path)
        if before is not None and before[:2] == (good.state.sha256, now_sha256) and self._objects.has(before[2][0]):
            return before[2]
        found = difference(
            was,
            content,
            path,
            was_name=f"{path} (verified healthy {_second(good.at)} UTC)",
            now_name=f"{path} (changed {_second(stamp.changed_at)} UTC)",
        )
        told = (self._kept(found.diff.encode()), found.summary, found.problem)
        self._told[good.path] = (good.state.sha256, now_sha256, told)
        return told


def _fact(good: GoodState, path: str, *, now_sha256: str | None, told: _Told, stamp: Stamp | None = None) -> GoodFile:
    assert good.state.sha256 is not None
    diff_sha256, summary, problem = told
    return GoodFile(
        path=path,
        good_sha256=good.state.sha256,
        good_at=good.at,
        now_sha256=now_sha256,
        changed_at=None if stamp is None else stamp.changed_at,
        aside="" if stamp is None else free_name(f"{path}.autonomyd-bad-{_second(stamp.changed_at)}", also=DIFF),
        diff_sha256=diff_sha256,
        summary=summary,
        problem=problem,
        mode=good.state.mode,
        uid=good.state.uid,
        gid=good.state.gid,
    )


def _second(at: float) -> str:
    """20261121T113000"""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%S")
