"""Which configuration files of a service differ from what they were when it was last verified healthy."""

import difflib
from datetime import UTC, datetime

from autonomyd.aio.offload import in_thread
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.managed import ManagedService
from autonomyd.host.config_files import Stamp, free_name, real_path, stamp_of, steady_content
from autonomyd.host.editing.change import keys_changed, problem_of
from autonomyd.host.objects import ObjectStore
from autonomyd.model.facts import GoodFile
from autonomyd.model.issue import Issue
from autonomyd.model.known_good import GoodState
from autonomyd.model.secrets import masked

DIFF = ".diff"
KEYS_NAMED = 5


class ConfigReader:
    """Fills `Situation.config`. What a fix would write aside is in the object store when it answers."""

    field = "config"

    def __init__(self, known: KnownGood, objects: ObjectStore) -> None:
        self._known = known
        self._objects = objects

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and bool(self._goods(service))

    async def read(self, issue: Issue, service: ManagedService | None) -> tuple[GoodFile, ...]:
        """Raises OSError or UnsteadyFile for a file that can't be read, ObjectError when its good content is lost."""
        assert service is not None
        goods = self._goods(service)
        found = await in_thread(lambda: [_difference(good, self._objects) for good in goods])
        return tuple(each for each in found if each is not None)

    def _goods(self, service: ManagedService) -> tuple[GoodState, ...]:
        paths = (self._known.goods_of(service.name, path) for path in service.settings.config_files)
        return tuple(goods[0] for goods in paths if goods)


def _difference(good: GoodState, objects: ObjectStore) -> GoodFile | None:
    """None when it is what it was. For a thread."""
    path = real_path(good.path)
    stamp = stamp_of(path)
    content = None if stamp is None else steady_content(path, stamp)
    assert good.state.sha256 is not None
    if stamp is None or content is None:
        objects.get(good.state.sha256)  # lost: then there is nothing to put back
        return _changed(good, path, now_sha256=None, summary="the file is gone")
    now_sha256 = objects.put(content)
    if now_sha256 == good.state.sha256:
        return None
    was = objects.get(good.state.sha256)
    return _changed(
        good,
        path,
        now_sha256=now_sha256,
        stamp=stamp,
        diff_sha256=objects.put(_diff(was, content, good, stamp)),
        summary=summary_of(was, content, path),
        # what did not parse when it was good either is not of the format that its name tells
        problem="" if problem_of(was, path) else problem_of(content, path),
    )


def _changed(
    good: GoodState,
    path: str,
    *,
    now_sha256: str | None,
    summary: str,
    stamp: Stamp | None = None,
    diff_sha256: str = "",
    problem: str = "",
) -> GoodFile:
    assert good.state.sha256 is not None
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


def summary_of(was: bytes, now: bytes, path: str) -> str:
    """How many lines differ, and which keys where the format is known. No values: they may be secrets."""
    matcher = difflib.SequenceMatcher(a=was.splitlines(), b=now.splitlines(), autojunk=False)
    count = sum(max(a2 - a1, b2 - b1) for tag, a1, a2, b1, b2 in matcher.get_opcodes() if tag != "equal")
    words = f"{count} line differs" if count == 1 else f"{count} lines differ"
    keys = keys_changed(was, now, path)
    if not keys:
        return words
    more = f" and {len(keys) - KEYS_NAMED} more" if len(keys) > KEYS_NAMED else ""
    return f"{words}: {', '.join(keys[:KEYS_NAMED])}{more}"


def _diff(was: bytes, now: bytes, good: GoodState, stamp: Stamp) -> bytes:
    """For people: what does not decode shows as U+FFFD, what looks like a secret as ***."""
    lines = difflib.unified_diff(
        was.decode("utf-8", "replace").splitlines(),
        now.decode("utf-8", "replace").splitlines(),
        f"{good.path} (verified healthy {_second(good.at)} UTC)",
        f"{good.path} (changed {_second(stamp.changed_at)} UTC)",
        lineterm="",
    )
    return (masked("\n".join(lines)) + "\n").encode()


def _second(at: float) -> str:
    """20261121T113000"""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%S")
