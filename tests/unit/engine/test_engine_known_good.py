"""What counts as known good, what differs from it, and where a number would go: real files, no daemon."""

import os
import time
from dataclasses import replace

import pytest

from autonomyd.analyze.detectors.streak import StreakDetector
from autonomyd.engine.facts.config import ConfigReader
from autonomyd.engine.facts.difference import MIDDLE_LINES, difference
from autonomyd.engine.facts.numbers import NumbersReader, next_value
from autonomyd.engine.facts.release import ReleaseReader
from autonomyd.engine.known_good import ALIVE_S, ALIVE_UNCHECKED_S, KEPT, KnownGood
from autonomyd.engine.managed import ManagedCheck, ManagedService
from autonomyd.host.editing.place import EditRefused
from autonomyd.host.objects import ObjectError, ObjectStore
from autonomyd.model.reading import Reading, ReadingState
from autonomyd.model.service import RunState, ServiceRun, ServiceState
from autonomyd.model.subject import Subject
from autonomyd.settings.release import ReleaseSettings
from autonomyd.settings.service import CheckSettings
from autonomyd.settings.tune import NumberSettings, TuneSettings
from autonomyd.testing import FakeControl, ManualClock, issue, service_settings

GOOD = b'a = 1\npassword = "hunter2"\n'


class Stage:
    """A service that came up `alive_s` ago, with a configuration file and a release link."""

    def __init__(self, folder, *, checks=True):
        self.folder = folder
        self.clock = ManualClock(wall=time.time() + 1.0)
        self.objects = ObjectStore(folder / "objects")
        self.kept = []
        self.config = folder / "app.toml"
        self.config.write_bytes(GOOD)
        self.link = folder / "current"
        for release in ("v1", "v2"):
            (folder / release).mkdir()
        self.link.symlink_to("v1")
        settings = service_settings().model_copy(
            update={"config_files": (str(self.config),), "release": ReleaseSettings(link=str(self.link))}
        )
        self.service = ManagedService(name="web", settings=settings, control=FakeControl(pid=5))
        if checks:
            self.service.checks["http"] = ManagedCheck(
                name="http", probe="web.http", settings=CheckSettings(type="http"), streak=StreakDetector(2)
            )
        self.known = KnownGood(
            clock=self.clock, services=lambda: {"web": self.service}, objects=self.objects, remember=self.kept.append
        )
        self.known.restore(())
        self.start()

    def start(self):
        """A new process runs."""
        self.service.run = ServiceRun(state=RunState.RUNNING, pid=5, started_at=self.clock.wall())
        self.service.begin(self.clock.monotonic())
        self.service.state = ServiceState.UP

    def pass_time(self, seconds=ALIVE_S, *, passes=2, state=ReadingState.OK):
        self.clock.advance(seconds)
        for check in self.service.checks.values():
            for _ in range(passes):
                at = self.clock.monotonic()
                self.service.hear(
                    check, Reading(subject=Subject("service:web"), probe="web.http", at=at, state=state), at
                )

    async def settled(self):
        """Restarted on what is there now, and verified."""
        self.clock.set_wall(max(self.clock.wall(), time.time() + 1.0))
        self.start()
        self.pass_time()
        return await self.known.look(self.service)

    def goods(self, path=None):
        return self.known.goods_of("web", str(path or self.config))


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


async def test_what_a_verified_process_has_read_is_kept(stage):
    stage.pass_time()
    assert await stage.known.look(stage.service)
    (config, release) = stage.kept
    assert stage.objects.get(config.state.sha256) == GOOD
    assert config.state.mode == stage.config.stat().st_mode & 0o7777
    assert release.state.target == "v1"
    assert stage.known.referenced() == {config.state.sha256}
    assert await stage.known.look(stage.service)
    assert len(stage.kept) == 2


@pytest.mark.parametrize(
    ("alive_s", "passes", "state", "change"),
    [
        (ALIVE_S - 0.1, 2, ReadingState.OK, {}),
        (ALIVE_S, 1, ReadingState.OK, {}),
        (ALIVE_S, 2, ReadingState.UNKNOWN, {}),
        (ALIVE_S, 2, ReadingState.FAILED, {}),
        (ALIVE_S, 2, ReadingState.OK, {"state": ServiceState.FAILING}),
        (ALIVE_S, 2, ReadingState.OK, {"state": ServiceState.UNKNOWN}),
        (ALIVE_S, 2, ReadingState.OK, {"holders": 1}),
        (ALIVE_S, 2, ReadingState.OK, {"operating": "restart"}),
        (ALIVE_S, 2, ReadingState.OK, {"run": ServiceRun(state=RunState.RUNNING, pid=5)}),
    ],
)
async def test_what_is_not_verified_is_not_kept(stage, alive_s, passes, state, change):
    stage.pass_time(alive_s, passes=passes, state=state)
    for name, value in change.items():
        setattr(stage.service, name, value)
    assert not await stage.known.look(stage.service)
    assert not stage.kept


