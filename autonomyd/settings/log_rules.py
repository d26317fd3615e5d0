"""The rules for log lines: those that ship (analyze/rules/*.toml), a person's own (rules.d/*.toml), and those that a
check's `patterns` make."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from autonomyd.model.diagnosis import Cause
from autonomyd.model.health import Severity
from autonomyd.model.log_rules import LogRule, LogRules
from autonomyd.settings.base import Percent, Table
from autonomyd.settings.document import Document
from autonomyd.settings.folder import RefusedFile, own_document, own_files, placed, problems_of
from autonomyd.settings.pattern import checked_pattern, text_limit
from autonomyd.settings.problem import ConfigError, ConfigProblem, KeyPath

RULES = Path(__file__).parents[1] / "analyze" / "rules"
FILES = ("databases", "exceptions", "resources", "network", "http", "any")
"""In this order: an entry counts for the first rule that fits."""
MOST_RULES = 500
LINE_CHARS = 2_000

Hint = Annotated[str, Field(min_length=2, max_length=100, pattern=r"^[^A-Z\n]+$")]
Line = Annotated[str, Field(min_length=1, max_length=LINE_CHARS)]


class OwnRule(Table):
    """One `[[rule]]` of a person."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    """Its name in messages and in the `log_rules` of playbooks; no other rule has it."""
    pattern: Annotated[str, AfterValidator(checked_pattern)]
    """Regular expression of a bad line, in letters of either case."""
    hints: tuple[Hint, ...] = ()
    """Plain words in small letters, one of which is in every line that fits: only such lines are looked at closely.
    Without them every line is, which costs more."""
    category: str = Field(default="own", min_length=1, max_length=40)
    """What kind of trouble it is, in a word or two."""
    severity: Severity = Severity.WARNING
    """notice, warning or critical."""
    cause: Cause | None = None
    """What such a line means; default: only that something is wrong."""
    confidence: Percent = 70.0
    """How surely it means that (0 to 100)."""
    playbooks: tuple[str, ...] = ()
    """Names of remedies that are worth a look."""
    fix: str = Field(default="", max_length=400)
    """What a person can do."""
    any_level: bool = False
    """Whether lines that call themselves information or debugging count too."""
    true: Line
    """A line that fits; checked when the rule is read."""
    false: Line
    """A line that looks like it and does not fit; checked when the rule is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFolder:
    """What the folder holds, by file name."""

    rules: tuple[LogRule, ...] = ()
    refused: tuple[RefusedFile, ...] = ()


@cache
def shipped_rules() -> tuple[LogRule, ...]:
    """Every rule that ships, in the order in which they are tried."""
    return tuple(
        _rule(entry)
        for name in FILES
        for entry in tomllib.loads((RULES / f"{name}.toml").read_text(encoding="utf-8"))["rule"]
    )


def load_rules(folder: Path, *, taken: Collection[str] | None = None) -> RuleFolder:
    """The rules of `folder`; none when it is not there. A bad rule is refused, the others of its file stay. `taken` are
    names that others have (default: the shipped rules). Reads files: for a thread."""
    names = dict.fromkeys({rule.name for rule in shipped_rules()} if taken is None else taken, "a rule that ships")
    paths, unread = own_files(folder)
    rules: list[LogRule] = []
    refused = [RefusedFile(file=problem.file, problems=(problem,)) for problem in unread]
    for path in paths:
        try:
            document = own_document(path)
        except ConfigError as error:
            refused.append(RefusedFile(file=str(path), problems=error.problems))
            continue
        good, problems = _of_document(document, names, room=MOST_RULES - len(rules))
        rules += good
        if problems:
            refused.append(RefusedFile(file=str(path), problems=tuple(problems)))
    return RuleFolder(rules=tuple(rules), refused=tuple(refused))


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


def _of_document(document: Document, names: dict[str, str], *, room: int) -> tuple[list[LogRule], list[ConfigProblem]]:
    """The good rules of one file, and what is wrong with the others. `names` grows by theirs."""
    entries = document.data.get("rule")
    unknown = [placed(document, (key,), "unknown key: a file of rules has [[rule]] only") for key in document.data
               if key != "rule"]  # fmt: skip
    if not isinstance(entries, list) or not entries:
        return [], unknown or [placed(document, ("rule",), "there is no [[rule]] in it")]
    rules: list[LogRule] = []
    problems = unknown
    for index, entry in enumerate(entries):
        at: KeyPath = ("rule", index)
        if index >= room:
            problems.append(placed(document, at, f"more than {MOST_RULES} rules: this one and the next are not used"))
            break
        try:
            own = OwnRule.model_validate(entry)
        except ValidationError as error:
            problems += problems_of(OwnRule, document, error.errors(include_url=False), at)
            continue
        rule = _rule(own.model_dump())
        faults = [placed(document, (*at, key), words) for key, words in _faults(rule, names)]
        problems += faults
        if not faults:
            names[rule.name] = document.file
            rules.append(rule)
    return rules, problems


def _faults(rule: LogRule, names: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    if rule.name in names:
        yield "name", f"the name {rule.name!r} is taken by {names[rule.name]}"
    alone = LogRules((rule,))
    if alone.of_line(rule.true) is None:
        yield "true", "this line does not fit the rule (its pattern, its hints, its level)"
    if alone.of_line(rule.false) is not None:
        yield "false", "this line fits the rule, and must not"


def _rule(entry: Mapping[str, Any]) -> LogRule:
    return LogRule(
        name=entry["name"],
        pattern=re.compile(entry["pattern"], re.IGNORECASE),
        hints=tuple(entry["hints"]),
        category=entry["category"],
        severity=Severity(entry["severity"]),
        cause=Cause(entry["cause"]) if entry.get("cause") is not None else None,
        confidence=float(entry["confidence"]),
        playbooks=tuple(entry["playbooks"]),
        fix=entry["fix"],
        limit=text_limit(entry["pattern"]),
        any_level=entry.get("any_level", False),
        true=entry["true"],
        false=entry["false"],
    )
