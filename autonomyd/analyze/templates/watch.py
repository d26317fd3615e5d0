"""Which templates of a log are new, surging or vanished: each one's rate against its own past.

Ordinary logs must stay silent, and they are bursty: a Poisson test on the mean alone would cry at every batch job. So a
surge must be beyond three times the highest window that the template ever had (fading over a week) and beyond what a
Poisson count with its mean would reach once in ten million windows; a template is gone only after three times its
longest silence while the log goes on; and new ones are told only where new ones are rare. Nothing is told before the
watch has seen an hour and a thousand lines, or a day."""

import enum
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import Any

from autonomyd.analyze.templates.miner import MAX_TEMPLATES, TemplateMiner
from autonomyd.analyze.templates.pace import GONE_S, LEAST_TROUBLE, REMEMBERED_WINDOWS, WINDOW_S, Pace
from autonomyd.analyze.templates.trouble import looks_like_trouble

LEARN_S = 3_600.0
LEARN_LINES = 1_000
LEARN_AT_MOST_S = 86_400.0
"""A quiet log is known after a day."""
NEW_S = 3_600.0
"""How long a template is new."""
NEW_LINES = 3
"""A single strange line is not worth telling, unless it looks like trouble."""
NOVELTY_PER_H = 1.0
"""Windows with something new: a log that has more an hour says new things all the time, and none of them is news."""
NOVELTY_MEMORY_S = 6 * 3_600.0
ALIVE = 0.5
"""A template can vanish only while the log has at least this part of its usual lines."""
MAX_STEP_S = 900.0
"""More time without a call was not watched."""
MOST_NEWS = 20
"""In one answer: those that look like trouble first, then those with the most lines."""
VERSION = 1


class NewsKind(enum.StrEnum):
    NEW = "new"
    SURGING = "surging"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNews:
    """What is unusual about one template now. `count`: its lines until now when it is new, those of the busiest five
    minutes when it surges. Rates are lines an hour; `before_per_h` is the template's own past. `since`: when it began,
    in the clock of `at`. `trouble`: the example looks like an error. Secrets in `template` and `example` are not
    masked; control characters in `example` are not escaped."""

    kind: NewsKind
    group: int
    template: str
    example: str
    count: int
    before_per_h: float
    now_per_h: float
    since: float
    trouble: bool


