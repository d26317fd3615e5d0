"""Which release a service runs, and which one was last verified healthy."""

from autonomyd.aio.offload import in_thread
from autonomyd.engine.known_good import KnownGood
from autonomyd.engine.managed import ManagedService
from autonomyd.host.config_files import leads_somewhere, link_of, real_link
from autonomyd.model.facts import ReleaseFacts
from autonomyd.model.issue import Issue
from autonomyd.model.known_good import GoodState


class ReleaseReader:
    """Fills `Situation.release`."""

    field = "release"

    def __init__(self, known: KnownGood) -> None:
        self._known = known

    def wants(self, issue: Issue, service: ManagedService | None) -> bool:
        return service is not None and service.settings.release is not None

    async def read(self, issue: Issue, service: ManagedService | None) -> ReleaseFacts:
        """Raises OSError when there is no link, or it can't be looked at."""
        assert service is not None
        assert service.settings.release is not None
        link = service.settings.release.link
        goods = self._known.goods_of(service.name, link)
        return await in_thread(lambda: _facts(link, goods))


def _facts(link: str, goods: tuple[GoodState, ...]) -> ReleaseFacts:
    """The newest good release that is still there; one that was cleaned away can't be gone back to. For a thread."""
    found = link_of(link)
    if found is None:
        raise FileNotFoundError(f"the link {link} of the release is not there")
    stamp, now = found
    good = next((each for each in goods if leads_somewhere(link, each.state.target or "")), None)
    return ReleaseFacts(
        link=real_link(link),
        now=now,
        good=None if good is None else good.state.target,
        good_at=None if good is None else good.at,
        changed_at=stamp.changed_at,
    )
