"""Which series have an end that can be reached: the physical one (100 %), and those that the configuration sets."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from autonomyd.model.issue import SOON
from autonomyd.model.subject import HOST, Subject, service_of, service_subject
from autonomyd.monitor.ring import RingReader
from autonomyd.settings.root import Settings
from autonomyd.settings.service import ServiceSettings, checks_by_name

FULL: Final = 100.0
LEAK: Final = ".leak" + SOON
"""Slow growth of a process, told days ahead; of the last minutes before its limit, the limit's own judge speaks."""
CHECKS: Final[Mapping[str, tuple[tuple[str, str | None, str, str], ...]]] = {
    "mount": (
        ("mount_used_percent", None, "%", "the filesystem of {check} of {name} is full"),
        ("mount_inodes_percent", None, "%", "the filesystem of {check} of {name} has no inode left"),
    ),
    "directory": (
        ("directory_mb", "max_mb", "MB", "the folder of {check} of {name} reaches its {bound:g} MB"),
        ("files", "max_files", "", "the folder of {check} of {name} reaches its {bound:g} files"),
    ),
    "file": (("size_bytes", "max_bytes", "B", "the file of {check} of {name} reaches its {bound:g} bytes"),),
    "sqlite": (("size_mb", "max_mb", "MB", "the database {check} of {name} reaches its {bound:g} MB"),),
    "redis": (
        ("memory_percent", None, "%", "{check} of {name} has used up its maxmemory"),
        ("clients_percent", None, "%", "{check} of {name} has no client connection left"),
    ),
    "postgres": (("connections_percent", None, "%", "{check} of {name} has no connection left"),),
    "mysql": (("connections_percent", None, "%", "{check} of {name} has no connection left"),),
}
"""By type of check: its metric, the option that bounds it (None: 100), its unit, and what is so when it is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """A series and its bound. `words`: what is so at the bound; `suffix` makes the issue's metric; `process`: it begins
    anew with each process."""

    subject: Subject
    metric: str
    unit: str
    bound: float
    words: str
    suffix: str = SOON
    process: bool = False


def capacities(
    metrics: RingReader, settings: Settings, *, since: float = -math.inf
) -> tuple[tuple[Capacity, ...], tuple[str, ...]]:
    """(every bound of a series that was measured since then, in monotonic seconds; what can't be watched and why). Of
    two checks that measure under one name nothing is told: their samples come mixed."""
    measured = frozenset(metrics.names(since=since))
    found = [
        *_of_disks(measured),
        *_of_memory(measured),
        *_of_services(metrics, settings),
        *_of_pushed(measured, settings),
    ]
    times = Counter((each.subject, each.metric) for each in found)
    known = tuple(
        each for each in found if (each.subject, each.metric) in measured and times[each.subject, each.metric] == 1
    )
    mixed = (f"{subject}/{metric}: two checks measure it" for (subject, metric), count in times.items() if count > 1)
    return known, tuple(mixed)


def _of_disks(measured: frozenset[tuple[Subject, str]]) -> Iterator[Capacity]:
    for subject, metric in measured:
        kind, _, name = subject.partition(":")
        words = {
            ("disk", "disk.used_percent"): f"disk {name} is full",
            ("disk", "disk.inodes_used_percent"): f"disk {name} has no inode left",
            ("folder", "folder.used_percent"): f"folder {name} reaches its quota",
        }.get((kind, metric))
        if words is not None:
            yield Capacity(subject=subject, metric=metric, unit="%", bound=FULL, words=words)


def _of_memory(measured: frozenset[tuple[Subject, str]]) -> Iterator[Capacity]:
    for metric, words in (
        ("memory.percent", "the memory of this machine is used up"),
        ("fds.used_percent", "this machine has no file descriptor left"),
    ):
        if (HOST, metric) in measured:
            yield Capacity(subject=HOST, metric=metric, unit="%", bound=FULL, words=words)


def _of_services(metrics: RingReader, settings: Settings) -> Iterator[Capacity]:
    used, available = (metrics.last(HOST, f"memory.{each}_mb") for each in ("used", "available"))
    total_mb = None if used is None or available is None else used + available
    for name, service in settings.services.items():
        yield from _of_process(name, service, total_mb)
        for check, options in checks_by_name(service.checks).items():
            for metric, option, unit, words in CHECKS.get(options.type, ()):
                bound = FULL if option is None else getattr(options, option, None)
                if bound:
                    yield Capacity(
                        subject=service_subject(name),
                        metric=metric,
                        unit=unit,
                        bound=float(bound),
                        words=words.format(check=check, name=name, bound=float(bound)),
                    )


def _of_process(name: str, service: ServiceSettings, total_mb: float | None) -> Iterator[Capacity]:
    limit_mb = service.limits.rss_mb
    bounds = (
        ("rss_mb", "MB", limit_mb or total_mb, "its limit of {:g} MB" if limit_mb else "all memory of this machine"),
        ("fds", "", service.limits.fds, "its limit of {:g} open descriptors"),
    )
    for metric, unit, bound, words in bounds:
        if bound:
            yield Capacity(
                subject=service_subject(name),
                metric=metric,
                unit=unit,
                bound=float(bound),
                words=f"{name} leaks: it reaches {words.format(bound)}",
                suffix=LEAK,
                process=True,
            )


def _of_pushed(measured: frozenset[tuple[Subject, str]], settings: Settings) -> Iterator[Capacity]:
    for subject, metric in measured:
        threshold = settings.thresholds.custom.get(metric)
        # only of a bound above 0 can be said how much of it is used
        reachable = threshold is not None and not threshold.low_is_bad and threshold.enter > 0.0
        if threshold is not None and reachable and service_of(subject) is None:
            words = f"{metric} of {subject} reaches its threshold of {threshold.enter:g}"
            yield Capacity(subject=subject, metric=metric, unit="", bound=threshold.enter, words=words)
