"""Figures as words, spans of time, and text that a terminal must not obey."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.cli.words import (
    ago,
    ahead,
    clean,
    count,
    data_size,
    duration,
    figure,
    listed,
    moment,
    person,
    seconds_of,
    with_unit,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0.0, "0 ms"),
        (0.0003, "<1 ms"),
        (0.04, "40 ms"),
        (0.4, "0.4 s"),
        (3.0, "3 s"),
        (12.9, "12 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (6000, "1 h 40 min"),
        (36000, "10 h"),
        (5 * 86400 + 5, "5 days"),
        (-3, "0 ms"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2 days", 172800),
        ("250ms", 0.25),
        ("1 h 5 min", 3900),
    ],
)
def test_a_span_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "1x", "h", "-5m", "1h30", "1h!"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected something like"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07rest", "rest"),
        ("a\nb\tc\r\n", "a b c "),
        ("\x9b2Jx\x00\x7f", "x"),
        ("abc\u202edef\u200b", "abcdef"),
        ("naïve ✔ 漢字", "naïve ✔ 漢字"),
        (None, ""),
        (7, "7"),
    ],
)
def test_outside_text_loses_what_a_terminal_would_obey(outside: object, inside: str) -> None:
    assert clean(outside) == inside


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    assert all(ord(letter) >= 0x20 and not 0x7F <= ord(letter) <= 0x9F for letter in clean(text))
    assert clean(clean(text)) == clean(text)


def test_times_are_told_from_now() -> None:
    assert ago(100.0, 100.5) == "just now"
    assert ago(100.0, 280.0) == "3 min ago"
    assert ago(None, 5.0) == "never"
    assert ahead(140.0, 100.0) == "in 40 s"
    assert ahead(10.0, 100.0) == "now"
    assert len(moment(1_760_000_000.0, 1_760_000_001.0)) == len("14:02:11")
    assert moment(1_700_000_000.0, 1_760_000_000.0).startswith("2023-11-1")
    assert moment(None, 1.0) == "-"


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (23.44, "%", "23.4 %"),
        (0.052, "%", "0.05 %"),
        (48.2, "MB", "48.2 MB"),
        (123456.0, "MB", "121 GB"),
        (1536, "B", "1.5 KB"),
        (2048, "KB/s", "2 MB/s"),
        (7300, "s", "2 h 1 min"),
        (12, "", "12"),
        (None, "MB", "-"),
    ],
)
def test_a_value_carries_its_unit(value: float | None, unit: str, words: str) -> None:
    assert with_unit(value, unit) == words


def test_figures_and_counts() -> None:
    assert [figure(value) for value in (0, 0.05, 1.5, 23.44, 123.4, 1e7)] == [
        "0",
        "0.05",
        "1.5",
        "23.4",
        "123",
        "1e+07",
    ]
    assert count(1, "thing") == "1 thing"
    assert count(2, "fix", "fixes") == "2 fixes"
    assert data_size(5e15).endswith(" TB")


def test_a_person_is_told_by_name() -> None:
    assert person(f"uid={os.getuid()} pid=77") != f"uid={os.getuid()} pid=77"
    assert person("uid=4294967294 pid=1") == "user 4294967294"
    assert person("autonomyd") == "autonomyd"


def test_a_wire_answer_may_be_a_list_or_a_mapping() -> None:
    rows = [{"name": "a"}, {"name": "b"}]
    assert listed(rows) == rows
    assert listed({"services": rows}, "services") == rows
    assert listed({"a": rows[0], "b": rows[1]}, "services") == rows
    assert listed({"services": {"name": "services"}}, "services") == [{"name": "services"}]
    assert listed(None) == []
