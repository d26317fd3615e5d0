"""What a metric tells, from the words of its name: a cause (what a node uses up) or a symptom (how it serves)."""

import re
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """`resource`: what a node uses (CPU, memory, disk, sockets). `latency`, `errors`: how it serves; `success` is the
    same as errors upside down. `traffic`: what it is asked to do. `other`: not known."""

    RESOURCE = "resource"
    LATENCY = "latency"
    ERRORS = "errors"
    SUCCESS = "success"
    TRAFFIC = "traffic"
    OTHER = "other"

    @property
    def symptom(self) -> bool:
        return self in (Kind.LATENCY, Kind.ERRORS, Kind.SUCCESS)


WORDS: tuple[tuple[Kind, str], ...] = (
    (Kind.SUCCESS, r"availab|success|uptime|^up$|healthy|apdex"),
    (Kind.ERRORS, r"^err|error|fail|fault|exception|5xx|4xx|timeout|reject|refus|drop|retr(y|ies|ans)|unavail"),
    (Kind.LATENCY, r"latenc|^lat$|durat|^rt$|respons|delay|elapsed|wait|^p\d\d|quantile|percentile|connectms|^rtt"),
    (
        Kind.RESOURCE,
        (
            r"cpu|mem|^rss|^vms|heap|swap|^gc|disk|^io|iops|inode|^fs$|filesys|read|write|sock|^fds?$|descript|handle"
            r"|thread|proc|zombie|file|page|pss|load(1|5|15)$|pressure|psi|stall|throttl|temperat|batter|pool|conn|bandwidth|wal"
        ),
    ),
    (
        Kind.TRAFFIC,
        (
            r"request|^load$|workload|rps|qps|^tps|through|traffic|calls?$|invocat|hits?$|count|rate|volume|messages"
            r"|bytes|packets|sent|recv|receiv|transmit|network|^net|^rx|^tx|users|sessions"
        ),
    ),
)
"""In this order: `request_errors` are errors, `response_time` a latency, `request_rate` traffic."""


TIMES = frozenset({"ms", "us", "millis", "milliseconds", "microseconds"})
"""Units at the end of a name that only a time of answering has."""


@lru_cache(maxsize=4096)
def kind_of(metric: str) -> Kind:
    """The kind of the metric called `metric`: its words are held against WORDS, the whole name first word by word."""
    words = [word for word in re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", metric).lower()) if word]
    if not words:
        return Kind.OTHER
    if words[-1] in TIMES:
        return Kind.LATENCY
    for kind, pattern in WORDS:
        if any(re.search(pattern, word) for word in words):
            return kind
    return Kind.LATENCY if "time" in words else Kind.OTHER
