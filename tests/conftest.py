"""In CI nothing skips: a skipped test fails the run, because a part that was meant to be tested is missing."""

import os
from collections.abc import Generator
from typing import Any

import pytest

AST_FAULT = "AST constructor recursion depth mismatch"


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Python before 3.11.9 and 3.12.3 can raise this SystemError out of `ast.parse` when an object is finalized within
    it (CPython issue 106905); hypothesis and these tests parse. Such a test, and no other, is run a second time."""
    try:
        return (yield)
    except (SystemError, BaseExceptionGroup) as error:
        if not _ast_fault(error):
            raise
    names = pyfuncitem._fixtureinfo.argnames
    pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    return True


def _ast_fault(error: BaseException) -> bool:
    """Whether it is this fault, or a group of nothing else (hypothesis calls what does not fail again flaky)."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_ast_fault, error.exceptions))
    return isinstance(error, SystemError) and AST_FAULT in str(error)


def _skipped(session: pytest.Session) -> list[str]:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    reports = [] if reporter is None else reporter.stats.get("skipped", [])
    return sorted({f"{report.nodeid}: {_reason(report)}" for report in reports})


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr or "")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if os.environ.get("CI") != "true" or exitstatus != pytest.ExitCode.OK:
        return
    if _skipped(session):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("CI") != "true" or not skipped:
        return
    terminalreporter.section("skipped tests fail a CI run", red=True)
    for report in skipped:
        terminalreporter.line(f"{report.nodeid}: {_reason(report)}")
