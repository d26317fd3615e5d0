"""Joins readings to detectors: every threshold of the host, of services and of pushed metrics, and their issues."""

from collections.abc import Iterable, Mapping

from autonomyd.aio.clock import Clock
from autonomyd.analyze.detectors.leak import LeakDetector
from autonomyd.analyze.detectors.threshold import ThresholdDetector, ThresholdRule
from autonomyd.analyze.issuebook import IssueBook
from autonomyd.analyze.rules import HOST_RULES, ThresholdBook, finding, issue_type
from autonomyd.analyze.verdict import Verdict
from autonomyd.model.health import Severity
from autonomyd.model.issue import SOON, Finding, IssueType
from autonomyd.model.subject import Subject, service_of
from autonomyd.model.words import duration
from autonomyd.settings.cleanup import CleanupSettings
from autonomyd.settings.service import Limits
from autonomyd.settings.thresholds import Threshold, ThresholdSettings

FOLDER_RULE = HOST_RULES["folder.used_percent"]

LIMIT_METRICS = {
    "rss_mb": "MB of resident memory",
    "cpu_percent": "% CPU",
    "fds": "open descriptors",
    "children": "child processes",
    "threads": "threads",
    "zombies": "dead children that nobody collects",
}

LIMIT_UNITS = {"rss_mb": " MB", "cpu_percent": " %"}
LEAKS = ("rss_mb", "fds")
LEAK_OVER_SHARE = 0.5


def rules_of(settings: ThresholdSettings) -> dict[str, ThresholdRule]:
    """The configuration's thresholds as rules, by name."""
    named = {name: getattr(settings, name) for name in type(settings).model_fields if name != "custom"}
    return {name: _rule(threshold) for name, threshold in (named | dict(settings.custom)).items()}


class MetricJudges:
    """One detector a (subject, metric) that has a threshold."""

    def __init__(self, *, clock: Clock, book: IssueBook, thresholds: ThresholdBook) -> None:
        self._clock = clock
        self._book = book
        self._thresholds = thresholds
        self._detectors: dict[tuple[Subject, str], tuple[str, ThresholdDetector]] = {}
        self._folders: dict[Subject, ThresholdRule] = {}

    def watch_folders(self, cleanups: tuple[CleanupSettings, ...]) -> None:
        """Folders with a quota are judged by their own levels."""
        wanted = {
            folder_subject(each.root): ThresholdRule(enter=each.enter_percent, clear=each.target_percent)
            for each in cleanups
            if each.quota_mb is not None
        }
        for subject in self._folders.keys() - wanted.keys():
            self._clear(subject, "folder.used_percent", FOLDER_RULE, "the folder is no longer watched")
        # a rule that did not change stays the same one, and its detector with what it has seen
        self._folders = {
            subject: self._folders[subject] if self._folders.get(subject) == rule else rule
            for subject, rule in wanted.items()
        }

    def rule_of(self, subject: Subject, metric: str) -> ThresholdRule | None:
        """The rule that judges this series; None when nothing does."""
        name = HOST_RULES.get(metric, metric)
        return (self._folders.get(subject) if name == FOLDER_RULE else None) or self._thresholds.rule(name)

    def forget(self, name: str) -> None:
        """The threshold called `name` changed: judge anew, and let go of what the old one had raised."""
        for key, (used, _) in list(self._detectors.items()):
            if used == name:
                del self._detectors[key]
                # also when this detector raised nothing: the issue may stand open since the last run
                self._clear(key[0], key[1], name, f"the threshold {name} was changed")

    def let_go(self, series: Iterable[tuple[Subject, str]]) -> None:
        """Nothing comes of these any more: what was raised of them stays as it was seen last."""
        for key in series:
            self._detectors.pop(key, None)

    def observe(self, subject: Subject, at: float, values: Mapping[str, float], units: Mapping[str, str]) -> None:
        """Judge one row of values."""
        for metric, value in values.items():
            rule = self.rule_of(subject, metric)
            if rule is None:
                continue
            name = HOST_RULES.get(metric, metric)
            key = (subject, metric)
            known = self._detectors.get(key)
            if known is None or known[1].rule is not rule:
                known = self._detectors[key] = (name, ThresholdDetector(rule))
            verdict = known[1].observe(at, value)
            if verdict is Verdict.RAISED and rule.beyond(value):
                self._book.report(
                    finding(subject, metric, name, rule, value, units.get(metric, "")), wall_now=self._clock.wall()
                )
            elif verdict is Verdict.CLEARED:
                self._clear(subject, metric, name, f"{metric} is back at {value:.4g}")

    def _clear(self, subject: Subject, metric: str, name: str, cause: str) -> None:
        self._book.clear((issue_type(name), subject, metric), cause=cause, wall_now=self._clock.wall())


