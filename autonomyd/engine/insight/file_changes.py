"""Watches the files that configure services, and the links of their releases: was one changed, and when? Unlike the
snapshots of what was verified healthy this looks at ill services as well. Costs a stat a file and look."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from autonomyd.aio.offload import in_thread
from autonomyd.analyze.timeline import CONFIG_CHANGED, RELEASE_CHANGED
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.managed import ManagedService
from autonomyd.host.config_files import Stamp, UnsteadyFile, link_of, stamp_of, steady_content
from autonomyd.host.objects import name_of
from autonomyd.model.subject import Subject

Tell = Callable[[str, Subject, str, float], None]
"""(kind of the change, its subject, words, when in epoch seconds)."""

GONE = ""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file as it was looked at last: `value` is the hash of its content, or where the link points ("": gone)."""

    stamp: Stamp | None
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    service: str
    subject: Subject
    path: str
    link: bool


class FileChanges:
    """`tell` hears of every change of a content; that a file was touched, or got another owner, is none."""

    def __init__(self, known: KnownGood, tell: Tell) -> None:
        self._known = known
        self._tell = tell
        self._seen: dict[tuple[str, str], _Seen] = {}

    def forget_all_but(self, services: Iterable[str]) -> None:
        """Let go of services that are no longer configured."""
        kept = set(services)
        for key in [key for key in self._seen if key[0] not in kept]:
            del self._seen[key]

    async def look(self, services: Iterable[ManagedService], *, now: float) -> None:
        """Look at the files of `services`; `now` is epoch seconds."""
        watched = [each for service in services for each in _watched(service)]
        if not watched:
            return
        seen = dict(self._seen)
        for each, found in await in_thread(lambda: _looked(watched, seen)):
            key = (each.service, each.path)
            before = self._seen.get(key)
            self._seen[key] = found
            was = self._good(each) if before is None else before.value
            if before is None and not found.value:
                continue  # gone since who knows when
            if was is not None and was != found.value:
                at = now if found.stamp is None else min(found.stamp.changed_at, now)
                self._tell(RELEASE_CHANGED if each.link else CONFIG_CHANGED, each.subject, _words(each, found), at)

    def _good(self, each: _Watched) -> str | None:
        """What it was when the service was last verified healthy, perhaps by an earlier run; None when never."""
        goods = self._known.goods_of(each.service, each.path)
        return goods[0].value if goods else None


def _watched(service: ManagedService) -> Iterable[_Watched]:
    for path in service.settings.config_files:
        yield _Watched(service=service.name, subject=service.subject, path=path, link=False)
    release = service.settings.release
    if release is not None:
        yield _Watched(service=service.name, subject=service.subject, path=release.link, link=True)


def _looked(watched: list[_Watched], seen: dict[tuple[str, str], _Seen]) -> list[tuple[_Watched, _Seen]]:
    """Those that differ from when they were seen last. What can't be looked at now tells nothing. For a thread."""
    found = []
    for each in watched:
        before = seen.get((each.service, each.path))
        try:
            now = _state(each, before)
        except (OSError, UnsteadyFile) as error:
            log.debug("change_not_seen", path=each.path, reason=str(error))
            continue
        if now is not None:
            found.append((each, now))
    return found


def _state(each: _Watched, before: _Seen | None) -> _Seen | None:
    if each.link:
        link = link_of(each.path)
        stamp, target = link if link is not None else (None, GONE)
        return None if before is not None and before.stamp == stamp else _Seen(stamp=stamp, value=target)
    stamp = stamp_of(each.path)
    if before is not None and before.stamp == stamp:
        return None
    if stamp is None:
        return _Seen(stamp=None, value=GONE)
    return _Seen(stamp=stamp, value=name_of(steady_content(each.path, stamp)))


def _words(each: _Watched, found: _Seen) -> str:
    if each.link:
        return f"{each.path} -> {found.value or 'nothing'}"
    return each.path if found.value else f"{each.path} (now gone)"
