"""Which threshold judges which metric, and what kind of issue it is. `thresholds["api_latency"] = 500.0` adds one."""

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace

from autonomyd.analyze.detectors.threshold import ThresholdRule
from autonomyd.model.health import Severity
from autonomyd.model.issue import Finding, IssueType
from autonomyd.model.subject import Subject

CLEAR_SHARE = 0.1
"""A threshold that is set as a plain number clears this share of it from it."""

HOST_RULES = {
    "cpu.percent": "cpu_percent",
    "load.per_core": "load_per_core",
    "memory.percent": "memory_percent",
    "swap.percent": "swap_percent",
    "disk.used_percent": "disk_percent",
    "disk.inodes_used_percent": "inodes_percent",
    "folder.used_percent": "disk_percent",
}
"""The host's metrics to the names of their thresholds; any other metric is judged by the threshold of its own name."""

_TYPE_BY_WORD = (
    ("latency", IssueType.HIGH_LATENCY),
    ("response_time", IssueType.HIGH_LATENCY),
    ("error", IssueType.HIGH_ERROR_RATE),
    ("availability", IssueType.LOW_AVAILABILITY),
    ("database", IssueType.DATABASE_OVERLOAD),
    ("connections", IssueType.DATABASE_OVERLOAD),
    ("drift", IssueType.MODEL_DRIFT),
    ("accuracy", IssueType.MODEL_DRIFT),
    ("memory", IssueType.RESOURCE_EXHAUSTION),
    ("swap", IssueType.RESOURCE_EXHAUSTION),
    ("disk", IssueType.RESOURCE_EXHAUSTION),
    ("inodes", IssueType.RESOURCE_EXHAUSTION),
)
_LOW_IS_BAD = ("availability", "accuracy")


class ThresholdBook(MutableMapping[str, float]):
    """Threshold name to the level at which it is a problem; behind each stands a full rule.
    `on_change` hears the name of one that changed."""

    def __init__(self, rules: dict[str, ThresholdRule], on_change: Callable[[str], None] = lambda name: None) -> None:
        self._rules = dict(rules)
        self._own: dict[str, ThresholdRule] = {}
        self._on_change = on_change

    def rule(self, name: str) -> ThresholdRule | None:
        return self._rules.get(name)

    def replace_all(self, rules: dict[str, ThresholdRule]) -> None:
        """Take over the rules of a new configuration; what the program set itself stays."""
        rules = rules | self._own
        for name in set(rules) | set(self._rules):
            if rules.get(name) != self._rules.get(name):
                self._on_change(name)
        # an equal rule stays the same one: its detectors go on with what they have seen
        old = self._rules
        self._rules = {name: old[name] if old.get(name) == rule else rule for name, rule in rules.items()}

    def __getitem__(self, name: str) -> float:
        return self._rules[name].enter

    def __setitem__(self, name: str, enter: float) -> None:
        """Raises ValueError for a level that is not a number."""
        enter = float(enter)
        if enter != enter:
            raise ValueError(f"threshold {name} can't be nan")
        low_is_bad = any(word in name for word in _LOW_IS_BAD)
        clear = _clear_above(enter) if low_is_bad else enter - CLEAR_SHARE * abs(enter)
        known = self._rules.get(name)
        rule = ThresholdRule(enter=enter, clear=clear, above=not low_is_bad)
        self._rules[name] = rule if known is None else replace(known, enter=enter, clear=clear)
        self._own[name] = self._rules[name]
        self._on_change(name)

    def __delitem__(self, name: str) -> None:
        del self._rules[name]
        self._own.pop(name, None)
        self._on_change(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


def issue_type(threshold: str) -> IssueType:
    """The kind of issue that a metric's threshold stands for."""
    return next((kind for word, kind in _TYPE_BY_WORD if word in threshold), IssueType.PERFORMANCE_DEGRADATION)


def finding(subject: Subject, metric: str, name: str, rule: ThresholdRule, value: float, unit: str) -> Finding:
    """The claim that `metric` of `subject` is beyond the threshold called `name`."""
    kind = issue_type(name)
    suffix = f" {unit}" if unit else ""
    side = "over" if rule.above else "under"
    held = f" for {rule.for_s:g} s" if rule.for_s else ""
    return Finding(
        type=kind,
        subject=subject,
        metric=metric,
        severity=_severity(rule, value, unit),
        summary=f"{metric} of {subject} is {value:.4g}{suffix}, {side} {rule.enter:g}{suffix}{held}",
        evidence=(f"fixed threshold {rule.enter:g}{suffix}; it clears at {rule.clear:g}{suffix}",),
        value=value,
        threshold=rule.enter,
    )


def _clear_above(enter: float) -> float:
    """The clear level of a metric that is bad when low: a share better, but never out of reach (1 or 100 %)."""
    whole = 1.0 if enter < 1.0 else 100.0
    step = CLEAR_SHARE * abs(enter)
    return enter + (min(step, (whole - enter) / 2.0) if enter < whole else step)


def _severity(rule: ThresholdRule, value: float, unit: str) -> Severity:
    """Critical when more than half of what was left to 100 % is gone, or the value is twice the level."""
    if not rule.above:
        return Severity.CRITICAL if value < rule.enter * 0.9 else Severity.WARNING
    if unit == "%" and rule.enter < 100:
        return Severity.CRITICAL if value >= (100 + rule.enter) / 2 else Severity.WARNING
    return Severity.CRITICAL if value >= 2 * rule.enter else Severity.WARNING
