"""Patterns that could take forever are refused; the others are bounded by the text they may see."""

import re
import time

import pytest

from autonomyd.settings.pattern import checked_pattern, open_repeats, text_limit


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*b",
        r"(\w+\s?)+:",
        "(a|aa)+$",
        "(?:x|y.)*z",
        "((ab)+c)+",
        "(.*)*",
        "(?:a{1,99})+b",
        "[",
        "a" * 501,
    ],
)
def test_what_could_take_forever_is_refused(pattern):
    with pytest.raises(ValueError, match=r"pattern|forever|expression"):
        checked_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "repeats"),
    [
        ("OperationalError", 0),
        (r"^\d{4}-\d{2}", 0),
        (r"error.*timeout", 1),
        (r"(?:\d{1,3}\.){3}\d{1,3}", 0),
        (r"a.*b.*c", 2),
        ("(?:x.*|y+)z", 1),
        ("(?=.*a)b", 1),
    ],
)
def test_ordinary_patterns_are_taken(pattern, repeats):
    assert checked_pattern(pattern) == pattern
    assert open_repeats(pattern) == repeats


def test_the_worst_text_within_the_limit_is_quick():
    for pattern in ("a.*b", "a.*a.*b", "a.*a.*a.*b", "a.*a.*a.*a.*b"):
        text = "a" * text_limit(checked_pattern(pattern))
        began = time.perf_counter()
        re.search(pattern, text)
        assert time.perf_counter() - began < 5.0
