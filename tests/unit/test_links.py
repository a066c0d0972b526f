"""Every relative link of the documentation leads to a file, and to a heading where it names one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    *sorted(REPOSITORY.glob("*.md")),
    *sorted((REPOSITORY / "examples").glob("*.md")),
    *sorted(page for page in (REPOSITORY / "docs").rglob("*.md") if "_build" not in page.parts),
]


def tokens_of(page: Path) -> Iterator[Token]:
    """All tokens of a page, those inside paragraphs and tables too."""
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links_of(page: Path) -> Iterator[str]:
    """The targets of links and pictures."""
    for token in tokens_of(page):
        target = token.attrs.get("href") or token.attrs.get("src")
        if target:
            yield str(target)


def headings_of(page: Path) -> set[str]:
    """The anchors of a page's headings: lower case, words joined by hyphens, punctuation gone."""
    tokens = list(tokens_of(page))
    titles = (after.content for token, after in pairwise(tokens) if token.type == "heading_open")
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(page: Path, repository: Path) -> Iterator[str]:
    for link in links_of(page):
        if re.match(r"[a-z][a-z0-9+.-]*:", link, re.IGNORECASE):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.is_relative_to(repository) or not target.exists():
            yield f"{page}: {link}: no such file"
        elif anchor and anchor not in headings_of(target):
            yield f"{page}: {link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page, REPOSITORY)) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "map.md").write_text("# The map: of `core`\n\ntext\n", encoding="utf-8")
    page = tmp_path / "README.md"
    good = "[a](docs/map.md) [b](docs/map.md#the-map-of-core) [c](#top) [d](https://example.org/x) ![e](docs)"
    bad = ["missing.md", "docs/map.md#nothing", "#nowhere", "../outside.md", "picture.png", "table.md"]
    text = "\n".join([f"[x]({link})" for link in bad[:4]] + [f"![x]({bad[4]})", "", "| a |", "|---|"])
    page.write_text(f"# Top\n\n{good}\n\n{text}\n| [x]({bad[5]}) |\n", encoding="utf-8")
    found = [told.removeprefix(f"{page}: ").partition(": ")[0] for told in broken_links(page, tmp_path)]
    assert found == bad
