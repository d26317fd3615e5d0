"""Let the link of the release point again to the one with which the service was last verified healthy."""

from dataclasses import dataclass

from autonomyd.execute.playbooks.afresh import afresh, afresh_words
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import ReleaseFacts, Situation
from autonomyd.model.issue import Issue
from autonomyd.model.plan import Risk
from autonomyd.model.step import RestartService, StartService, Step, StopService, SwitchLink


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreLastGoodRelease:
    """The bad release stays where it is; only the link moves."""

    name: str = "restore-last-good-release"
    causes: frozenset[Cause] = frozenset({Cause.RELEASE_CHANGED})
    rung: int = 0
    risk: Risk = Risk.MEDIUM
    disruptive: bool = True
    reversible: bool = True
    consented: bool = False
    reads: frozenset[str] = frozenset({"service", "release"})
    yields: frozenset[type] = frozenset({SwitchLink, StartService, StopService, RestartService})

    def steps(self, issue: Issue, situation: Situation) -> tuple[Step, ...]:
        service, release = situation.service, situation.release
        if service is None or release is None or release.good is None or not release.changed:
            return ()
        again = afresh(service)
        switch = SwitchLink(path=release.link, target=release.good, before=release.now)
        return (switch, *again) if again else ()

    def why_nothing(self, issue: Issue, situation: Situation) -> str:
        release: ReleaseFacts | None = situation.release
        if release is None:
            return "it has no `release` link"
        if release.good is None:
            return "no release of it that is still there has been verified healthy yet"
        if not release.changed:
            return f"it runs the release that was last verified healthy: {release.now}"
        return "whether it runs is not known"

    def preview(self, issue: Issue, situation: Situation) -> tuple[str, ...]:
        service, release = situation.service, situation.release
        if service is None or release is None or release.good is None:
            return ()
        return (f"let {release.link} point to {release.good} again, and no longer to {release.now}",
                *afresh_words(service))  # fmt: skip
