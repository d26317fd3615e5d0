"""Which of many series is the root of a problem: how often the true one is named first, and what it costs.

Measured on made cases (made_faults.py). `rank` takes cases of any origin."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from autonomyd.analyze.root_cause.ranking import ranked

if TYPE_CHECKING:
    from figure import Figure, Options

Ranked = list[tuple[str, str]]
FIRST_SEED = 50_000
HEADLINE = "40 columns x 600 rows"


def rank(case: Any) -> Ranked:
    """(node, metric) of `case`, most suspect first, each once: what the daemon itself uses. `case` (an object or a
    mapping) has `names` [(node, metric, statistic)] one a column, `normal` and `abnormal` (lists of columns, NaN for a
    gap), `target` (a name, or None) and `calls` ({caller: [callees]}, or None)."""
    if isinstance(case, Mapping):
        case = SimpleNamespace(**case)
    target = getattr(case, "target", None)
    found = ranked(
        [_name(each) for each in case.names],
        case.normal,
        case.abnormal,
        target=None if target is None else _name(target),
        calls=getattr(case, "calls", None),
    )
    return list(dict.fromkeys((each.node, each.metric) for each in found))


def measure(options: "Options") -> "list[Figure]":
    """How often the root is not named first, by our ranking and by the yardsticks on the same cases; the CPU time."""
    from figure import Figure
    from made_faults import FAMILIES

    count = int(options.pick(60, 12))
    ours: list[int] = []
    theirs: dict[str, list[int]] = {name: [] for name in YARDSTICKS}
    costs: dict[str, float] = {}
    misses: dict[str, float] = {}
    for family, make in FAMILIES.items():
        cases = [make(FIRST_SEED + seed) for seed in range(count)]
        began = time.process_time()
        answers = [rank(each.case) for each in cases]
        costs[family] = 1e3 * (time.process_time() - began) / count
        places = [_place(answer, each.node) for answer, each in zip(answers, cases, strict=True)]
        misses[family] = sum(place > 0 for place in places) / count
        ours += places
        for name, scorer in YARDSTICKS.items():
            theirs[name] += [_place(scorer(each.case), each.node) for each in cases]
    worst = ", ".join(f"{name} {1.0 - missed:.2f}" for name, missed in misses.items())
    others = ", ".join(f"{name} {_first(places):.2f}" for name, places in theirs.items())
    within = [statistics.mean(place < most for place in ours) for most in range(1, 6)]
    return [
        Figure(
            what="root cause, not named first",
            value=100.0 * (1.0 - within[0]),
            unit="%",
            target=4.0,
            bound=8.0,
            yardstick=f"named first by others: {others}",
            note=f"top-1 {within[0]:.3f}, top-3 {within[2]:.3f}, avg@5 {statistics.mean(within):.3f} of {len(ours)} "
            f"made cases; top-1 {worst}",
        ),
        Figure(
            what="root cause, a case of 40 columns x 600 rows",
            value=costs[HEADLINE],
            unit="ms",
            target=5.0,
            bound=15.0,
            note=", ".join(f"{name} {cost:.1f} ms" for name, cost in costs.items() if name != HEADLINE),
        ),
    ]


def by_iqr(case: Any) -> Ranked:
    """BARO's scorer (Pham, Ha, Zhang, FSE 2024): the highest value above the median, in interquartile ranges."""
    return _by(case, lambda old: (_at(old, 0.5), _at(old, 0.75) - _at(old, 0.25)))


def by_sigma(case: Any) -> Ranked:
    """N-sigma: the highest value above the mean, in standard deviations."""
    return _by(case, lambda old: (statistics.fmean(old), statistics.pstdev(old)))


YARDSTICKS: dict[str, Callable[[Any], Ranked]] = {"BARO": by_iqr, "N-sigma": by_sigma}


def _by(case: Any, scale: Callable[[Sequence[float]], tuple[float, float]]) -> Ranked:
    scored = []
    for name, before, during in zip(case.names, case.normal, case.abnormal, strict=True):
        old, new = sorted(each for each in before if each == each), [each for each in during if each == each]
        if len(old) < 2 or not new or old[0] == old[-1]:
            continue  # constant columns are left out there as well
        middle, spread = scale(old)
        scored.append(((max(new) - middle) / (spread or 1.0), name))
    scored.sort(key=lambda each: -each[0])
    return [(node, metric) for _, (node, metric, _) in scored]


def _at(ordered: Sequence[float], quantile: float) -> float:
    return ordered[int(quantile * (len(ordered) - 1) + 0.5)]


def _place(answer: Ranked, node: str) -> int:
    """Which of the named nodes is the true one, from 0; far away when it is not named."""
    nodes = list(dict.fromkeys(each for each, _ in answer))
    return nodes.index(node) if node in nodes else len(nodes) + 99


def _first(places: Sequence[int]) -> float:
    return statistics.mean(place == 0 for place in places)


def _name(name: Any) -> tuple[str, str, str]:
    node, metric, *statistic = name
    return str(node), str(metric), str(statistic[0]) if statistic else ""