async def test_a_check_that_can_not_tell_now_leaves_it_open(stage):
    stage.pass_time()
    stage.pass_time(1.0, passes=1, state=ReadingState.UNKNOWN)
    assert not await stage.known.look(stage.service)


async def test_without_checks_a_longer_life_is_asked_for(tmp_path):
    stage = Stage(tmp_path, checks=False)
    stage.pass_time(ALIVE_UNCHECKED_S - 1)
    assert not await stage.known.look(stage.service)
    stage.pass_time(1.0)
    assert await stage.known.look(stage.service)


async def test_an_edit_under_the_running_process_proves_nothing(stage):
    await stage.settled()
    stage.service.run = replace(stage.service.run, started_at=time.time() - 60)
    stage.config.write_bytes(b"a = 2\n")
    stage.link.unlink()
    stage.link.symlink_to("v2")
    assert await stage.known.look(stage.service)
    assert stage.objects.get(stage.goods()[0].state.sha256) == GOOD
    assert stage.goods(stage.link)[0].state.target == "v1"
    await stage.settled()
    assert stage.objects.get(stage.goods()[0].state.sha256) == b"a = 2\n"
    assert stage.goods(stage.link)[0].state.target == "v2"


async def test_a_forged_modification_time_does_not_help(stage):
    await stage.settled()
    stage.service.run = replace(stage.service.run, started_at=time.time() - 60)
    stage.config.write_bytes(b"a = 2\n")
    os.utime(stage.config, (1.0, 1.0))
    await stage.known.look(stage.service)
    assert len(stage.goods()) == 1


@pytest.mark.parametrize(("content", "kept"), [(b"a = 2\n", True), (b"a = \n", False)])
async def test_after_a_reload_only_what_parses_counts(stage, content, kept):
    await stage.settled()
    stage.service.run = replace(stage.service.run, started_at=time.time() - 60)
    stage.config.write_bytes(content)
    stage.service.reloaded_at = time.time() + 1.0
    stage.service.begin(stage.clock.monotonic())
    stage.pass_time()
    assert await stage.known.look(stage.service)
    assert (stage.objects.get(stage.goods()[0].state.sha256) == content) is kept


async def test_the_last_few_are_kept_and_what_came_back_is_the_newest(stage):
    contents = [f"a = {number}\n".encode() for number in range(KEPT + 2)]
    for content in (*contents, contents[-2]):
        stage.config.write_bytes(content)
        await stage.settled()
    found = [stage.objects.get(each.state.sha256) for each in stage.goods()]
    assert found == [contents[-2], contents[-1], *contents[-3:1:-1]]


async def test_nothing_is_to_be_collected_while_the_store_can_not_be_read(stage):
    stage.known.restore(None)
    assert stage.known.referenced() is None


async def test_what_was_kept_comes_back_from_the_store(stage, tmp_path):
    await stage.settled()
    later = KnownGood(clock=stage.clock, services=dict, objects=stage.objects, remember=stage.kept.append)
    later.restore(stage.kept)
    assert later.goods_of("web", str(stage.config)) == stage.goods()


# --- the facts -----------------------------------------------------------------------------------------------------


async def config_facts(stage):
    reader = ConfigReader(stage.known, stage.objects)
    assert reader.wants(issue(), stage.service)
    return await reader.read(issue(), stage.service)


async def test_no_difference_is_no_fact(stage):
    assert not ConfigReader(stage.known, stage.objects).wants(issue(), stage.service)
    await stage.settled()
    stage.config.write_bytes(GOOD)
    assert await config_facts(stage) == ()


async def test_a_difference_is_told_without_secrets_and_kept_aside(stage):
    await stage.settled()
    stage.config.chmod(0o640)
    stage.config.write_bytes(b'a = 2\npassword = "hunter3"\n[b]\nc = 1\n')
    (found,) = await config_facts(stage)
    assert found.summary == "4 lines differ: a, password, b.c"
    assert found.problem == ""
    assert stage.objects.get(found.good_sha256) == GOOD
    assert stage.objects.get(found.now_sha256) == stage.config.read_bytes()
    diff = stage.objects.get(found.diff_sha256).decode()
    assert "-a = 1" in diff
    assert "hunter" not in diff
    assert found.aside.startswith(f"{stage.config}.autonomyd-bad-20")
    assert await config_facts(stage) == (found,)  # asked again it says the same, so that an approval stays valid
    for taken in (found.aside, f"{found.aside}-2.diff"):
        open(taken, "w").close()
    (again,) = await config_facts(stage)
    assert again.aside == f"{found.aside}-3"


async def test_what_does_not_parse_any_more_is_said(stage):
    await stage.settled()
    stage.config.write_bytes(b"a = \n")
    (found,) = await config_facts(stage)
    assert "no valid TOML" in found.problem


async def test_what_never_was_of_its_format_is_no_problem(stage):
    stage.config.write_bytes(b"# not toml at all\nlisten 80;\n")
    await stage.settled()
    stage.config.write_bytes(b"# not toml at all\nlisten 81;\n")
    (found,) = await config_facts(stage)
    assert found.problem == ""
    assert found.summary == "1 line differs"