class LimitJudge:
    """The limits of one service's processes."""

    def __init__(self, *, clock: Clock, book: IssueBook, subject: Subject, limits: Limits) -> None:
        self._clock = clock
        self._book = book
        self._subject = subject
        self._rules: dict[str, ThresholdRule] = {}
        for metric in LIMIT_METRICS:
            bound = getattr(limits, metric)
            if bound is not None:
                clear = bound * limits.clear_percent / 100.0
                self._rules[metric] = ThresholdRule(enter=bound, clear=clear, for_s=limits.for_s, consecutive=2)
        self.reset()

    def reset(self) -> None:
        """A new process has started."""
        self._detectors = {metric: ThresholdDetector(rule) for metric, rule in self._rules.items()}
        self._leaks = {metric: LeakDetector(self._rules[metric].enter) for metric in LEAKS if metric in self._rules}

    def exceeded(self) -> tuple[str, ...]:
        """The limits that are exceeded, and those that it grows toward (`rss_mb.soon`)."""
        over = tuple(metric for metric, detector in self._detectors.items() if detector.raised)
        return over + tuple(f"{metric}{SOON}" for metric, leak in self._leaks.items() if leak.raised)

    def observe(self, at: float, values: Mapping[str, float]) -> bool:
        """Judge one row; True when something is exceeded."""
        for metric, detector in self._detectors.items():
            value = values.get(metric)
            if value is None:
                continue
            verdict = detector.observe(at, value)
            if verdict is Verdict.RAISED and detector.rule.beyond(value):
                self._book.report(self._finding(metric, value), wall_now=self._clock.wall())
            elif verdict is Verdict.CLEARED:
                self._book.clear(
                    (IssueType.RESOURCE_EXHAUSTION, self._subject, metric),
                    cause=f"{metric} is back at {value:.4g}",
                    wall_now=self._clock.wall(),
                )
            if metric in self._leaks:
                self._judge_leak(metric, at, value)
        return bool(self.exceeded())

    def _judge_leak(self, metric: str, at: float, value: float) -> None:
        was = self._leaks[metric].raised
        left_s = self._leaks[metric].observe(at, value)
        name = f"{metric}{SOON}"
        if left_s is not None:
            bound = self._rules[metric].enter
            words = f"{self._at(metric, value)}, rising steadily: it reaches its limit of {_bound(metric, bound)} in "
            words += f"about {duration(left_s)}"
            found = Finding(
                type=IssueType.RESOURCE_EXHAUSTION,
                subject=self._subject,
                metric=name,
                severity=Severity.WARNING,
                summary=words,
                value=value,
                threshold=bound,
            )
            self._book.report(found, wall_now=self._clock.wall())
        elif was or value < LEAK_OVER_SHARE * self._rules[metric].enter:
            key = (IssueType.RESOURCE_EXHAUSTION, self._subject, name)
            self._book.clear(key, cause=f"{metric} no longer rises toward its limit", wall_now=self._clock.wall())

    def _finding(self, metric: str, value: float) -> Finding:
        rule = self._rules[metric]
        return Finding(
            type=IssueType.RESOURCE_EXHAUSTION,
            subject=self._subject,
            metric=metric,
            severity=Severity.WARNING,
            summary=f"{self._at(metric, value)}, over its limit of {_bound(metric, rule.enter)} for "
            f"{duration(rule.for_s)}",
            value=value,
            threshold=rule.enter,
            certain=True,
        )

    def _at(self, metric: str, value: float) -> str:
        return f"{service_of(self._subject)} is at {value:.4g} {LIMIT_METRICS[metric]}"


def _bound(metric: str, bound: float) -> str:
    return f"{bound:g}{LIMIT_UNITS.get(metric, '')}"


def folder_subject(root: str) -> Subject:
    """A folder with a quota, watched like a disk."""
    return Subject(f"folder:{root}")


def _rule(threshold: Threshold) -> ThresholdRule:
    x, y = threshold.x_of_y or (threshold.consecutive, 0)
    return ThresholdRule(
        enter=threshold.enter,
        clear=threshold.clear,
        above=not threshold.low_is_bad,
        for_s=threshold.for_s,
        consecutive=x,
        within=y,
    )
