"""The risk of every component and pattern, kept day by day from the recorded history, each way scored on what came.

Prequential (Dawid, Journal of the Royal Statistical Society A 147, 1984): at the begin of each day (UTC) both ways say
how likely it is that a thing comes on that day, from nothing but what was known before; at its end they are scored. A
day on which a thing was there from the begin, or on which too little was looked at, is nobody's case."""

import math
from collections.abc import Iterator

from autonomyd.analyze.risk.hazard import Hazard
from autonomyd.analyze.risk.logistic import Curve, Frequency, risk
from autonomyd.analyze.risk.score import Score
from autonomyd.model.risk import RiskKey, RiskOf, RiskReport, RiskRow, RiskScore, RiskWay
from autonomyd.model.subject import Subject
from autonomyd.model.words import DAY_S

MOST_KEYS = 500
"""The one that came longest ago is forgotten first. A key takes about 2 KB."""
MOST_DAYS = 4000
"""A record that lies further from the others has a time that can't be."""
BLIND_SHARE = 0.25
"""With more of a day than this not looked at, that nothing came tells nothing."""
OWN_WEIGHT = 20.0
"""Days after which a key's own scores weigh as much as those of all keys together."""


class _Entry:
    """What is known of one key: said at the begin of the day, and whether it came since."""

    __slots__ = ("came", "count", "frequency", "gaps", "hazard", "last_at", "present", "said", "times")

    def __init__(self, first: float) -> None:
        self.hazard = Hazard(first)
        self.times = Frequency()
        self.frequency = Score()
        self.gaps = Score()
        self.said: tuple[float, float] | None = None
        self.came = False
        self.present = 0
        self.count = 0
        self.last_at = first


Kinds = dict[Subject, list[_Entry]]