async def test_a_file_that_is_gone_is_a_difference(stage):
    await stage.settled()
    stage.config.unlink()
    (found,) = await config_facts(stage)
    assert (found.now_sha256, found.aside, found.summary) == (None, "", "the file is gone")


async def test_a_good_content_that_is_lost_makes_the_fact_unread(stage):
    await stage.settled()
    (stage.objects.folder / stage.goods()[0].state.sha256).unlink()
    stage.config.write_bytes(b"a = 2\n")
    with pytest.raises(ObjectError):
        await config_facts(stage)


def told(was, now, path="/x.toml"):
    return difference(was, now, path, was_name="was", now_name="now")


def test_only_a_few_keys_are_named():
    was = "".join(f"k{number} = 1\n" for number in range(8)).encode()
    assert told(was, was.replace(b"= 1", b"= 2")).summary == "8 lines differ: k0, k1, k2, k3, k4 and 3 more"


@pytest.mark.parametrize("at", [0, 1, 50, 98, 99])
def test_a_hunk_stands_at_its_line(at):
    lines = [f"line {number}" for number in range(100)]
    changed = [*lines[:at], "other", *lines[at + 1 :]]
    found = told("\n".join(lines).encode(), "\n".join(changed).encode(), "/x.conf")
    first = max(0, at - 3)
    length = min(100, at + 4) - first
    assert f"@@ -{first + 1},{length} +{first + 1},{length} @@\n" in found.diff
    assert found.summary == "1 line differs"
    assert found.diff.count("\n-") == found.diff.count("\n+") - 1 == 1


def test_lines_that_came_or_went_are_counted():
    assert told(b"a\nb\n", b"a\nx\ny\nb\n", "/c").summary == "2 lines differ"
    assert told(b"a\na\n", b"a\n", "/c").summary == "1 line differs"
    assert told(b"", b"a\n", "/c").summary == "1 line differs"


def test_a_file_that_is_all_another_is_told_in_bounded_time():
    was, now = (b"".join(b"%s%d\n" % (name, number) for number in range(20 * MIDDLE_LINES)) for name in (b"a", b"b"))
    found = told(was, now, "/x.conf")
    assert found.summary == f"{20 * MIDDLE_LINES} lines differ"


async def test_the_release_names_the_newest_good_one_that_is_still_there(stage):
    reader = ReleaseReader(stage.known)
    first = await reader.read(issue(), stage.service)
    assert (first.now, first.good, first.changed) == ("v1", None, False)
    await stage.settled()
    stage.link.unlink()
    stage.link.symlink_to("v2")
    changed = await reader.read(issue(), stage.service)
    assert (changed.now, changed.good, changed.changed) == ("v2", "v1", True)
    (stage.folder / "v1").rmdir()
    assert (await reader.read(issue(), stage.service)).good is None
    stage.link.unlink()
    with pytest.raises(FileNotFoundError):
        await reader.read(issue(), stage.service)


def tuned(stage, **more):
    fields = {"name": "a", "file": str(stage.config), "format": "toml", "key": "a", "floor": 1, "ceiling": 3}
    tune = TuneSettings(**(fields | {"helps": ("rate_limited",)} | more))
    stage.service.settings = stage.service.settings.model_copy(update={"tune": (tune,)})
    return NumbersReader()


async def test_a_number_is_read_with_its_next_step(stage):
    (found,) = await tuned(stage).read(issue(), stage.service)
    assert (found.value, found.toward, found.path) == (1.0, 2.0, str(stage.config))
    assert found.helps == {"rate_limited"}


async def test_a_number_that_is_not_there_once_makes_the_fact_unread(stage):
    with pytest.raises(EditRefused, match=r"a: .*not there"):
        await tuned(stage, key="b").read(issue(), stage.service)
    with pytest.raises(FileNotFoundError):
        await tuned(stage, file="/no/such/file").read(issue(), stage.service)


@pytest.mark.parametrize(
    ("value", "factor", "whole", "expected"),
    [
        (0.8, 1.5, False, 1.2),
        (4.0, 1.5, False, 5.0),
        (5.0, 1.5, False, None),
        (9.0, 1.5, False, None),
        (0.8, 0.5, False, 0.5),
        (0.5, 0.5, False, None),
        (0.1, 0.5, False, None),
        (0.1, 1.5, False, 0.5),
        (1.0, 1.5, True, 2.0),
        (3.0, 0.9, True, 2.0),
        (1.0, 0.9, True, None),
        (0.0, 1.5, False, 0.5),
        (-1.0, 1.5, False, 0.5),
    ],
)
def test_a_step_is_bounded_and_goes_one_way_only(value, factor, whole, expected):
    settings = NumberSettings(name="n", file="/f", format="toml", key="k", floor=0.5, ceiling=5.0, factor=factor)
    assert next_value(value, settings, whole=whole) == expected
