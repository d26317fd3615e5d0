"""Lines against rules: the shipped ones on lines as programs write them, a person's own, and hostile text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.execute.playbooks import BUNDLED
from autonomyd.model.diagnosis import Cause
from autonomyd.model.log_entries import entry_at
from autonomyd.model.log_rules import PIECE_CHARS, LogRule, LogRules
from autonomyd.settings.log_rules import ignored_patterns, rules_of_patterns, shipped_rules
from autonomyd.settings.pattern import checked_pattern, freedom

SHIPPED = LogRules(shipped_rules())

LINES = {rule.name: rule.true for rule in shipped_rules()}
STACK = (
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in f',
    "sqlalchemy.exc.OperationalError: could not connect to server",
)
HARMLESS = [
    '10.0.0.1 - - [x] "GET /orders/503 HTTP/1.1" 200 429',
    "2026-05-04 INFO web: retry after connection refused worked",
    '{"level":"info","msg":"no error, 0 timeouts"}',
    "2026-05-04 DEBUG pool: too many connections? no",
    "all 500 orders were placed",
    "user logged in",
    "",
]


def names(text, rules=SHIPPED):
    return {match.rule.name: match.count for match in rules.found(text)}


ROOT_CAUSES = {
    "missing dependency": "python-missing-module",
    "permissions": "permission-denied",
    "network time-out": "time-out",
    "port in use": "port-in-use",
    "out of memory": "out-of-memory",
    "disk full": "disk-full",
    "too many open files": "descriptors-used-up",
    "configuration error": "config-invalid",
    "missing setting": "missing-setting",
    "database connection refused": "database-unreachable",
    "authentication failed": "authentication-failed",
    "rate limiting": "rate-limited",
    "DNS failure": "name-not-resolved",
    "certificate expired": "certificate-expired",
    "TLS": "tls-failed",
    "deadlock": "database-deadlock",
    "lock timeout": "database-locked",
    "missing file": "missing-file",
    "version mismatch": "version-mismatch",
    "upstream unavailable": "upstream-failed",
    "network unreachable": "network-unreachable",
    "overload": "overloaded",
    "another instance": "already-running",
    "clock": "clock-wrong",
}


def test_there_are_enough_rules_and_names_are_unique():
    names = [rule.name for rule in shipped_rules()]
    assert len(names) == len(set(names)) >= 39


@pytest.mark.parametrize("name", ROOT_CAUSES.values())
def test_the_root_causes_say_what_they_mean(name):
    rule = next(rule for rule in shipped_rules() if rule.name == name)
    assert rule.cause is not None
    assert rule.cause.words
    assert 50 <= rule.confidence <= 100


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.name)
def test_no_rule_fires_on_the_line_that_only_looks_like_it(rule):
    assert names(rule.false + "\n") == {}


def test_suggested_playbooks_exist():
    known = {strategy.name for strategy in BUNDLED}
    assert {name for rule in shipped_rules() for name in rule.playbooks} <= known


@pytest.mark.parametrize("name", LINES)
def test_each_rule_knows_its_line(name):
    assert names(f"something else\n2026 ok\n{LINES[name]}\nmore\n") == {name: 1}


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_error_is_none(line):
    assert names(line + "\n") == {}


def test_every_rule_is_complete_and_safe():
    for rule in shipped_rules():
        assert rule.category
        assert checked_pattern(rule.pattern.pattern)
        assert rule.fix.endswith(".")
        assert rule.hints
        assert all(hint == hint.lower() for hint in rule.hints)
        assert freedom(rule.pattern.pattern).open <= 4


def test_counts_and_examples_without_secrets():
    text = "x\nOperationalError: could not connect to server postgresql://u:hidden@db/x\n" * 3
    (match,) = SHIPPED.found(text)
    assert (match.rule.name, match.count, match.rule.cause) == ("database-unreachable", 3, Cause.DEPENDENCY_FAILED)
    assert "hidden" not in match.example
    assert match.example.startswith("OperationalError")


def test_own_patterns_and_what_is_ignored():
    rules = LogRules(rules_of_patterns(["OperationalError", r"code=\d+"]), ignore=ignored_patterns(["healthcheck"]))
    text = "INFO OperationalError a\nOperationalError healthcheck\ncode=17\nnothing\n"
    assert names(text, rules) == {"OperationalError": 1, r"code=\d+": 1}


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_a_line_on_the_border_of_two_pieces_counts_once(offset):
    line = LINES["disk-full"]
    before = "y" * (PIECE_CHARS - len(line) // 2 + offset) + "\n"
    assert names(f"{before}{line}\n{line}\n") == {"disk-full": 2}


@given(st.lists(st.sampled_from([*LINES.values(), *HARMLESS, *STACK, "z" * 300, "\u0130stanbul error"]), max_size=40))
def test_pieces_give_what_entry_by_entry_gives(lines):
    text = "\n".join(lines) + "\n"
    single: dict[str, int] = {}
    at = 0
    while at < len(text):
        entry = entry_at(text, at)
        for name, count in names(text[entry.begin : entry.end]).items():
            single[name] = single.get(name, 0) + count
        at = entry.end
    assert names(text) == single


def test_a_stack_trace_counts_once_and_shows_its_telling_line():
    text = "\n".join(("2026-05-04 10:11:12 ERROR web: request failed", *STACK, "2026-05-04 10:11:13 INFO on", ""))
    (match,) = SHIPPED.found(text * 2)
    assert (match.rule.name, match.count) == ("database-unreachable", 2)
    assert match.example == "sqlalchemy.exc.OperationalError: could not connect to server"
    (bare,) = SHIPPED.found('Traceback (most recent call last):\n  File "a.py", line 1, in f\nshop.Sold: none left\n')
    assert (bare.rule.name, bare.example) == ("exception", "shop.Sold: none left")


def test_what_goes_on_with_a_harmless_line_is_harmless():
    assert names("2026-05-04 INFO retried after\n    ConnectionRefusedError: gone\n") == {}


def test_binary_and_huge_lines_do_no_harm():
    assert names("\x00\x01\ufffd" * 100_000 + "\n" + LINES["disk-full"] + "\n") == {"disk-full": 1}


def test_out_of_time_is_told():
    with pytest.raises(TimeoutError):
        LogRules((LogRule(name="x", pattern=re.compile("x")),)).found("x\n" * 100, expired=lambda: True)