class TemplateWatch:
    """Counts the lines of the miner's groups over time. `at` is in seconds; a step back counts as no time."""

    def __init__(self, miner: TemplateMiner, *, is_trouble: Callable[[str], bool] = looks_like_trouble) -> None:
        """`is_trouble` says of an example line whether its template may be more than worth knowing."""
        self.miner = miner
        self._is_trouble = is_trouble
        self._paces: dict[int, Pace] = {}
        self._trouble: dict[int, bool] = {}
        self._clock = 0.0
        self._at: float | None = None
        self._window_began = 0.0
        self._counted = 0
        self._log_mean = 0.0
        self._novelty_per_h = 0.0
        self._behind = False
        self._caught_up = False

    @property
    def learning(self) -> bool:
        """Whether it does not know the log well enough to say anything."""
        known = self._clock >= LEARN_S and self._counted >= LEARN_LINES
        return not known and self._clock < LEARN_AT_MOST_S

    def add_block(self, lines: Iterable[str], at: float) -> None:
        """Lines that were read at `at`. After `load` and after more than a quarter of an hour without a call they may
        have been written while nobody read: they are learned, but their number says nothing about their rate."""
        self._advance(at)
        before = self.miner.lines
        if self._behind:
            self._count()
        for line in lines:
            self.miner.add(line)
        if self._behind:
            self._skip()
            self._caught_up = True
        else:
            self._counted += self.miner.lines - before

    def turn(self, at: float) -> list[TemplateNews]:
        """All news that hold at `at`, most important first: what is in the answer no more is over. To be called every
        minute or so."""
        self._advance(at)
        self._count()
        self._behind = self._behind and not self._caught_up
        elapsed = self._clock - self._window_began
        if elapsed >= WINDOW_S:
            self._close_window(elapsed)
        if self.learning:
            return []
        news = [told for number, pace in self._paces.items() if (told := self._news(number, pace)) is not None]
        news.sort(key=lambda each: (not each.trouble, each.kind is NewsKind.VANISHED, -each.count, each.group))
        return news[:MOST_NEWS]

    def rate_per_h(self, group: int) -> float:
        """Lines an hour of the group by its past; 0.0 when nothing is known."""
        pace = self._paces.get(self.miner.final(group))
        return 0.0 if pace is None else pace.per_h

    def dump(self) -> dict[str, Any]:
        """JSON values for `load`, the miner's among them. Secrets in the texts may be masked before it is stored."""
        miner = self.miner.dump()
        kept = {row[0] for row in miner["groups"]}
        self._count()
        return {
            "version": VERSION,
            "miner": miner,
            "clock": self._clock,
            "counted": self._counted,
            "window_began": self._window_began,
            "log_mean": self._log_mean,
            "novelty_per_h": self._novelty_per_h,
            "paces": [
                [number, *astuple(pace)] for number, pace in self._paces.items() if number in kept or miner["young"]
            ],
        }

    @classmethod
    def load(
        cls,
        data: Mapping[str, Any],
        *,
        max_templates: int = MAX_TEMPLATES,
        is_trouble: Callable[[str], bool] = looks_like_trouble,
    ) -> "TemplateWatch":
        """The watch that was dumped; the time until the next call counts as none. Raises ValueError for what `dump`
        did not make."""
        try:
            if data["version"] != VERSION:
                raise ValueError(f"template rates of version {data['version']!r}, not {VERSION}")
            watch = cls(TemplateMiner.load(data["miner"], max_templates=max_templates), is_trouble=is_trouble)
            watch._clock, watch._window_began = _finite(data["clock"]), _finite(data["window_began"])
            watch._counted = int(data["counted"])
            watch._log_mean, watch._novelty_per_h = _finite(data["log_mean"]), _finite(data["novelty_per_h"])
            watch._behind = True
            watch._paces = {int(number): _pace(values) for number, *values in data["paces"]}
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"these are no dumped template rates: {error!r}") from error
        return watch

    def _advance(self, at: float) -> None:
        if not math.isfinite(at):
            return
        if self._at is not None and at > self._at:
            self._clock += min(at - self._at, MAX_STEP_S)
            if at - self._at > MAX_STEP_S:
                self._behind, self._caught_up = True, False
        self._at = at

    def _count(self) -> None:
        """Take over what the miner has counted since the last look, and the merging of groups."""
        counts = self.miner.counts()
        for number in [number for number in self._paces if number not in counts]:
            pace = self._paces.pop(number)
            into = self.miner.final(number)
            if into in self._paces:
                self._paces[into].take(pace)
            elif into in counts:
                self._paces[into] = pace
        if len(self._trouble) > 2 * len(counts):
            self._trouble.clear()
        now = self._clock
        new_at = None if self.learning else now
        for number, count in counts.items():
            pace = self._paces.get(number) or self._paces.setdefault(number, Pace(first=now, last=now, new_at=new_at))
            if count > pace.seen:
                pace.come(count - pace.seen, now, self._counted)
                if pace.count >= LEAST_TROUBLE:
                    pace.judge(now, trouble=self._troubles(number))
            pace.seen = count

    def _skip(self) -> None:
        """What the miner counts from here on is new; what it has by now is known."""
        for number, count in self.miner.counts().items():
            self._paces.setdefault(number, Pace(first=self._clock, last=self._clock)).seen = count

    def _close_window(self, elapsed: float) -> None:
        windows = elapsed / WINDOW_S
        lines = sum(pace.count for pace in self._paces.values())
        novel = False
        for number, pace in self._paces.items():
            novel = novel or (pace.first > self._window_began and self._tellable(number, pace))
            if self._clock - pace.last >= GONE_S:
                self._paces[number] = Pace(first=pace.first, last=self._clock, seen=pace.seen)
            else:
                pace.close(windows, self._clock, trouble=self._troubles(number))
        known_s = self._clock - LEARN_S / 2.0
        if known_s > 0.0:
            # the first half of the learning is left out: everything is new in it
            part = min(1.0, elapsed / min(known_s, NOVELTY_MEMORY_S))
            self._novelty_per_h += (novel * 3_600.0 / elapsed - self._novelty_per_h) * part
        self._log_mean += (lines / windows - self._log_mean) * min(
            1.0, max(elapsed / self._clock, windows / REMEMBERED_WINDOWS)
        )
        self._window_began = self._clock

    def _troubles(self, number: int) -> bool:
        """Whether the template looks like trouble; asked once for each."""
        if number not in self._trouble:
            self._trouble[number] = self._is_trouble(self.miner.example(number))
        return self._trouble[number]

    def _tellable(self, number: int, pace: Pace) -> bool:
        return pace.seen >= NEW_LINES or self._troubles(number)

    def _news(self, number: int, pace: Pace) -> TemplateNews | None:
        if pace.surged_at is not None:
            return self._told(NewsKind.SURGING, number, pace, pace.surged_at)
        if pace.new_at is not None:
            if self._clock - pace.new_at > NEW_S:
                pace.new_at = None
            elif self._novelty_per_h <= NOVELTY_PER_H and self._tellable(number, pace):
                return self._told(NewsKind.NEW, number, pace, pace.new_at)
        expected = self._log_mean * (self._clock - pace.last) / WINDOW_S
        if pace.vanished(self._clock, alive=self._counted - pace.lines >= ALIVE * expected):
            return self._told(NewsKind.VANISHED, number, pace, pace.last)
        return None

    def _told(self, kind: NewsKind, number: int, pace: Pace, since: float) -> TemplateNews:
        example = self.miner.example(number)
        gone = kind is NewsKind.VANISHED
        return TemplateNews(
            kind=kind,
            group=number,
            template=self.miner.template(number),
            example=example,
            count={NewsKind.NEW: pace.seen, NewsKind.SURGING: int(pace.level), NewsKind.VANISHED: 0}[kind],
            before_per_h=0.0 if kind is NewsKind.NEW else pace.per_h,
            now_per_h=0.0 if gone else pace.level * 3_600.0 / WINDOW_S,
            since=since + ((self._at or 0.0) - self._clock),
            trouble=not gone and self._troubles(number),
        )


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no number to go on with")
    return number


def _pace(values: list[Any]) -> Pace:
    names = [each.name for each in fields(Pace)]
    if len(values) != len(names):
        raise ValueError(f"a template's rate has {len(values)} figures, not {len(names)}")
    plain = {name: None if value is None else _finite(value) for name, value in zip(names, values, strict=True)}
    for name in ("seen", "lines", "count"):
        plain[name] = int(plain[name] or 0)
    return Pace(**plain)  # type: ignore[arg-type]  # the names are the fields' own
