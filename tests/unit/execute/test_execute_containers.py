"""Playbooks and steps for containers: facts in, steps out; and which of a disk's remedies is meant."""

import asyncio
from dataclasses import replace

import pytest

from autonomyd.analyze.diagnosis import diagnose
from autonomyd.execute.handlers import StepFailure
from autonomyd.execute.playbooks.prune_containers import PruneContainersPlaybook
from autonomyd.execute.playbooks.recreate_container import RecreateContainerPlaybook
from autonomyd.execute.steps.containers import PruneHandler, RecreateHandler
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import CleanupPreview, ContainerFacts
from autonomyd.model.issue import IssueType
from autonomyd.model.step import PruneContainers, RecreateContainer
from autonomyd.model.subject import Subject
from autonomyd.plan.guards.consent import consent
from autonomyd.plan.proposal import Proposal
from autonomyd.testing import issue, service, situation

IDENT = "ab" * 32
RUNS = ContainerFacts(id=IDENT, name="web", state="running", health="unhealthy")
FULL = ContainerFacts(
    id="", name="", state="", removable=(IDENT,), unused_images=("sha256:" + "cd" * 32,), reclaimable_bytes=7_000_000
)
NOTHING = ContainerFacts(id="", name="", state="")
DISK = issue(IssueType.RESOURCE_EXHAUSTION, subject=Subject("disk:/var"))
RECREATE = RecreateContainerPlaybook()
PRUNE = PruneContainersPlaybook()


@pytest.mark.parametrize(
    ("about", "container", "steps"),
    [
        (service(), RUNS, (RecreateContainer(service="web"),)),
        (service(), replace(RUNS, state="exited"), (RecreateContainer(service="web"),)),
        (service(), replace(RUNS, state="removing"), ()),
        (service(), None, ()),
        (None, RUNS, ()),
    ],
)
def test_recreate(about, container, steps) -> None:
    facts = situation(about, container=container)
    assert RECREATE.steps(issue(), facts) == steps
    assert bool(RECREATE.preview(issue(), facts)) is bool(steps)
    assert RECREATE.why_nothing(issue(), facts)


@pytest.mark.parametrize(
    ("container", "steps"),
    [
        (FULL, (PruneContainers(containers=(IDENT,), images=("sha256:" + "cd" * 32,)),)),
        (NOTHING, ()),
        (None, ()),
    ],
)
def test_prune(container, steps) -> None:
    facts = situation(None, container=container)
    assert PRUNE.steps(DISK, facts) == steps
    if steps:
        assert PRUNE.preview(DISK, facts) == (
            "remove 1 ended containers and 1 unused images, 7.0 MB at most",
            "container abababababab",
            "image cdcdcdcdcdcd",
        )
    assert PRUNE.why_nothing(DISK, facts)


def test_the_configuration_is_the_consent_to_prune() -> None:
    facts = situation(None, container=FULL)
    proposal = Proposal(issue=DISK, situation=facts, diagnosis=diagnose(DISK, facts), strategy=PRUNE,
                        steps=PRUNE.steps(DISK, facts))  # fmt: skip
    assert consent(proposal).refusal is None


@pytest.mark.parametrize(
    ("files", "container", "cause"),
    [
        (("/var/log/a.1",), FULL, Cause.DISK_FILLING),
        ((), FULL, Cause.CONTAINER_SPACE),
        (None, FULL, Cause.CONTAINER_SPACE),
        ((), NOTHING, Cause.DISK_FILLING),
        ((), None, Cause.DISK_FILLING),
    ],
)
def test_containers_go_when_no_log_is_left_to_go(files, container, cause) -> None:
    cleanup = None if files is None else CleanupPreview(root="/var/log", files=files, total_bytes=1)
    found = diagnose(DISK, situation(None, cleanup=cleanup, container=container))
    assert found.cause is not None
    assert found.cause.cause is cause


class Hands:
    def __init__(self, *, taken_back: str | None = None, pruned: tuple[int, tuple[str, ...]] = (0, ())) -> None:
        self.acts: list[str] = []
        self._taken_back = taken_back
        self._pruned = pruned

    async def recreate(self, service: str) -> str:
        self.acts.append(f"recreate {service}")
        return "made anew"

    async def take_back(self, service: str) -> str | None:
        self.acts.append(f"take back {service}")
        return self._taken_back

    async def prune(self, containers: tuple[str, ...], images: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
        self.acts.append(f"prune {containers} {images}")
        return self._pruned


def test_recreate_is_applied_and_taken_back() -> None:
    hands = Hands(taken_back="the old one again")
    handler = RecreateHandler(hands)
    step = RecreateContainer(service="web")
    assert asyncio.run(handler.apply(step)).message == "made anew"
    undone = asyncio.run(handler.undo(step))
    assert undone is not None
    assert undone.message == "the old one again"
    assert hands.acts == ["recreate web", "take back web"]
    assert asyncio.run(RecreateHandler(Hands()).undo(step)) is None


def test_a_prune_tells_what_went_and_what_stayed() -> None:
    step = PruneContainers(containers=("a", "b"), images=("c",))
    done = asyncio.run(PruneHandler(Hands(pruned=(2, ("b: it runs again",)))).apply(step))
    assert done.message == "removed 2 of 3 containers and images; left alone: b: it runs again"
    with pytest.raises(StepFailure, match="nothing was removed: c: in use"):
        asyncio.run(PruneHandler(Hands(pruned=(0, ("c: in use",)))).apply(step))
