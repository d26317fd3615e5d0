"""What the pages say holds: links lead somewhere, snippets run, configuration is accepted, verbs and routes exist."""

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
import structlog

from autonomyd.cli.ctl import VERBS
from autonomyd.control.resources import ROUTES
from autonomyd.monitor.probes import check_kinds
from autonomyd.settings.load import make_settings
from autonomyd.settings.log_rules import OwnRule
from autonomyd.settings.playbook import Playbook

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CALLED = re.compile(r"autonomyctl(?: --socket \S+)? ([a-z]+(?:-[a-z]+)*)")
ROUTE = re.compile(r"/v1/[A-Za-z0-9_/.{}:-]*[A-Za-z0-9_}]")

Blocks = Callable[..., list[Any]]


def anchors(text: str) -> set[str]:
    """The names by which headings can be linked to, as GitHub makes them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(FENCED.sub("", text)))
    return {heading.replace(" ", "-") for heading in plain}


def test_every_relative_link_leads_to_a_file_and_a_heading(pages: dict[str, str]) -> None:
    broken = []
    for page, text in pages.items():
        for target in LINK.findall(FENCED.sub("", text)):
            if "://" in target:
                continue
            path, _, anchor = target.partition("#")
            file = (ROOT / page).parent / path if path else ROOT / page
            if not file.exists():
                broken.append(f"{page}: {target}")
            elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
                broken.append(f"{page}: {target} has no such heading")
    assert broken == []


def test_every_page_is_linked_to_from_another(pages: dict[str, str]) -> None:
    linked = {
        str(((ROOT / page).parent / target.partition("#")[0]).resolve().relative_to(ROOT))
        for page, text in pages.items()
        for target in LINK.findall(text)
        if "://" not in target and target.partition("#")[0]
    }
    assert set(pages) - linked - {"README.md"} == set()


async def test_the_snippets_of_embedding_run(
    blocks: Blocks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = blocks("python", "docs/embedding.md")
    assert len(found) == 6
    for number, block in enumerate(found):
        monkeypatch.setenv("AUTONOMYD_DAEMON__STATE_DIR", str(tmp_path / str(number)))
        code = compile(block.text, block.where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = FunctionType(code, {"__name__": "snippet"})()
        if inspect.isawaitable(running):
            await running
    printed = capsys.readouterr().out
    for said in re.findall(r"# ((?:healed|in_progress) .+)", "".join(block.text for block in found)):
        assert said in printed


def test_the_configuration_of_every_page_is_accepted(blocks: Blocks) -> None:
    found = blocks("toml")
    assert any(block.where.startswith("README") for block in found)
    for block in found:
        if block.where.startswith(("docs/configuration", "docs/extending")):
            continue
        tables = tomllib.loads(block.text)
        if "steps" in tables:
            assert not list(Playbook.model_validate(tables).faults()), block.where
            continue
        if "rule" in tables:
            assert [OwnRule.model_validate(rule) for rule in tables["rule"]], block.where
            continue
        for service in tables.get("services", {}).values():
            service["depends_on"] = ()  # a page may show a child without its parent
        assert make_settings(tables, checks=check_kinds()), block.where


def test_every_verb_that_a_page_calls_exists_and_each_is_told_of(pages: dict[str, str]) -> None:
    called = {verb for text in pages.values() for verb in CALLED.findall(text)}
    assert called - set(VERBS) <= {"disks"}  # the example of extending.md
    assert set(VERBS) - {verb for verb in VERBS if f"`{verb}" in pages["docs/operations.md"]} == set()


def test_the_api_page_tells_of_every_route_and_of_no_other(pages: dict[str, str]) -> None:
    there = {route.path.replace(":path}", "}") for route in ROUTES}
    told = set(re.findall(r"^\| (?:GET|POST) \| `([^`]+)`", pages["docs/api.md"], re.MULTILINE))
    assert told == there
    patterns = [re.sub(r"{\w+}", ".+", path) + "$" for path in there]
    used = {path for text in pages.values() for path in ROUTE.findall(text)}
    assert [path for path in used if not any(re.match(each, path) for each in patterns)] in ([], ["/v1/disks"])


def test_json_on_the_pages_is_json(blocks: Blocks) -> None:
    for block in blocks("json"):
        assert json.loads(block.text), block.where


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Any:
    yield
    structlog.reset_defaults()
