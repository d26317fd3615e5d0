"""Patterns that could take forever are refused; the others are bounded by the text they may see."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomyd.settings.pattern import checked_pattern, freedom, text_limit


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*b",
        r"(\w+\s?)+:",
        "(a|aa)+$",
        "(?:a{1,9})+b",
        "(?:a{1,30}){1,30}b",
        "(?:(?:a?){32}){32}b",
        "a?" * 30 + "a" * 30,
        "(?:aa|ab|a)" * 40 + "b",
        r"(x+x+)+y",
        "(.*a){20}",
        "(?:a|b|ab)*c",
        "(?=(a+)+b)x",
        r"(a+)\1+b",
        r"(?:(a)\1?)+b",
        r"(?:(?=a+b)a)+",
        r"(?:[^\"]|\\\")*x",
        "(?:\xe9|[^a])+b",
        r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
        r"\s*\s*\s*\s*\s*x",
        "(.*)*",
        "(?:a|a)*b",
        "(?:b|bb*)+x",
        "(?:a(?:b*)?)+x",
        "(?:a{1,99})+b",
        "a.*b.*c.*d.*e?f?g?h?i?j?k?l?m?",
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
        (r"(?:\d{1,3}\.){3}\d{1,3}", 1),
        (r"a.*b.*c", 2),
        ("(?:x.*|y+)z", 1),
        ("(?=.*a)b", 1),
        ("(foo|bar)+", 2),
        ("(?:x|y.)*z", 2),
        ("((ab)+c)+", 2),
        (r"(?:\w+\s)+x", 2),
        (r'(?:"[^"]*",)*x', 2),
        (r"\b(?:[a-z]+\.)+com\b", 2),
        (r"(?:\\.|[^\\\"])*\"", 2),
        (r"^(?:\w+=\S+ )+$", 2),
        (r"[\w.]+@[\w.]+", 2),
        (r"(?:GET|POST|PUT) /\S+ \d{3}", 1),
    ],
)
def test_ordinary_patterns_are_taken(pattern, repeats):
    assert checked_pattern(pattern) == pattern
    assert freedom(pattern).open == repeats


def test_the_check_itself_is_quick() -> None:
    evil = ["(" * 40 + "a" + "?)" * 40, "(?:a|b)+" * 60, "(?:a{0,31}){0,31}" * 20, "((((a{1,30}){1,30}){1,30}){1,30})"]
    for pattern in evil:
        began = time.thread_time()
        with pytest.raises(ValueError, match=r"forever|large"):
            checked_pattern(pattern + "c")
        assert time.thread_time() - began < 1.0


@settings(deadline=None, max_examples=60)
@given(st.from_regex(r"(\(\?:[ab.]{1,3}[*+?]?(\|[ab]{1,2})?\)(\{1,9\}|[*+?])?[ab]?){1,4}", fullmatch=True))
def test_what_is_taken_is_quick_on_texts_of_its_letters(pattern: str) -> None:
    try:
        limit = text_limit(checked_pattern(pattern))
    except ValueError:
        return
    chars = min(limit, 60 if freedom(pattern).open <= 2 else 30)
    for word in ("a", "b", "ab", "aab"):
        began = time.thread_time()
        re.search(pattern + r"\Z", word * (chars // len(word)) + "!")
        assert time.thread_time() - began < 2.0, pattern


def test_the_worst_text_within_the_limit_is_quick():
    for pattern in ("a.*b", "a.*a.*b", "a.*a.*a.*b", "a.*a.*a.*a.*b"):
        text = "a" * text_limit(checked_pattern(pattern))
        began = time.perf_counter()
        re.search(pattern, text)
        assert time.perf_counter() - began < 5.0
