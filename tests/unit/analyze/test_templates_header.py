"""What stands before the message is found from the lines alone."""

import pytest

from autonomyd.analyze.templates.header import Header, learned

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SAMPLES = {
    "2026-05-04 10:11:12,345 INFO web.{0}: {1} is served": "{1} is served",
    "May  4 10:11:12 box {0}[17]: {1} is served": "{1} is served",
    "May  4 10:11:12 box Some {0} Helper: {1} is served": "{1} is served",
    "2026-05-04 10:11:12.345  WARN 4711 --- [main] org.{0}.App    : {1} is served": "{1} is served",
    "05-04 10:11:12.345  1702  2395 D {0}: {1} is served": "{1} is served",
    "[Sun Dec 04 04:47:44 2005] [notice] {1} is served": "{1} is served",
    "20260504-10:11:12|Part_{0}|30002312|{1} is served": "{1} is served",
    '10.0.0.7 - - [10/Oct/2026:13:55:36 -0700] "GET /{0} HTTP/1.1" 200 17': '"GET /{0} HTTP/1.1" 200 17',
    "{1} is served": "{1} is served",
    "{1} {0} 17": "{1} {0} 17",
    '{{"time": "2026-05-04", "msg": "{1}"}}': '{{"time": "2026-05-04", "msg": "{1}"}}',
}  # fmt: skip


@pytest.mark.parametrize("form", SAMPLES)
def test_the_message_is_what_is_left(form: str) -> None:
    lines = [form.format(one, other) for one in WORDS for other in WORDS]
    header = learned(lines)
    assert [header.without(line) for line in lines] == [
        SAMPLES[form].format(one, other) for one in WORDS for other in WORDS
    ]


def test_one_line_in_twenty_may_be_without() -> None:
    lines = [f"2026-05-04 10:11:12 INFO a.b: {word} {other} came" for word in WORDS for other in WORDS]
    lines[7] = "    at com.example.Main(Main.java:17)"
    header = learned(lines)
    assert header.without(lines[0]) == "one one came"
    assert header.without(lines[7]) == lines[7]


def test_a_line_that_is_only_header_is_kept_whole() -> None:
    header = learned([f"2026-05-04 10:11:12 INFO {word} came" for word in WORDS])
    assert header.without("2026-05-04 10:11:12 INFO ") == "2026-05-04 10:11:12 INFO "


def test_numbers_in_messages_of_one_form_are_no_header() -> None:
    lines = [f"2026-05-04 10:11:12 INFO {word} has {other} of its own items 17" for word in WORDS for other in WORDS]
    assert learned(lines).without(lines[0]) == "one has one of its own items 17"


def test_too_few_lines_tell_nothing() -> None:
    assert learned([]) == learned(["2026-05-04 10:11:12 INFO a: b"] * 2) == Header()


@pytest.mark.parametrize(("columns", "tail"), [(-1, ""), (99, ""), (1, "x"), (1, "-:-:")])
def test_a_header_that_can_not_be_is_refused(columns: int, tail: str) -> None:
    with pytest.raises(ValueError, match="no header"):
        Header(columns, tail)
