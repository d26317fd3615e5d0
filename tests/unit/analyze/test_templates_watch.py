"""New, surging and vanished templates are told; an ordinary log with its bursts and its nights is not."""

import json
import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.analyze.templates import NewsKind, TemplateMiner, TemplateNews, TemplateWatch
from autonomyd.analyze.templates.trouble import looks_like_trouble
from autonomyd.analyze.templates.watch import MOST_NEWS

MINUTE = 60.0
WORDS = ("amber", "birch", "cedar", "dahlia", "elder", "fern", "gorse", "hazel", "iris", "jasmine", "kelp", "laurel")


def _poisson(r: random.Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), r.random(), 0
    while product > limit:
        product *= r.random()
        count += 1
    return count


def _ordinary(minute: int, r: random.Random, *, busy: float = 1.0) -> list[str]:
    """One minute of a log: steady, rare, bursty and daily lines; a batch job every hour; errors now and then."""
    lines = [
        f"INFO served {word} page in {r.randint(1, 99)} ms" for word in WORDS[:4] for _ in range(_poisson(r, 3 * busy))
    ]
    lines += [f"INFO heartbeat of {r.randint(1, 9)}"]
    for place, word in enumerate(WORDS[4:]):
        burst = (1, 2, 7)[place % 3]
        for _ in range(_poisson(r, 0.3 * busy / burst)):
            lines += [f"INFO moved {word} box to shelf {r.randint(1, 99)}"] * r.randint(1, 2 * burst)
    lines += [f"ERROR could not fetch the price of {r.randint(1, 99)}"] * (_poisson(r, 0.05) * r.randint(1, 3))
    if minute % 60 == 30:
        lines += [f"INFO report {r.randint(1, 99)} written"] * 150
    return lines


class Log:
    """A watch that is fed minute by minute."""

    def __init__(self, *, seed: int = 1, watch: TemplateWatch | None = None, at: float = 1e9) -> None:
        self.watch = watch or TemplateWatch(TemplateMiner())
        self.at = at
        self.minute = 0
        self._random = random.Random(seed)

    def run(self, minutes: int, *extra: str, busy: float = 1.0, without: str = "\n") -> Iterator[list[TemplateNews]]:
        for _ in range(minutes):
            self.minute += 1
            self.at += MINUTE
            lines = [*_ordinary(self.minute, self._random, busy=busy), *extra]
            self.watch.add_block([line for line in lines if without not in line], self.at)
            yield self.watch.turn(self.at)

    def last(self, minutes: int, *extra: str, busy: float = 1.0, without: str = "\n") -> list[TemplateNews]:
        return list(self.run(minutes, *extra, busy=busy, without=without))[-1]


@pytest.mark.parametrize("seed", [1, 2])
def test_ordinary_logs_stay_silent(seed: int) -> None:
    log = Log(seed=seed)
    for minute in range(10 * 60):
        busy = 1.0 + 0.6 * math.sin(2 * math.pi * minute / 1440)
        assert next(log.run(1, busy=busy)) == [], minute


def test_it_learns_for_an_hour() -> None:
    log = Log()
    assert all(news == [] for news in log.run(58, "FATAL everything is on fire"))
    assert log.watch.learning
    log.last(4)
    assert not log.watch.learning


def test_a_quiet_log_is_known_after_a_day() -> None:
    watch = TemplateWatch(TemplateMiner())
    for hour in range(24 * 12 + 1):
        watch.add_block(["started"], hour * 300.0)
        watch.turn(hour * 300.0)
    assert not watch.learning


def test_errors_that_surge_are_told_within_two_minutes_until_they_are_over() -> None:
    log = Log()
    log.last(150)
    error = "ERROR could not fetch the price of 7"
    (news,) = log.last(2, *[error] * 30)
    assert (news.kind, news.trouble, news.example) == (NewsKind.SURGING, True, error)
    assert (
        news.template == "ERROR could not fetch the price of <*>" or news.template == "could not fetch the price of <*>"
    )
    assert news.count >= 30
    assert news.now_per_h >= 360.0
    assert news.before_per_h < 20.0
    assert 0.0 <= log.at - news.since <= 2 * MINUTE
    assert [each.kind for each in log.last(10, *[error] * 30)] == [NewsKind.SURGING]
    assert log.last(12) == []


def test_the_next_surge_of_errors_is_told_again_and_one_that_lasts_becomes_usual() -> None:
    log = Log()
    log.last(150)
    error = "ERROR could not fetch the price of 7"
    assert log.last(3, *[error] * 30) != []
    log.last(60)
    assert log.last(3, *[error] * 40) != []
    assert log.last(80, *[error] * 40) == []


