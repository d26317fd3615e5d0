"""What belongs together in a log: stack traces as programs of many languages write them, and hostile text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.model.log_entries import ENTRY_LINES, entry_at, told_lines, unfinished_from

PYTHON = """\
2026-05-04 10:11:12,345 ERROR web: request failed
Traceback (most recent call last):
  File "a.py", line 1, in f
    g()
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 2, in h
shop.OutOfStock: none left
"""
JAVA = """\
2026-05-04 10:11:12 ERROR c.x.Foo - failed
java.lang.RuntimeException: x
\tat a.b(C.java:1)
Caused by: java.net.ConnectException: Connection refused
\tat java.net.Socket.connect(Socket.java:3)
\t... 12 more
"""
GO = """\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.f(0x1, 0x2)
\t/srv/b.go:5 +0x1d
main.main()
\t/srv/b.go:9
exit status 2
"""
RUST = """\
thread 'main' panicked at src/main.rs:5:9:
index out of bounds: the len is 3 but the index is 5
stack backtrace:
   0: rust_begin_unwind
             at /rustc/library/std/src/panicking.rs:1
note: run with `RUST_BACKTRACE=full` environment variable
"""
NODE = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at handler (/srv/app.js:1:2)
    at next (/srv/app.js:3:4) {
  code: 'X'
}
"""
RUBY = """\
app.rb:3:in `call': undefined method `x' for nil (NoMethodError)
\tfrom app.rb:7:in `<main>'
"""
DOTNET = """\
Unhandled exception. System.NullReferenceException: Object reference not set
   at Shop.Main(String[] args) in /srv/Program.cs:line 5
   --- End of inner exception stack trace ---
"""
PHP = """\
PHP Fatal error:  Uncaught Exception: x in /srv/a.php:3
Stack trace:
#0 /srv/b.php(7): a()
#1 {main}
  thrown in /srv/a.php on line 3
"""
TELLING = {
    PYTHON: "shop.OutOfStock: none left",
    JAVA: "Caused by: java.net.ConnectException: Connection refused",
    GO: "panic: runtime error: index out of range [5] with length 3",
    RUST: "index out of bounds: the len is 3 but the index is 5",
    NODE: "TypeError: Cannot read properties of undefined (reading 'id')",
    RUBY: "app.rb:3:in `call': undefined method `x' for nil (NoMethodError)",
    DOTNET: "Unhandled exception. System.NullReferenceException: Object reference not set",
    PHP: "PHP Fatal error:  Uncaught Exception: x in /srv/a.php:3",
}
LINES = [line for trace in TELLING for line in trace.splitlines()]
BEFORE, AFTER = "2026-05-04 10:11:11 INFO before\n", "2026-05-04 10:11:13 INFO after\n"


@pytest.mark.parametrize("trace", TELLING, ids=[trace.split("\n")[0][:20] for trace in TELLING])
def test_a_stack_trace_is_one_entry_from_each_of_its_lines(trace):
    text = BEFORE + trace + AFTER
    at = len(BEFORE)
    for line in trace.splitlines(keepends=True):
        entry = entry_at(text, at)
        assert text[entry.begin : entry.end] == trace
        assert entry.telling == TELLING[trace]
        at += len(line)
    assert entry_at(text, 0).end == len(BEFORE)
    first = trace.split("\n")[0]
    told = [first] if first == TELLING[trace] else [first, TELLING[trace]]
    assert told_lines(text.splitlines()) == [BEFORE.strip(), *told, AFTER.strip()]


def test_a_trace_after_a_harmless_line_stands_by_itself():
    text = BEFORE + "Traceback (most recent call last):\n  File\nValueError: bad\n" + AFTER
    assert entry_at(text, 0).end == len(BEFORE)
    assert entry_at(text, len(BEFORE)).first.startswith("Traceback")


def test_indented_messages_with_a_time_are_messages_of_their_own():
    text = "one\n  2026-05-04 10:11:12 two\n  ERROR three\n  goes on\n"
    assert entry_at(text, 0).end == 4
    assert entry_at(text, text.index("  goes")).first == "  ERROR three"


def test_a_trace_whose_last_line_is_to_come_is_held():
    whole = BEFORE + "Traceback (most recent call last):\n  File\n"
    assert unfinished_from(whole) == len(BEFORE)
    assert unfinished_from(whole + "ValueError: bad\n") == len(whole + "ValueError: bad\n")
    assert unfinished_from(BEFORE) == len(BEFORE)
    assert unfinished_from("") == 0


def test_an_entry_is_bounded():
    text = "first\n" + "  goes on\n" * 10 * ENTRY_LINES
    assert text[: entry_at(text, 0).end].count("\n") == ENTRY_LINES
    assert entry_at(text, len(text) // 2).end - entry_at(text, len(text) // 2).begin <= ENTRY_LINES * 10
    huge = "x" * 1_000_000 + "\n  more\n"
    assert entry_at(huge, 0).end == 1_000_001


ANY = st.lists(st.one_of(st.sampled_from([*LINES, "", " ", "\r", "}"]), st.text(max_size=30)), max_size=40)


@given(ANY)
def test_entries_follow_one_another_whatever_the_text(lines):
    text = "\n".join(line.replace("\n", " ") for line in lines) + "\n"
    at = 0
    while at < len(text):
        entry = entry_at(text, at)
        assert entry.begin <= at < entry.end
        at = entry.end
    assert at == len(text)
    assert 0 <= unfinished_from(text) <= len(text)
    assert len(told_lines(text.split("\n"))) <= 2 * len(text.split("\n"))
