"""The anomaly detector on the public series of the Numenta benchmark, where they are: AUTONOMYD_BENCH_DATA names the
folder above `nab`, else ../shared/bench beside the checkout.

The score is the benchmark's own (Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms", 2015; formulas
in `_units` and `_points`): 0 is a detector that says nothing, 100 one that finds every window at its begin and is
never wrong. Three figures of it are told: at the threshold that ships, at the best threshold, and with each folder
judged by the threshold and the learning span that are best for the other folders."""

import csv
import json
import math
import os
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from figure import Figure, Options
from nab_detector import make_detector

from autonomyd.analyze.anomaly import novelty
from autonomyd.analyze.anomaly.detector import SURPRISE

HERE = Path(__file__).resolve().parent
PROBATION_SHARE, PROBATION_MOST = 0.15, 750
FALSE_ALARM = 0.11
FALSE_ALARM_LOW = 0.22
FAR = 3.0
"""Windows after a window from where on a false alarm costs all."""
SPANS = (50, 75, 100, 150)
"""Learning spans (samples) that leave-one-folder-out may choose from; the shipped one is among them."""
THRESHOLDS = tuple(step / 400 for step in range(200, 241))
YARDSTICKS = "EWMA 26, KNN CAD 57.9, Numenta HTM 64.6, CAD OSE 65.7, ARTime 71.3"


class Series:
    """One file: `times`, `values`, and the unit reward of each row."""

    def __init__(self, path: Path, windows: Iterable[Sequence[str]]) -> None:
        self.folder = path.parent.name
        with path.open(newline="") as lines:
            rows = [(_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
        self.times = [at for at, _ in rows]
        self.values = [value for _, value in rows]
        self.probation = min(int(PROBATION_SHARE * len(rows)), PROBATION_MOST)
        self.spans = sorted(
            (bisect_left(self.times, _seconds(begin)), bisect_right(self.times, _seconds(end)) - 1)
            for begin, end in windows
        )
        self.units = self._units()

    def _units(self) -> list[tuple[int | None, float]]:
        """Of each row the number of its window, and s(y) = 2 / (1 + e^5y) - 1 of its place y: -1 to 0 within a window,
        above 0 after it; -1 before the first window, and from FAR windows after one on."""
        made: list[tuple[int | None, float]] = [(None, -1.0)] * len(self.times)
        for number, (first, last) in enumerate(self.spans):
            width = last - first + 1
            for row in range(first, last + 1):
                made[row] = (number, _sigmoid((row - last - 1) / width) / _sigmoid(-1.0))
            until = self.spans[number + 1][0] if number + 1 < len(self.spans) else len(self.times)
            for row in range(last + 1, until):
                made[row] = (None, _sigmoid((row - last) / (width - 1)))
        return made


def measure(options: Options) -> list[Figure]:
    root = Path(os.environ.get("AUTONOMYD_BENCH_DATA", HERE.parents[2] / "shared" / "bench")) / "nab"
    if not (root / "windows.json").is_file():
        print(f" no data in {root}", end="", file=sys.stderr)
        return []
    windows = json.loads((root / "windows.json").read_text())
    corpus = [Series(root / "data" / name, windows[name]) for name in sorted(windows)]
    began = time.thread_time()
    shipped = _scores(corpus)
    us = 1e6 * (time.thread_time() - began) / sum(len(each.times) for each in corpus)
    best = max(THRESHOLDS, key=lambda threshold: _total(corpus, shipped, threshold))
    score, low = (_final(corpus, _total(corpus, shipped, SURPRISE, cost)) for cost in (FALSE_ALARM, FALSE_ALARM_LOW))
    without = _final(corpus, _left_out(corpus, shipped, SPANS[2:3] if options.quick else SPANS))
    note = f"score {score:.1f} at the threshold that ships ({SURPRISE}), "
    note += f"{_final(corpus, _total(corpus, shipped, best)):.1f} at the best ({best})"
    return [
        Figure(
            what="anomalies, short of 100 (standard)",
            value=100.0 - score,
            unit="points",
            target=34.0,
            bound=38.0,
            yardstick=f"scores of others, at their best thresholds: {YARDSTICKS}",
            note=f"{note}; {len(corpus)} series, {_windows(corpus)} windows",
        ),
        Figure(
            what="anomalies, short of 100 (low false alarms)",
            value=100.0 - low,
            unit="points",
            target=42.0,
            bound=46.0,
            note=f"score {low:.1f} at the same threshold",
        ),
        Figure(
            what="anomalies, short of 100, a folder left out",
            value=100.0 - without,
            unit="points",
            target=40.0,
            bound=44.0,
            note=f"score {without:.1f}; threshold and learning span chosen without the folder that is scored",
        ),
        Figure(what="anomalies, a sample", value=us, unit="us", target=10.0, bound=25.0),
    ]


def _scores(corpus: Sequence[Series]) -> list[list[float]]:
    """What the detector says of every row of every series."""
    made = []
    for series in corpus:
        update = make_detector(None, None, series.probation).update
        made.append([update(at, value) for at, value in zip(series.times, series.values, strict=True)])
    return made


def _left_out(corpus: Sequence[Series], shipped: list[list[float]], spans: Iterable[int]) -> float:
    """The raw score, each folder with the span and threshold that are best for the others."""
    by_span = {span: shipped if span == novelty.FIRST else _with_span(span, lambda: _scores(corpus)) for span in spans}
    points = {
        (span, threshold): [_points(each, row, threshold) for each, row in zip(corpus, scores, strict=True)]
        for span, scores in by_span.items()
        for threshold in THRESHOLDS
    }
    total = 0.0
    for folder in {each.folder for each in corpus}:
        inside = [each.folder == folder for each in corpus]
        chosen = max(points.values(), key=lambda found, skip=inside: _sum(found, skip, wanted=False))
        total += _sum(chosen, inside, wanted=True)
    return total


def _with_span(span: int, call: Callable[[], list[list[float]]]) -> list[list[float]]:
    shipped, novelty.FIRST = novelty.FIRST, span
    try:
        return call()
    finally:
        novelty.FIRST = shipped


def _sum(points: Sequence[float], inside: Sequence[bool], *, wanted: bool) -> float:
    return sum(each for each, is_in in zip(points, inside, strict=True) if is_in is wanted)


def _total(corpus: Sequence[Series], scores: list[list[float]], threshold: float, cost: float = FALSE_ALARM) -> float:
    return sum(_points(each, row, threshold, cost) for each, row in zip(corpus, scores, strict=True))


def _points(series: Series, scores: Sequence[float], threshold: float, cost: float = FALSE_ALARM) -> float:
    """The raw score of one series: of each window the unit of its first detection, else -1; of every other detection
    its unit at `cost`."""
    found: dict[int, float] = {}
    total = 0.0
    for row in range(series.probation, len(scores)):
        if scores[row] >= threshold:
            window, unit = series.units[row]
            if window is None:
                total += cost * unit
            else:
                found.setdefault(window, unit)
    return total + sum(found.values()) - (len(series.spans) - len(found))


def _final(corpus: Sequence[Series], raw: float) -> float:
    windows = _windows(corpus)
    return 100.0 * (raw + windows) / (2.0 * windows)


def _windows(corpus: Sequence[Series]) -> int:
    return sum(len(each.spans) for each in corpus)


def _sigmoid(place: float) -> float:
    return -1.0 if place > FAR else 2.0 / (1.0 + math.exp(5.0 * place)) - 1.0


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC).timestamp()
