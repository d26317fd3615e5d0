"""What is unusual in logs, as findings: a template that is new, surging or gone, and what could not be read."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence

from autonomyd.analyze.issuebook import IssueBook, Key
from autonomyd.analyze.templates import NewsKind, TemplateNews
from autonomyd.engine.insight.watched_log import WatchedLog
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.log_rules import LogRules, shortened
from autonomyd.model.subject import Subject, service_subject
from autonomyd.model.words import counted, duration
from autonomyd.monitor.log_reader import LogKind, LogSource

METRIC = "log:"
"""What the metrics of these issues begin with; the log and the template's number follow."""
MOST_NEWS = 5
"""Issues of one kind about one log; more at once is one thing that happened, and is told as one."""
AGAIN_FACTOR = 2.0
"""A surge is told anew when its rate is so many times what was told."""
MB = 1_000_000


def tell_news(logs: Sequence[WatchedLog], book: IssueBook, rules: LogRules, *, wall: float) -> set[Key]:
    """Report what is unusual in `logs` now (`wall`: epoch seconds); returns the issues that hold."""
    labels = _labels(logs)
    holds: set[Key] = set()
    for each in logs:
        told: dict[Key, float] = {}
        for finding in _findings(each, labels[each.source.key], rules, wall):
            key = (finding.type, finding.subject, finding.metric)
            value = finding.value or 0.0
            told[key] = each.told.get(key, value)
            if key not in each.told or book.find(key) is None or value > AGAIN_FACTOR * told[key]:
                book.report(finding, wall_now=wall)
                told[key] = value
        each.told = told
        holds |= told.keys()
    return holds


def _findings(each: WatchedLog, label: str, rules: LogRules, wall: float) -> Iterator[Finding]:
    news = sorted(each.news, key=lambda one: (not one.trouble, -one.count))
    for service in sorted(each.services):
        subject = service_subject(service)
        kinds: Counter[NewsKind] = Counter()
        for one in news:
            kinds[one.kind] += 1
            if kinds[one.kind] <= MOST_NEWS:
                yield _finding(one, each, subject, f"{METRIC}{label}:{one.group}", rules, wall)
        for kind, count in kinds.items():
            if count > MOST_NEWS:
                yield _notice(
                    subject,
                    f"{METRIC}{label}:{kind}",
                    f"{counted(count - MOST_NEWS, 'more kind')} of lines are {kind} in {each.source.words}",
                )
        skipped, gaps = each.lost()
        if skipped or gaps:
            yield _notice(subject, f"{METRIC}{label}:lost", _lost_words(each.source, skipped, gaps))


def _finding(
    one: TemplateNews, each: WatchedLog, subject: Subject, metric: str, rules: LogRules, wall: float
) -> Finding:
    error = one.trouble and one.kind is NewsKind.SURGING
    rule = rules.of_line(one.example) if one.trouble else None
    example = shortened(one.example)
    what = "lines of an error" if one.trouble else "lines of one kind"
    words = {
        NewsKind.NEW: f"a new kind of line in {each.source.words}",
        NewsKind.SURGING: f"{what} surge in {each.source.words}",
        NewsKind.VANISHED: f"a kind of line is gone from {each.source.words}",
    }[one.kind]
    evidence = [
        f"such as: {example}" if one.kind is not NewsKind.VANISHED else f"last it said: {example}",
        f"{one.now_per_h:.0f} lines an hour, {one.before_per_h:.0f} before; {counted(one.count, 'line')} lately",
        f"began {duration(wall - one.since)} before this was told",
        *((f"rule {rule.name}: {rule.fix}",) if rule is not None else ()),
    ]
    return Finding(
        type=IssueType.HIGH_ERROR_RATE if error else IssueType.ANOMALY,
        subject=subject,
        metric=metric,
        severity=Severity.WARNING if error else Severity.NOTICE,
        summary=f"{words}: {example}",
        evidence=tuple(evidence),
        value=one.now_per_h,
    )


def _notice(subject: Subject, metric: str, summary: str) -> Finding:
    return Finding(type=IssueType.ANOMALY, subject=subject, metric=metric, severity=Severity.NOTICE, summary=summary)


def _lost_words(source: LogSource, skipped: int, gaps: int) -> str:
    words = [f"{skipped / MB:.1f} MB came too fast and were passed over"] if skipped else []
    if gaps:
        words.append("what was written before it was rotated or emptied can't be found any more")
    return f"not all of {source.words} was read: {'; '.join(words)}"


def _labels(logs: Sequence[WatchedLog]) -> dict[str, str]:
    """A short name for each log by its key: the last part of its path, where no other has the same."""
    short = {
        each.source.key: os.path.basename(each.source.name) if each.source.kind is LogKind.FILE else each.source.name
        for each in logs
    }
    many = Counter(short.values())
    return {
        each.source.key: short[each.source.key] if many[short[each.source.key]] == 1 else each.source.name
        for each in logs
    }
