"""Made cases of faults among services that call one another, with the true root: for the ranking of root causes.

Each service has its own latency, use of CPU, memory, disk and sockets, and errors; callers wait for their callees and
pass on their errors, requests flow from the entry down. A fault moves one of these at one service and everything
follows. Noise is correlated in time, latencies have heavy tails, some series drift, stand still, have gaps or rare
bursts."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

Column = list[float]
Calls = dict[int, set[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A case as `rank` takes it, and the truth: the node, and the metric's beginning (None: several tell it)."""

    case: SimpleNamespace
    node: str
    metric: str | None
    kind: str


def _calls(rng: random.Random, count: int, crossing: float) -> Calls:
    """A call graph without circles: 0 is the entry, every other has a caller before it."""
    calls: Calls = {each: set() for each in range(count)}
    for each in range(1, count):
        calls[rng.randrange(0, max(1, min(each, 1 + each * 2 // 3)))].add(each)
        if each > 1 and rng.random() < crossing:
            calls[rng.randrange(0, each)].add(each)
    return calls


def _correlated(rng: random.Random, count: int, memory: float) -> Column:
    value, found = 0.0, []
    fresh = math.sqrt(1.0 - memory * memory)
    for _ in range(count):
        value = memory * value + fresh * rng.gauss(0.0, 1.0)
        found.append(value)
    return found


@dataclass(slots=True, kw_only=True)
class Shop:
    """A system of `count` services over `before` rows of ordinary work and `during` rows of a fault."""

    rng: random.Random
    count: int
    before: int
    during: int
    crossing: float = 0.25

    def run(self, kind: str, root: int, grave: float) -> tuple[Calls, list[dict[str, Column]]]:
        """The call graph and each service's columns."""
        rng, rows = self.rng, self.before + self.during
        calls = _calls(rng, self.count, self.crossing)
        often = {(a, b): rng.choice((1.0, 1.0, 0.6, 0.3, 2.0)) for a, below in calls.items() for b in below}
        fault = self._fault(kind)
        noise, noisy = _correlated(rng, rows, 0.9), rng.uniform(0.02, 0.2)
        base, drift = 10 ** rng.uniform(0.5, 2.0), rng.uniform(-0.1, 0.1)
        entry = [max(0.1, base * (1 + noisy * noise[at] + drift * at / rows)) for at in range(rows)]
        if kind == "load":
            entry = [rate * (1 + grave * now) for rate, now in zip(entry, fault, strict=True)]
        latency, errors = self._answers(
            calls, often, entry, fault if kind != "load" else [0.0] * rows, kind, root, grave
        )
        if rng.random() < 0.5:  # callers who wait for the answer before they ask again
            usual = sorted(latency[0][: self.before])[self.before // 2]
            entry = [
                rate / (1 + 0.3 * max(0.0, took / usual - 1)) for rate, took in zip(entry, latency[0], strict=True)
            ]
        load = [[0.0] * rows for _ in range(self.count)]
        load[0] = entry
        for caller in range(self.count):
            for callee in calls[caller]:
                load[callee] = [a + often[caller, callee] * b for a, b in zip(load[callee], load[caller], strict=True)]
        load = [[rate * (1 + 0.03 * rng.gauss(0.0, 1.0)) for rate in each] for each in load]
        columns = [self._columns(load[each], latency[each], errors[each]) for each in range(self.count)]
        self._use(columns[root], fault, kind, grave)
        return calls, columns

    def _fault(self, kind: str) -> Column:
        """How much of the fault there is in each row, 0 to about 1."""
        rng = self.rng
        begin = self.before + int(rng.choice((0.0, 0.0, 0.01, 0.03)) * self.during)
        ramp = max(1.0, self.during * (0.6 if kind == "memleak" else 0.03))
        return [
            0.0 if at < begin else min(1.0, (at - begin + 1) / ramp) * (1 + 0.1 * rng.gauss(0.0, 1.0))
            for at in range(self.before + self.during)
        ]

    def _answers(
        self,
        calls: Calls,
        often: dict[tuple[int, int], float],
        entry: Column,
        fault: Column,
        kind: str,
        root: int,
        grave: float,
    ) -> tuple[list[Column], list[Column]]:
        """Latency and error share of each service, from the last callee up."""
        rng, rows = self.rng, len(entry)
        latency: list[Column] = [[] for _ in range(self.count)]
        errors: list[Column] = [[] for _ in range(self.count)]
        slows = {"cpu": 0.3, "mem": 0.1, "memleak": 0.1, "disk": 0.2, "socket": 0.1}
        for each in range(self.count - 1, -1, -1):
            usual, spread = 10 ** rng.uniform(-3.3, -1.3), rng.uniform(0.05, 0.5)
            fails, noise = rng.choice((0.0, 0.0, 0.0, 0.002, 0.01)), _correlated(rng, rows, 0.5)
            added = {"delay": 0.05, "loss": 0.03, "latency": max(0.1, 4.0 * usual)}
            for at in range(rows):
                took = usual * math.exp(spread * noise[at]) * (rng.uniform(2, 10) if rng.random() < 0.01 else 1.0)
                took *= 1 + 0.5 * max(0.0, entry[at] / entry[0] - 1.5)
                failed = fails * max(0.0, 1 + 0.3 * rng.gauss(0.0, 1.0))
                if each == root and fault[at]:
                    took *= 1 + slows.get(kind, 0.0) * grave * fault[at]
                    took += (
                        added.get(kind, 0.0)
                        * grave
                        * fault[at]
                        * (max(0.0, rng.gauss(1, 0.5)) if kind == "loss" else 1)
                    )
                    failed += min(0.9, 0.1 * grave * fault[at]) if kind in ("error", "loss") else 0.0
                for callee in calls[each]:
                    took += often[each, callee] * latency[callee][at]
                    failed += min(1.0, often[each, callee]) * errors[callee][at]
                latency[each].append(took)
                errors[each].append(min(1.0, failed))
        return latency, errors

    def _columns(self, load: Column, latency: Column, errors: Column) -> dict[str, Column]:
        """The series of one service that is well."""
        rng, rows = self.rng, len(load)
        busy, drift = _correlated(rng, rows, 0.5), _correlated(rng, rows, 0.98)
        a_request, idle, size = 10 ** rng.uniform(-4, -2.5), 10 ** rng.uniform(-3, -1.5), 10 ** rng.uniform(7, 9)
        step = 0.02 if rng.random() < 0.15 else 0.0  # a cache that filled up meanwhile
        return {
            "cpu": [
                idle * (1 + 0.1 * abs(b)) + a_request * rate * (1 + 0.1 * b) for rate, b in zip(load, busy, strict=True)
            ],
            "mem": [size * (1 + 0.003 * drift[at] + (step if at > self.before + 5 else 0)) for at in range(rows)],
            "diskio": [max(0.0, 1e4 * rng.gauss(0, 1)) if rng.random() < 0.1 else 0.0 for _ in range(rows)],
            "socket": [
                float(round(10 + 2 * rate * took + rng.gauss(0, 0.5))) for rate, took in zip(load, latency, strict=True)
            ],
            "latency-50": latency,
            "latency-90": [took * (1.6 + abs(0.3 * rng.gauss(0, 1))) for took in latency],
            "load": load,
            "error": errors,
        }

    def _use(self, columns: dict[str, Column], fault: Column, kind: str, grave: float) -> None:
        """What the fault itself uses up at its root."""
        adds = {
            "cpu": {"cpu": 0.25},
            "mem": {"mem": 1.5e8, "cpu": 0.05},
            "memleak": {"mem": 2e8},
            "disk": {"diskio": 2e7, "cpu": 0.05},
            "socket": {"socket": 100.0},
        }
        for metric, by in adds.get(kind, {}).items():
            columns[metric] = [value + by * grave * now for value, now in zip(columns[metric], fault, strict=True)]


TRUTH = {"cpu": "cpu", "mem": "mem", "memleak": "mem", "disk": "diskio", "socket": "socket", "load": "load"}
ALL = ("cpu", "mem", "diskio", "socket", "latency-50", "latency-90", "load", "error")
FEW = ("cpu", "mem", "latency-50", "load")


def services(
    seed: int,
    *,
    kinds: Sequence[str],
    metrics: Sequence[str] = ALL,
    rows: tuple[int, int] = (600, 600),
    count: int | None = None,
    graph: bool = False,
    target: bool = False,
    impatient: bool = False,
) -> Made:
    """A case with use and answers of every service, and no graph unless asked for. `impatient`: callers give up on what
    became slow, so that errors begin with them."""
    rng = random.Random(seed)
    shop = Shop(rng=rng, count=count or rng.choice((7, 10, 11, 13)), before=rows[0], during=rows[1])
    kind = rng.choice(kinds)
    root = 0 if kind == "load" else rng.randrange(1, shop.count)
    calls, columns = shop.run(kind, root, 10 ** rng.uniform(-0.3, 0.8))
    if impatient:
        _give_up(rng, columns, root, rows[0])
    case = SimpleNamespace(names=[], normal=[], abnormal=[], target=("s0", "latency-90", "") if target else None)
    case.calls = {f"s{a}": [f"s{b}" for b in below] for a, below in calls.items()} if graph else None
    for each in rng.sample(range(shop.count), shop.count):
        for metric in metrics:
            column = columns[each][metric]
            if rng.random() < 0.1:
                column = [math.nan if rng.random() < 0.2 else value for value in column]
            _put(case, (f"s{each}", metric, ""), column, rows[0])
        if rng.random() < 0.3:
            _put(case, (f"s{each}", "limit", ""), [5.0] * sum(rows), rows[0])
    metric = TRUTH.get(kind)
    return Made(case=case, node=f"s{root}", metric=metric if metric in metrics else None, kind=kind)


def percentiles(seed: int, *, metric: str) -> Made:
    """A large system of which only answers are known, as statistics of few long rows, some with gaps; the alert's own
    series and the call graph are given."""
    rng = random.Random(seed)
    before, during = rng.choice((36, 60, 100)), rng.choice((4, 6, 10))
    shop = Shop(rng=rng, count=rng.choice((25, 33, 41)), before=before, during=during, crossing=0.15)
    root = rng.randrange(1, int(shop.count * 0.6))
    calls, columns = shop.run("latency" if metric == "latency" else "error", root, 10 ** rng.uniform(-0.2, 0.8))
    case = SimpleNamespace(names=[], normal=[], abnormal=[])
    case.calls = {f"n{a}": [f"n{b}" for b in below] for a, below in calls.items()}
    for each in range(shop.count):
        gappy = 0.5 if rng.random() < 0.15 and each not in (0, root) else 0.03
        gaps = [rng.random() < gappy for _ in range(before + during)]
        series = {("requests", "Sum"): [float(round(300 * rate)) for rate in columns[each]["load"]]}
        if each in (0, root) or rng.random() > 0.12:
            took = columns[each]["latency-50"]
            series["latency", "Average"] = took
            for name, by in (("p50", 0.7), ("p90", 1.8), ("p95", 2.5), ("p99", 4.0)):
                series["latency", name] = [by * value * math.exp(0.15 * rng.gauss(0, 1)) for value in took]
            series["availability", "Average"] = [100.0 * (1.0 - failed) for failed in columns[each]["error"]]
        for (name, statistic), column in series.items():
            known = [math.nan if gap else value for gap, value in zip(gaps, column, strict=True)]
            _put(case, (f"n{each}", name, statistic), known, before)
    aimed = 0 if rng.random() < 0.7 else rng.choice(sorted(_callers(calls, root)))
    statistic = rng.choice(("Average", "p90")) if metric == "latency" else "Average"
    case.target = (f"n{aimed}", metric, statistic)
    return Made(case=case, node=f"n{root}", metric=metric, kind=metric)


def _give_up(rng: random.Random, columns: list[dict[str, Column]], root: int, before: int) -> None:
    """Errors at every service whose answers take half as long again, but not at the root."""
    for each, series in enumerate(columns):
        took = series["latency-50"]
        usual, now = (sorted(part)[len(part) // 2] for part in (took[:before], took[before:]))
        if each == root or now < 1.5 * usual:
            continue
        share = rng.uniform(0.005, 0.2)
        errors = series["error"]
        errors[before:] = [min(1.0, value + share * max(0.0, rng.gauss(1.0, 0.3))) for value in errors[before:]]


def _put(case: SimpleNamespace, name: tuple[str, str, str], column: Column, before: int) -> None:
    case.names.append(name)
    case.normal.append(column[:before])
    case.abnormal.append(column[before:])


def _callers(calls: Calls, node: int) -> set[int]:
    found: set[int] = set()
    waiting = [node]
    while waiting:
        callee = waiting.pop()
        for caller, below in calls.items():
            if callee in below and caller not in found:
                found.add(caller)
                waiting.append(caller)
    return found


KINDS = ("cpu", "mem", "disk", "delay", "loss", "socket", "memleak")
FAMILIES: dict[str, Callable[[int], Made]] = {
    "40 columns x 600 rows": lambda seed: services(seed, kinds=("cpu", "mem", "delay", "loss"), metrics=FEW, count=10),
    "100 columns x 600 rows": lambda seed: services(seed, kinds=KINDS),
    "60 rows": lambda seed: services(seed, kinds=KINDS, rows=(60, 60)),
    "20 rows, then 10": lambda seed: services(seed, kinds=KINDS, rows=(20, 10)),
    "40 services": lambda seed: services(seed, kinds=KINDS, rows=(60, 60), count=40),
    "call graph and alert": lambda seed: services(seed, kinds=KINDS, rows=(120, 120), graph=True, target=True),
    "callers give up": lambda seed: services(seed, kinds=KINDS, rows=(300, 300), impatient=True),
    "more load": lambda seed: services(seed, kinds=("load",), rows=(120, 120), graph=True),
    "percentiles of latency": lambda seed: percentiles(seed, metric="latency"),
    "availability": lambda seed: percentiles(seed, metric="availability"),
}
