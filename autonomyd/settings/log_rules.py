"""The rules for log lines: those that ship (autonomyd/rules/*.toml), and those that a check's `patterns` make."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from autonomyd.model.diagnosis import Cause
from autonomyd.model.health import Severity
from autonomyd.model.log_rules import LogRule
from autonomyd.settings.pattern import text_limit

RULES = Path(__file__).parents[1] / "rules"
FILES = ("databases", "exceptions", "resources", "network", "http", "any")
"""In this order: a line counts for the first rule that fits."""


@cache
def shipped_rules() -> tuple[LogRule, ...]:
    """Every rule that ships, in the order in which they are tried."""
    return tuple(
        _rule(entry)
        for name in FILES
        for entry in tomllib.loads((RULES / f"{name}.toml").read_text(encoding="utf-8"))["rule"]
    )


def rules_of_patterns(patterns: Iterable[str]) -> tuple[LogRule, ...]:
    """A rule for each pattern of a person, named by the pattern itself; whatever level a line has, it counts."""
    return tuple(
        LogRule(
            name=pattern,
            pattern=re.compile(pattern),
            limit=text_limit(pattern),
            any_level=True,
        )
        for pattern in patterns
    )


def ignored_patterns(patterns: Iterable[str]) -> tuple[tuple[re.Pattern[str], int], ...]:
    """Each pattern with the characters of a line that it may see."""
    return tuple((re.compile(pattern), text_limit(pattern)) for pattern in patterns)


def _rule(entry: Mapping[str, Any]) -> LogRule:
    return LogRule(
        name=entry["name"],
        pattern=re.compile(entry["pattern"], re.IGNORECASE),
        hints=tuple(entry["hints"]),
        category=entry["category"],
        severity=Severity(entry["severity"]),
        cause=Cause(entry["cause"]) if "cause" in entry else None,
        fix=entry["fix"],
        limit=text_limit(entry["pattern"]),
        any_level=entry.get("any_level", False),
    )