class RiskBook:
    """Feed `begins`, `ends` and `blind` in the order of time; `odd` counts those whose times can't be (they are taken
    as of the moment that was reached, or left out). Constant memory a key, at most 500 keys."""

    def __init__(self, curve: Curve | None = None) -> None:
        self.curve = curve or Curve()
        self.odd = 0
        self.since: float | None = None
        self._entries: dict[RiskKey, _Entry] = {}
        self._now = 0.0
        self._day = 0
        self._blind: list[tuple[float, float]] = []
        self._frequency = Score()
        self._gaps = Score()

    def begins(self, key: RiskKey, at: float) -> None:
        """The thing came at `at` (epoch seconds) and is there until `ends`."""
        if not self._reach(at):
            return
        entry = self._entries.pop(key, None) or _Entry(self._now)
        self._entries[key] = entry  # the newest last
        if len(self._entries) > MOST_KEYS:
            self._entries.pop(next(iter(self._entries)))
        if entry.count:
            entry.hazard.observe(self._now)
        entry.times.observe(self._now)
        entry.came = True
        entry.count += 1
        entry.present += 1
        entry.last_at = self._now

    def ends(self, key: RiskKey, at: float) -> None:
        """It is over."""
        entry = self._entries.get(key)
        if self._reach(at) and entry is not None:
            entry.present = max(0, entry.present - 1)

    def blind(self, begin: float, end: float) -> None:
        """Nothing was looked at from `begin` to `end` (epoch seconds)."""
        if math.isfinite(begin) and math.isfinite(end) and begin < end:
            self._blind.append((begin, end))

    def advance(self, now: float) -> None:
        """Score the days that are over at `now` (epoch seconds). A clock that was years behind until now has told
        nothing but wrong times: all is forgotten."""
        if math.isfinite(now) and now - self._now > MOST_DAYS * DAY_S and self.since is not None:
            self._entries.clear()
            self.since = None
        self._reach(now)

    def rows(self, now: float) -> tuple[RiskRow, ...]:
        """Every key with its risk for the 24 h from `now` on, the riskiest first."""
        kinds = self._kinds()
        made = [self._row(key, entry, now, kinds) for key, entry in self._entries.items()]
        return tuple(sorted(made, key=lambda row: (-row.probability, row.key.subject, row.key.name)))

    def row(self, key: RiskKey, now: float) -> RiskRow | None:
        """One of them; None when it never came."""
        entry = self._entries.get(key)
        return None if entry is None else self._row(key, entry, now, self._kinds())

    def report(self, now: float) -> RiskReport:
        """All of it."""
        return RiskReport(
            at=now,
            since=self.since,
            k=self.curve.k,
            norm=self.curve.norm,
            rows=self.rows(now),
            frequency=_told(self._frequency),
            gaps=_told(self._gaps),
            odd=self.odd,
        )

    # --- private -----------------------------------------------------------------------------------------------------

    def _reach(self, at: float) -> bool:
        """Bring the book to `at`; False for a time that can't be. One that lies behind is taken as now."""
        if self.since is None and math.isfinite(at) and at >= 0.0:
            self.since = self._now = at
            self._day = int(at // DAY_S)
        if self.since is None or not math.isfinite(at) or abs(at - self._now) > MOST_DAYS * DAY_S:
            self.odd += 1
            return False
        self.odd += at < self._now
        self._now = max(self._now, at)
        while self._day < int(self._now // DAY_S):
            self._end_day()
        return True

    def _end_day(self) -> None:
        begin = self._day * DAY_S
        seen = _overlap(self._blind, begin, begin + DAY_S) <= BLIND_SHARE * DAY_S
        self._day += 1
        self._blind = [each for each in self._blind if each[1] > begin + DAY_S]
        kinds = self._kinds()
        for key, entry in self._entries.items():
            if entry.said is not None and seen:
                self._score(entry, *entry.said)
            entry.said = None if entry.present else self._both(key, entry, begin + DAY_S, kinds)
            entry.came = False

    def _score(self, entry: _Entry, by_frequency: float, by_gaps: float) -> None:
        for score, said in (
            (entry.frequency, by_frequency),
            (self._frequency, by_frequency),
            (entry.gaps, by_gaps),
            (self._gaps, by_gaps),
        ):
            score.add(said, entry.came)

    def _kinds(self) -> Kinds:
        """The kinds of problems of each subject."""
        found: Kinds = {}
        for key, entry in self._entries.items():
            if key.of is RiskOf.PROBLEM:
                found.setdefault(key.subject, []).append(entry)
        return found

    def _both(self, key: RiskKey, entry: _Entry, now: float, kinds: Kinds) -> tuple[float, float]:
        """What both ways say. Each kind of problem has a rhythm of its own: that none of them comes to a component is
        taken as the product of that each does not (independent processes, superposed)."""
        parts = kinds.get(key.subject, [entry]) if key.of is RiskOf.COMPONENT else [entry]
        none = math.prod(1.0 - each.hazard.probability(now, DAY_S) for each in parts)
        return risk(entry.times.a_day(now), self.curve), 1.0 - none

    def _row(self, key: RiskKey, entry: _Entry, now: float, kinds: Kinds) -> RiskRow:
        by_frequency, by_gaps = self._both(key, entry, now, kinds)
        return RiskRow(
            key=key,
            count=entry.count,
            a_day=entry.times.a_day(now),
            last_at=entry.last_at,
            present=entry.present > 0,
            by_frequency=by_frequency,
            by_gaps=by_gaps,
            used=self._used(entry),
            frequency=_told(entry.frequency),
            gaps=_told(entry.gaps),
        )

    def _used(self, entry: _Entry) -> RiskWay:
        """The one whose Brier score is better here: the key's own, drawn to that of all keys while it has few days."""
        frequency = _drawn(entry.frequency, self._frequency)
        gaps = _drawn(entry.gaps, self._gaps)
        return RiskWay.FREQUENCY if frequency < gaps else RiskWay.GAPS


def _drawn(own: Score, all_keys: Score) -> float:
    common = all_keys.brier
    return 0.0 if common is None else (own.brier_sum + OWN_WEIGHT * common) / (own.cases + OWN_WEIGHT)


def _overlap(spans: list[tuple[float, float]], begin: float, end: float) -> float:
    return sum(_within(spans, begin, end))


def _within(spans: list[tuple[float, float]], begin: float, end: float) -> Iterator[float]:
    for first, last in spans:
        yield max(0.0, min(last, end) - max(first, begin))


def _told(score: Score) -> RiskScore:
    return RiskScore(
        cases=score.cases,
        happened=score.happened,
        brier=score.brier,
        log_loss=score.log_loss,
        precision=score.precision,
        recall=score.recall,
    )
