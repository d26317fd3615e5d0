"""House rules that no linter knows: the size of modules, a docstring in each, no shell, no relative imports."""

import ast
import gc
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "autonomyd"
MAX_LINES = 400
SHELLS = frozenset({"create_subprocess_shell", "getoutput", "getstatusoutput", "system", "popen"})
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "misc", "common"})
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

Found = Iterator[tuple[Path, ast.AST]]


@cache
def modules() -> tuple[tuple[Path, str, ast.Module], ...]:
    """Every module of the package: its path from the root, text and tree."""
    texts = ((path, path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py")))
    # Python before 3.11.8 fails with a SystemError when a finalizer parses too (it formats a traceback) meanwhile.
    gc.disable()
    try:
        return tuple((path.relative_to(ROOT), text, ast.parse(text, str(path))) for path, text in texts)
    finally:
        gc.enable()


def nodes() -> Found:
    for path, _, tree in modules():
        for node in ast.walk(tree):
            yield path, node


def at(path: Path, node: ast.AST) -> str:
    return f"{path}:{getattr(node, 'lineno', 1)}"


def test_there_is_something_to_look_at() -> None:
    assert len(modules()) > 10


def test_no_module_is_longer_than_400_lines() -> None:
    long = {str(path): lines for path, text, _ in modules() if (lines := text.count("\n")) > MAX_LINES}
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    assert [str(path) for path, _, tree in modules() if not ast.get_docstring(tree)] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path, _, _ in modules() if path.stem in VAGUE_NAMES or path.parent.name in VAGUE_NAMES] == []


def starts_a_shell(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    for keyword in node.keywords:
        if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False):
            return True
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in SHELLS:
        owner = called.value
        return isinstance(owner, ast.Name) and owner.id in {"os", "subprocess", "asyncio"}
    return isinstance(called, ast.Name) and called.id in {"create_subprocess_shell", "getoutput", "getstatusoutput"}


def test_nothing_runs_through_a_shell() -> None:
    assert [at(path, node) for path, node in nodes() if starts_a_shell(node)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("subprocess.run(argv, shell=True)", True),
        ("subprocess.run(argv, shell=flag)", True),
        ("subprocess.run(argv, shell=False)", False),
        ("os.system(line)", True),
        ("asyncio.create_subprocess_shell(line)", True),
        ("asyncio.create_subprocess_exec(*argv)", False),
        ("platform.system()", False),
    ],
)
def test_the_shell_rule_itself(code: str, found: bool) -> None:
    assert any(starts_a_shell(node) for node in ast.walk(ast.parse(code))) is found


def test_no_unfinished_work_is_marked_in_the_code() -> None:
    assert [str(path) for path, text, _ in modules() if UNFINISHED.search(text)] == []


def test_no_dataclass_is_mutable_or_open_in_the_vocabulary() -> None:
    """The model's dataclasses are frozen, slotted and keyword-only."""
    loose = []
    for path, _, tree in modules():
        if path.parts[1] != "model":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                loose += [f"{at(path, node)} {node.name}" for mark in node.decorator_list if not _strict(mark)]
    assert loose == []


def _strict(mark: ast.expr) -> bool:
    """Whether a class decorator is another one than dataclass, or a dataclass with the three options."""
    name = ast.unparse(mark.func if isinstance(mark, ast.Call) else mark)
    if name.split(".")[-1] != "dataclass":
        return True
    keywords = mark.keywords if isinstance(mark, ast.Call) else []
    return {"frozen", "slots", "kw_only"} <= {each.arg for each in keywords if ast.unparse(each.value) == "True"}
