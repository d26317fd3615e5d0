"""Thresholds by name, what kind of issue they stand for, and the words of a finding."""

import pytest

from autonomyd.analyze.detectors.threshold import ThresholdRule
from autonomyd.analyze.rules import ThresholdBook, finding, issue_type
from autonomyd.model.health import Severity
from autonomyd.model.issue import IssueType
from autonomyd.model.subject import HOST, Subject


def test_a_threshold_set_as_a_number():
    changed = []
    book = ThresholdBook({}, changed.append)
    book["api_latency"] = 500.0
    assert book["api_latency"] == 500.0
    assert book.rule("api_latency") == ThresholdRule(enter=500.0, clear=450.0)
    assert (len(book), list(book), changed) == (1, ["api_latency"], ["api_latency"])


def test_a_known_rule_keeps_what_the_number_does_not_say():
    book = ThresholdBook({"cpu_percent": ThresholdRule(enter=80.0, clear=75.0, for_s=60.0, consecutive=3)})
    book["cpu_percent"] = 50
    assert book.rule("cpu_percent") == ThresholdRule(enter=50.0, clear=45.0, for_s=60.0, consecutive=3)


@pytest.mark.parametrize(
    ("name", "enter", "whole"), [("availability_percent", 95.0, 100.0), ("availability_percent", 99.9, 100.0),
                                 ("model_accuracy", 0.95, 1.0), ("model_accuracy", 0.5, 1.0)]
)  # fmt: skip
def test_what_is_bad_when_low_clears_at_a_level_that_can_be_reached(name, enter, whole):
    book = ThresholdBook({})
    book[name] = enter
    rule = book.rule(name)
    assert not rule.above
    assert enter < rule.clear < whole


def test_a_threshold_must_be_a_number():
    book = ThresholdBook({})
    with pytest.raises(ValueError, match="nan"):
        book["api_latency"] = float("nan")
    with pytest.raises(ValueError, match="could not convert"):
        book["api_latency"] = "fast"
    assert dict(book) == {}


def test_only_what_changed_is_told_at_a_reload():
    changed = []
    same, old = ThresholdRule(enter=1.0, clear=0.5), ThresholdRule(enter=2.0, clear=1.0)
    book = ThresholdBook({"same": same, "gone": old, "moved": old}, changed.append)
    book.replace_all({"same": same, "moved": same, "new": same})
    assert sorted(changed) == ["gone", "moved", "new"]
    del book["same"]
    assert "same" not in book


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("api_latency", IssueType.HIGH_LATENCY),
        ("error_rate_percent", IssueType.HIGH_ERROR_RATE),
        ("availability_percent", IssueType.LOW_AVAILABILITY),
        ("memory_percent", IssueType.RESOURCE_EXHAUSTION),
        ("disk_percent", IssueType.RESOURCE_EXHAUSTION),
        ("database_connections", IssueType.DATABASE_OVERLOAD),
        ("model_drift", IssueType.MODEL_DRIFT),
        ("cpu_percent", IssueType.PERFORMANCE_DEGRADATION),
        ("queue_length", IssueType.PERFORMANCE_DEGRADATION),
    ],
)
def test_the_kind_of_issue(name, kind):
    assert issue_type(name) is kind


@pytest.mark.parametrize(
    ("rule", "value", "unit", "severity"),
    [
        (ThresholdRule(enter=80.0, clear=75.0), 85.0, "%", Severity.WARNING),
        (ThresholdRule(enter=80.0, clear=75.0), 90.0, "%", Severity.CRITICAL),
        (ThresholdRule(enter=500.0, clear=450.0), 900.0, "ms", Severity.WARNING),
        (ThresholdRule(enter=500.0, clear=450.0), 1000.0, "ms", Severity.CRITICAL),
        (ThresholdRule(enter=99.0, clear=99.5, above=False), 95.0, "%", Severity.WARNING),
        (ThresholdRule(enter=99.0, clear=99.5, above=False), 80.0, "%", Severity.CRITICAL),
    ],
)
def test_how_bad_it_is(rule, value, unit, severity):
    assert finding(HOST, "cpu.percent", "cpu_percent", rule, value, unit).severity is severity


def test_the_words_of_a_finding():
    rule = ThresholdRule(enter=90.0, clear=85.0, for_s=10.0)
    found = finding(Subject("disk:/var"), "disk.used_percent", "disk_percent", rule, 93.26, "%")
    assert found.summary == "disk.used_percent of disk:/var is 93.26 %, over 90 % for 10 s"
    assert (found.value, found.threshold) == (93.26, 90.0)
    low = ThresholdRule(enter=99.0, clear=99.5, above=False)
    assert "under 99 %" in finding(HOST, "availability", "availability_percent", low, 98.0, "%").summary
