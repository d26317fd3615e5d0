"""The pages and their fenced blocks."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: where it begins, and its text."""

    where: str
    text: str


@pytest.fixture(scope="session")
def pages() -> dict[str, str]:
    """Path from the root to text."""
    found = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
    return {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in found}


@pytest.fixture(scope="session")
def blocks(pages: dict[str, str]) -> Callable[..., list[Block]]:
    """`blocks(language)` of all pages, `blocks(language, page)` of one."""

    def of(language: str, only: str = "") -> list[Block]:
        return [
            Block(where=f"{page}:{text.count(chr(10), 0, found.start()) + 1}", text=found.group(2))
            for page, text in pages.items()
            if not only or page == only
            for found in FENCE.finditer(text)
            if found.group(1) == language
        ]

    return of
