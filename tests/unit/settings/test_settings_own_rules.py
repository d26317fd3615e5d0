"""A person's own log rules: what is taken, what is refused with its file, line and key, and that the others stay."""

from pathlib import Path

import pytest

from autonomyd.model.diagnosis import Cause
from autonomyd.model.log_rules import LogRules
from autonomyd.settings.log_rules import RuleFolder, load_rules, shipped_rules

GOOD = """\
[[rule]]
name = "shop-sold-out"
pattern = 'stock of \\d+ is sold out'
hints = ["sold out"]
category = "shop"
severity = "critical"
cause = "dependency_failed"
confidence = 80
playbooks = ["restart"]
fix = "Order more."
true = "ERROR stock of 17 is sold out"
false = "stock of 17 is full"
"""


def load(folder: Path, **files: str) -> RuleFolder:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return load_rules(folder)


def told(found: RuleFolder) -> list[str]:
    return [str(problem) for each in found.refused for problem in each.problems]


def test_a_good_rule_is_used(tmp_path: Path) -> None:
    found = load(tmp_path, shop=GOOD)
    (rule,) = found.rules
    assert told(found) == []
    assert (rule.name, rule.cause, rule.confidence) == ("shop-sold-out", Cause.DEPENDENCY_FAILED, 80.0)
    (match,) = LogRules((*found.rules, *shipped_rules())).found("x\nERROR stock of 3 is sold out\n")
    assert match.rule is rule


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("'stock of \\d+ is sold out'", "'(a+)+$'", "3: rule[0].pattern: "),
        ("'stock of \\d+ is sold out'", "'('", "3: rule[0].pattern: "),
        ('name = "shop-sold-out"', 'name = "disk-full"', "2: rule[0].name: the name 'disk-full' is taken by"),
        ('severity = "critical"', 'severity = "bad"', "6: rule[0].severity: "),
        ('cause = "dependency_failed"', 'cause = "gremlins"', "7: rule[0].cause: "),
        ("confidence = 80", "confidence = 180", "8: rule[0].confidence: "),
        ('hints = ["sold out"]', 'hints = ["SOLD"]', "4: rule[0].hints[0]: "),
        ('hints = ["sold out"]', 'hints = ["gone"]', "11: rule[0].true: this line does not fit"),
        ('true = "ERROR', 'true = "INFO', "11: rule[0].true: this line does not fit"),
        ('false = "stock of 17 is full"', 'false = "stock of 1 is sold out"', "12: rule[0].false: this line fits"),
        ('fix = "Order more."', 'fixx = "x"', "10: rule[0].fixx: unknown key"),
        ('true = "ERROR stock of 17 is sold out"\n', "", "rule[0].true: "),
    ],
)
def test_a_bad_rule_is_refused_and_the_others_stay(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    other = GOOD.replace("shop-sold-out", "shop-other")
    found = load(tmp_path, a=GOOD.replace(old, new, 1) + other)
    assert [rule.name for rule in found.rules] == ["shop-other"]
    (words,) = told(found)
    assert words.startswith(f"{tmp_path}/a.toml:")
    assert message in words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]\n", "a.toml:1:7: expected"),
        ("", "there is no [[rule]]"),
        ("rule = 3\n", "there is no [[rule]]"),
        ("[[rules]]\nname = 'x'\n", "unknown key"),
        ("rule = [3]\n", "rule[0]: "),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    found = load(tmp_path, a=text, b=GOOD)
    assert [rule.name for rule in found.rules] == ["shop-sold-out"]
    assert message in told(found)[0]


def test_a_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    load(tmp_path, a=GOOD)
    (tmp_path / "a.toml").chmod(0o666)
    assert "everybody may write" in told(load_rules(tmp_path))[0]


def test_two_rules_of_one_name(tmp_path: Path) -> None:
    found = load(tmp_path, a=GOOD, b=GOOD)
    assert len(found.rules) == 1
    assert "is taken by" in told(found)[0]
    assert "a.toml" in told(found)[0]


def test_without_a_folder_there_are_none(tmp_path: Path) -> None:
    assert load_rules(tmp_path / "none") == RuleFolder()
