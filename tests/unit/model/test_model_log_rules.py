"""Lines against rules: the shipped ones on lines as programs write them, a person's own, and hostile text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomyd.model.diagnosis import Cause
from autonomyd.model.log_rules import PIECE_CHARS, LogRule, LogRules
from autonomyd.settings.log_rules import ignored_patterns, rules_of_patterns, shipped_rules
from autonomyd.settings.pattern import open_repeats

SHIPPED = LogRules(shipped_rules())

LINES = {
    "http-429": '10.0.0.1 - - [x] "GET /v1 HTTP/1.1" 429 17 "-" "curl"',
    "rate-limited": "openai.RateLimitError: rate limit reached for requests",
    "http-503": '10.0.0.1 - - [x] "GET / HTTP/1.1" 503 17',
    "http-502": "requests.exceptions.HTTPError: 502 Server Error: Bad Gateway for url: https://x",
    "http-504": '"GET / HTTP/2.0" 504 0',
    "http-500": '10.0.0.1 - - [x] "POST /orders HTTP/1.1" 500 12',
    "http-401": "401 Client Error: Unauthorized for url: https://api.example.org",
    "upstream-failed": "2026/05/04 10:11:12 [error] 7#7: *1 upstream timed out (110) while reading response",
    "python-missing-module": "ModuleNotFoundError: No module named 'flask'",
    "python-syntax": "SyntaxError: invalid syntax",
    "python-memory": "MemoryError",
    "exception": "Traceback (most recent call last):",
    "java-out-of-memory": "java.lang.OutOfMemoryError: Java heap space",
    "java-missing-class": "Caused by: java.lang.ClassNotFoundException: com.example.X",
    "java-exception": 'Exception in thread "main" java.lang.NullPointerException',
    "node-missing-module": "Error: Cannot find module 'express'",
    "node-heap": "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "node-exception": "TypeError: Cannot read properties of undefined (reading 'id')",
    "go-panic": "panic: runtime error: index out of range [5] with length 3",
    "rust-panic": "thread 'main' panicked at src/main.rs:5:9:",
    "php-fatal": "PHP Fatal error:  Uncaught Error: Call to undefined function x() in /srv/a.php:3",
    "ruby-exception": "app.rb:3:in `call': undefined method `x' for nil (NoMethodError)",
    "dotnet-exception": "Unhandled exception. System.NullReferenceException: Object reference not set",
    "crashed": "web[17]: segfault at 0 ip 00007f sp 00007f error 4 in libc.so.6",
    "missing-library": "web: error while loading shared libraries: libssl.so.3: cannot open shared object file",
    "missing-command": "/bin/sh: 1: convert: command not found",
    "database-unreachable": "sqlalchemy.exc.OperationalError: could not connect to server: Connection refused",
    "database-too-many-connections": "FATAL:  sorry, too many clients already",
    "database-locked": "sqlite3.OperationalError: database is locked",
    "database-deadlock": "ERROR:  deadlock detected",
    "database-statement-timeout": "ERROR:  canceling statement due to statement timeout",
    "database-schema": 'ERROR:  relation "orders" does not exist at character 15',
    "database-corrupt": "sqlite3.DatabaseError: database disk image is malformed",
    "database-login": 'FATAL:  password authentication failed for user "web"',
    "redis-failed": "redis.exceptions.ConnectionError: Error 111 connecting to 127.0.0.1:6379.",
    "broker-failed": "kafka.errors.NoBrokersAvailable: NoBrokersAvailable",
    "disk-full": "OSError: [Errno 28] No space left on device",
    "disk-failing": "blk_update_request: I/O error, dev sda, sector 12345",
    "read-only-disk": "OSError: [Errno 30] Read-only file system: '/srv/x'",
    "oom-killed": "Out of memory: Killed process 1234 (web) total-vm:8000kB",
    "out-of-memory": "OSError: [Errno 12] Cannot allocate memory",
    "descriptors-used-up": "OSError: [Errno 24] Too many open files",
    "processes-used-up": "RuntimeError: can't start new thread",
    "permission-denied": "PermissionError: [Errno 13] Permission denied: '/srv/x'",
    "config-invalid": 'nginx: [emerg] unknown directive "lisen" in /etc/nginx/nginx.conf:3',
    "missing-setting": "KeyError: 'DATABASE_URL'",
    "missing-file": "FileNotFoundError: [Errno 2] No such file or directory: 'x.json'",
    "port-in-use": "OSError: [Errno 98] Address already in use",
    "connection-refused": "ConnectionRefusedError: [Errno 111] Connection refused",
    "connection-reset": "ConnectionResetError: [Errno 104] Connection reset by peer",
    "time-out": "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='x', port=443): Read timed out.",
    "name-not-resolved": "socket.gaierror: [Errno -2] Name or service not known",
    "network-unreachable": "OSError: [Errno 101] Network is unreachable",
    "certificate-expired": "certificate verify failed: certificate has expired (_ssl.c:1006)",
    "tls-failed": "ssl.SSLCertVerificationError: certificate verify failed: self-signed certificate",
    "authentication-failed": "openai.AuthenticationError: invalid api key provided",
}
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


def test_every_shipped_rule_has_a_line_here():
    assert set(LINES) == {rule.name for rule in shipped_rules()}
    assert len(LINES) >= 39


@pytest.mark.parametrize("name", LINES)
def test_each_rule_knows_its_line(name):
    assert names(f"something else\n2026 ok\n{LINES[name]}\nmore\n") == {name: 1}


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_error_is_none(line):
    assert names(line + "\n") == {}


def test_every_rule_is_complete_and_safe():
    for rule in shipped_rules():
        assert rule.category
        assert rule.fix.endswith(".")
        assert rule.hints
        assert all(hint == hint.lower() for hint in rule.hints)
        assert open_repeats(rule.pattern.pattern) <= 4


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


@given(st.lists(st.sampled_from([*LINES.values(), *HARMLESS, "z" * 300, "\u0130stanbul error"]), max_size=40))
def test_pieces_give_what_line_by_line_gives(lines):
    whole = names("\n".join(lines) + "\n")
    single: dict[str, int] = {}
    for line in lines:
        for name, count in names(line + "\n").items():
            single[name] = single.get(name, 0) + count
    assert whole == single


def test_binary_and_huge_lines_do_no_harm():
    assert names("\x00\x01\ufffd" * 100_000 + "\n" + LINES["disk-full"] + "\n") == {"disk-full": 1}


def test_out_of_time_is_told():
    with pytest.raises(TimeoutError):
        LogRules((LogRule(name="x", pattern=re.compile("x")),)).found("x\n" * 100, expired=lambda: True)