def test_a_new_template_is_told_for_an_hour_and_a_single_strange_line_is_not() -> None:
    log = Log()
    log.last(200)
    assert log.last(1, "INFO something never said before happened once") == []
    (news,) = log.last(1, "ERROR the tank of pump 7 is cracked")
    assert (news.kind, news.trouble, news.count) == (NewsKind.NEW, True, 1)
    (news,) = log.last(58)
    assert news.kind is NewsKind.NEW
    assert log.last(5) == []


def test_in_a_log_that_always_says_something_new_new_is_no_news() -> None:
    r = random.Random(4)
    watch = TemplateWatch(TemplateMiner())
    for minute in range(150):
        text = " ".join("".join(r.choice("abcdefghij") for _ in range(6)) for _ in range(r.randint(3, 9)))
        watch.add_block([f"INFO served page {minute}"] * 10 + [text] * 4, minute * MINUTE)
        assert watch.turn(minute * MINUTE) == []


def test_a_heartbeat_that_stops_is_told_until_it_comes_again() -> None:
    log = Log()
    log.last(200)
    news = log.last(140, without="heartbeat")
    assert [(each.kind, each.count, each.trouble) for each in news] == [(NewsKind.VANISHED, 0, False)]
    assert "heartbeat" in news[0].example
    assert log.at - news[0].since >= 135 * MINUTE
    assert log.last(2) == []


def test_what_comes_again_after_days_is_not_new() -> None:
    watch = TemplateWatch(TemplateMiner())
    for window in range(3 * 288):
        lines = ["served a page"] * 9 + ["monthly report written"] * (9 if window in (20, 800) else 0)
        watch.add_block(lines, window * 300.0)
        assert all(each.kind is NewsKind.NEW and window < 40 for each in watch.turn(window * 300.0)), window


def test_when_the_whole_log_is_silent_nothing_has_vanished() -> None:
    log = Log()
    log.last(200)
    for _ in range(200):
        log.at += MINUTE
        assert log.watch.turn(log.at) == []


def test_what_was_written_while_nobody_read_is_no_surge() -> None:
    log = Log()
    log.last(150)
    log.at += 8 * 3600.0
    error = "ERROR could not fetch the price of 7"
    log.watch.add_block([error] * 5_000, log.at)
    assert log.watch.turn(log.at) == []
    assert log.last(5) == []


def test_dumped_and_loaded_it_goes_on() -> None:
    log = Log()
    log.last(150)
    again = TemplateWatch.load(json.loads(json.dumps(log.watch.dump())))
    later = Log(seed=9, watch=again, at=5e9)
    assert not again.learning
    group = again.miner.groups()[0]
    assert again.rate_per_h(group) == log.watch.rate_per_h(group) > 100.0
    again.add_block(["ERROR could not fetch the price of 7"] * 500, later.at)
    assert later.last(20) == []
    assert later.last(2, *["ERROR could not fetch the price of 7"] * 30) != []


@pytest.mark.parametrize("broken", [{}, {"version": 9}, {"version": 1, "miner": {}}])
def test_what_was_not_dumped_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="template"):
        TemplateWatch.load(broken)


def test_a_dump_with_other_figures_is_refused() -> None:
    data = TemplateWatch(TemplateMiner()).dump()
    for broken in ({**data, "clock": "nan"}, {**data, "paces": [[1, 2.0]]}, {**data, "paces": 7}):
        with pytest.raises(ValueError, match=r"number|figures|template"):
            TemplateWatch.load(broken)


def test_at_most_twenty_are_told_trouble_first() -> None:
    log = Log()
    log.last(200)
    other = [f"INFO a {one} of {two} came along here" for one in WORDS for two in WORDS[:2]]
    news = log.last(1, *other * 4, "ERROR the tank of pump 7 is cracked")
    assert len(news) <= MOST_NEWS
    assert news[0].trouble


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([float("nan"), float("inf"), -5.0, 0.0, 60.0, 60.0, 400.0, 1e12]), st.integers(0, 40)
        ),
        max_size=40,
    )
)
def test_any_times_will_do(steps: list[tuple[float, int]]) -> None:
    watch = TemplateWatch(TemplateMiner())
    for at, lines in steps:
        watch.add_block([f"ERROR {'x' * (each % 5)} failed" for each in range(lines)], at)
        for news in watch.turn(at):
            assert math.isfinite(news.now_per_h)
    TemplateWatch.load(json.loads(json.dumps(watch.dump(), allow_nan=False)))


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("2026-05-04 10:11:12 ERROR web: no", True),
        ("kernel: Out of memory: Killed process 7", True),
        ("connection to 10.0.0.7 timed out", True),
        ("2026-05-04 10:11:12 INFO web: 0 errors", False),
        ('{"level":"info","msg":"retry failed"}', False),
        ("served the page", False),
    ],
)
def test_words_of_failure_are_trouble_unless_the_line_says_it_is_information(line: str, trouble: bool) -> None:
    assert looks_like_trouble(line) is trouble
