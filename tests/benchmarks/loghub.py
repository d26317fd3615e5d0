"""The template miner on the public LogHub samples, where they are: AUTONOMYD_BENCH_DATA names the folder that has
`loghub/<System>/<System>_2k.log` and `.csv`, else it is looked for beside the checkout. And its speed and memory on
many lines, made from them with fresh numbers, or from lines of our own.

Grouping accuracy (Zhu et al., ICSE-SEIP 2019): the share of lines whose group holds exactly the lines of their true
one. Told here is the rest, in percent, because smaller is better."""

import csv
import os
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import proc
from figure import Figure, Options
from loghub_miner import make_miner

HERE = Path(__file__).resolve().parent
HEXADECIMAL = re.compile(r"(?:\b|(?<=0x))(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{4,}\b")
MIXED = (
    "2026-05-04 10:11:{0:02}.{1:03} INFO  [worker-{2}] web.orders: order {3} of customer {4:x} placed in {1} ms",
    "2026-05-04 10:11:{0:02}.{1:03} INFO  [worker-{2}] web.http: GET /orders/{3} took {1} ms, session {4:032x}",
    "2026-05-04 10:11:{0:02}.{1:03} WARN  [worker-{2}] db.pool: connection from 10.0.{0}.{2}:{1} is slow",
    "2026-05-04 10:11:{0:02}.{1:03} INFO  [worker-{2}] auth: user {5} logged in from host{2}.example.com",
)
RARE = "2026-05-04 10:11:12.345 INFO  [worker-1] job.{0}: {1} has {2} the {3} of {4}"


def measure(options: Options) -> list[Figure]:
    root = Path(os.environ.get("AUTONOMYD_BENCH_DATA", HERE.parents[2] / "shared" / "bench")) / "loghub"
    systems = sorted(each.name for each in root.iterdir() if each.is_dir()) if root.is_dir() else []
    figures = []
    if systems:
        raw = {each: _labelled(root, each, raw=True) for each in systems}
        figures.append(_grouping("raw lines", raw, target=15.0, yardstick="drain3 52.5"))
        parsed = {each: _labelled(root, each, raw=False) for each in systems}
        figures.append(
            _grouping(
                "messages without header",
                parsed,
                target=10.0,
                yardstick="drain3 26.8; Drain tuned for each system 13.5",
            )
        )
    bases = [[line for line, _ in raw[each]] for each in systems] or [list(islice(_made(1), 2_000))]
    return [
        *figures,
        _speed(bases, int(options.pick(1_000_000, 100_000))),
        _memory(int(options.pick(10_000_000, 300_000))),
    ]


def _labelled(root: Path, system: str, *, raw: bool) -> list[tuple[str, str]]:
    """Line and true template, in the order of the log."""
    with open(root / system / f"{system}_2k.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [row["Content"] for row in rows]
    if raw:
        text = (root / system / f"{system}_2k.log").read_text(encoding="utf-8", errors="replace")
        lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    return list(zip(lines, (row["EventId"] for row in rows), strict=True))


def _grouping(what: str, logs: dict[str, list[tuple[str, str]]], *, target: float, yardstick: str) -> Figure:
    wrong = {}
    for system, rows in logs.items():
        miner = make_miner()
        numbers = [miner.add(line) for line, _ in rows]
        wrong[system] = 100.0 * (1.0 - accuracy([miner.final(each) for each in numbers], [true for _, true in rows]))
    notes = ", ".join(f"{system} {each:.1f}" for system, each in wrong.items())
    return Figure(
        what=f"templates: {what} in a wrong group",
        value=sum(wrong.values()) / len(wrong),
        unit="%",
        target=target,
        bound=target,
        yardstick=yardstick,
        note=notes,
    )


def accuracy(found: Sequence[int], true: Sequence[str]) -> float:
    """The share of lines in a group that is exactly a true one."""
    groups: list[set[tuple[int, ...]]] = []
    for labels in (found, true):
        places: dict[object, list[int]] = defaultdict(list)
        for place, label in enumerate(labels):
            places[label].append(place)
        groups.append({tuple(each) for each in places.values()})
    return sum(map(len, groups[0] & groups[1])) / len(true)


def _speed(bases: list[list[str]], lines: int) -> Figure:
    """Each log again and again, shuffled, with other digits in it: one miner a log."""
    r = random.Random(1)
    took, done = 0.0, 0
    each = lines // len(bases)
    for base in bases:
        miner = make_miner()
        made = [_fresh(line, r) for line in r.choices(base, k=each)]
        took += _thread_s(lambda made=made, miner=miner: [miner.add(line) for line in made])  # type: ignore[misc]
        done += each
    return Figure(
        what="templates: a raw line",
        value=1e6 * took / done,
        unit="us",
        target=10.0,
        bound=20.0,
        note=f"{done / took:,.0f} lines/s on one core over {done:,} lines of {len(bases)} logs",
    )


def _fresh(line: str, r: random.Random) -> str:
    """The line with other digits, and other letters too in what is hexadecimal: no such word comes twice."""
    line = HEXADECIMAL.sub(lambda found: f"{r.getrandbits(4 * len(found[0])):0{len(found[0])}x}", line)
    return line.translate(dict(zip(b"0123456789", r.sample("0123456789", 10), strict=True)))


def _thread_s(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _memory(lines: int) -> Figure:
    """What is resident after all lines less what was after a tenth of them."""
    miner = make_miner()
    source = _made(2)
    for line in islice(source, lines // 10):
        miner.add(line)
    early = proc.memory_mb(os.getpid())["Anonymous"]
    for line in islice(source, lines - lines // 10):
        miner.add(line)
    late = proc.memory_mb(os.getpid())["Anonymous"]
    return Figure(
        what="templates: memory that grows",
        value=max(0.0, late - early),
        unit="MB",
        target=2.0,
        bound=4.0,
        note=f"from {lines // 10:,} to {lines:,} lines; {len(miner.groups())} groups, {miner.evicted:,} dropped",
    )


def _made(seed: int) -> Iterator[str]:
    """Lines without end: mostly four kinds with numbers and names that never come again, some of one rare kind that is
    nearly all names, and some without any sense."""
    r = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    while True:
        name = "".join(r.choices(letters, k=7))
        numbers = (r.randrange(60), r.randrange(1000), r.randrange(16), r.randrange(10**7), r.getrandbits(120))
        if r.random() < 0.01:
            yield RARE.format(*("".join(r.choices(letters, k=6)) for _ in range(5)))
        elif r.random() < 0.01:
            yield " ".join("".join(r.choices(letters, k=r.randint(1, 9))) for _ in range(r.randint(1, 12)))
        else:
            yield MIXED[r.randrange(len(MIXED))].format(*numbers, name)
