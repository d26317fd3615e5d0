"""What puts back: facts in, steps out."""

import pytest

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.facts import GoodFile, NumberFacts, ReleaseFacts
from autonomyd.model.service import RunState
from autonomyd.model.step import (
    ReloadService,
    RestartService,
    SetNumber,
    StartService,
    StopService,
    SwitchLink,
    WriteFile,
    write_set,
)
from autonomyd.testing import issue, service, situation

BY_NAME = {each.name: each for each in BUNDLED}
CONFIG = BY_NAME["restore-last-good-config"]
RELEASE = BY_NAME["restore-last-good-release"]
TUNE = BY_NAME["tune-rate-limited"]

OWNED = {"mode": 0o640, "uid": 7, "gid": 8}
EDITED = GoodFile(
    path="/etc/app.toml", good_sha256="good", good_at=1.0, now_sha256="bad", changed_at=2.0,
    aside="/etc/app.toml.autonomyd-bad-20261121T113000", diff_sha256="diff", summary="1 line differs: a", **OWNED,
)  # fmt: skip
GONE = GoodFile(
    path="/etc/b.env", good_sha256="b", good_at=1.0, now_sha256=None, changed_at=None, aside="", diff_sha256="",
    summary="the file is gone", **OWNED,
)  # fmt: skip
PUT_BACK = (
    WriteFile(path=EDITED.aside, sha256="bad", before_sha256=None, **OWNED),
    WriteFile(path=f"{EDITED.aside}.diff", sha256="diff", before_sha256=None, **OWNED),
    WriteFile(path="/etc/app.toml", sha256="good", before_sha256="bad", **OWNED),
)
MADE_ANEW = (WriteFile(path="/etc/b.env", sha256="b", before_sha256=None, **OWNED),)
AFRESH = {
    RunState.GONE: (StartService(service="web"),),
    RunState.RUNNING: (RestartService(service="web"),),
    RunState.STARTING: (RestartService(service="web"),),
    RunState.FROZEN: (StopService(service="web", force=True), StartService(service="web")),
}


@pytest.mark.parametrize("run", AFRESH)
def test_every_changed_file_is_put_back_together_and_the_present_one_is_kept(run):
    now = situation(service(run), config=(EDITED, GONE))
    assert CONFIG.steps(issue(), now) == (*PUT_BACK, *MADE_ANEW, *AFRESH[run])
    assert write_set(CONFIG.steps(issue(), now)) == (
        EDITED.aside, f"{EDITED.aside}.diff", "/etc/app.toml", "/etc/b.env",
    )  # fmt: skip
    assert "1 line differs: a" in " ".join(CONFIG.preview(issue(), now))


@pytest.mark.parametrize(
    ("about", "config"), [(service(), ()), (None, (EDITED,)), (service(RunState.UNKNOWN), (EDITED,))]
)
def test_nothing_is_put_back_without_a_difference_or_knowledge(about, config):
    now = situation(about, config=config)
    assert CONFIG.steps(issue(), now) == ()
    assert CONFIG.why_nothing(issue(), now)


def test_the_link_goes_back_to_the_good_release():
    release = ReleaseFacts(link="/srv/web/current", now="releases/2", good="releases/1")
    now = situation(service(RunState.GONE), release=release)
    assert RELEASE.steps(issue(), now) == (
        SwitchLink(path="/srv/web/current", target="releases/1", before="releases/2"), StartService(service="web"),
    )  # fmt: skip
    assert "releases/1 again" in RELEASE.preview(issue(), now)[0]


@pytest.mark.parametrize(
    ("release", "word"),
    [
        (None, "no `release`"),
        (ReleaseFacts(link="/l", now="2", good=None), "verified healthy yet"),
        (ReleaseFacts(link="/l", now="1", good="1"), "last verified healthy: 1"),
    ],
)
def test_a_release_that_is_good_or_unknown_stays(release, word):
    now = situation(service(), release=release)
    assert RELEASE.steps(issue(), now) == ()
    assert word in RELEASE.why_nothing(issue(), now)


def number(name="delay", toward=1.2, helps=(Cause.RATE_LIMITED,)):
    return NumberFacts(
        name=name, path="/etc/app.toml", format="toml", key=f"client.{name}", value=0.8, toward=toward, floor=0.1,
        ceiling=5.0, helps=frozenset(helps),
    )  # fmt: skip


SET = SetNumber(path="/etc/app.toml", format="toml", key="client.delay", before=0.8, after=1.2)


def test_one_number_is_changed_by_one_step_and_the_service_reads_it():
    numbers = (number("full", toward=None), number("other", helps=(Cause.MEMORY_LEAK,)), number(), number("later"))
    reloads = situation(service(can_reload=True), numbers=numbers)
    assert TUNE.steps(issue(), reloads) == (SET, ReloadService(service="web"))
    assert TUNE.steps(issue(), situation(service(), numbers=numbers)) == (SET, RestartService(service="web"))
    gone = situation(service(RunState.GONE, can_reload=True), numbers=numbers)
    assert TUNE.steps(issue(), gone) == (SET, StartService(service="web"))
    assert TUNE.preview(issue(), reloads) == (
        "change delay in /etc/app.toml from 0.8 to 1.2 (allowed are 0.1 to 5)", "reload web",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ((), "no number is declared"),
        ((number(helps=(Cause.MEMORY_LEAK,)),), "no number is declared"),
        ((number(toward=None),), "may go no further (0.1 to 5)"),
    ],
)
def test_a_number_at_its_bound_stays(numbers, word):
    now = situation(service(), numbers=numbers)
    assert TUNE.steps(issue(), now) == ()
    assert word in TUNE.why_nothing(issue(), now)
