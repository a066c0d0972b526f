"""Every Python block of the documentation runs, and prints what the documentation says it prints.

The blocks of one file run in order in one namespace, in an empty folder. A ``text`` block directly after a
``python`` block is what that block prints.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    *sorted(REPOSITORY.glob("*.md")),
    *sorted((REPOSITORY / "examples").glob("*.md")),
    *sorted(page for page in (REPOSITORY / "docs").rglob("*.md") if "_build" not in page.parts),
]

OTHER_SPELLINGS = ("py", "python3", "pycon", "ipython", "doctest", "{code-block}", "{code-cell}", "{doctest}")
"""Ways to show Python that this test would miss; write ```python."""


@dataclass(frozen=True, slots=True)
class Block:
    """A Python block: its text, the page's line of its first line (from 0), what it must print if told."""

    code: str
    line: int
    printed: str | None


def blocks_of(page: str) -> Iterator[Block]:
    """The Python blocks of a page in order."""
    tokens = MarkdownIt("commonmark").parse(page)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type != "fence":
            continue
        language, _, _ = token.info.strip().partition(" ")
        assert language.lower() not in OTHER_SPELLINGS, f"line {token.map[0] + 1}: write ```python"
        if language == "python":
            told = following is not None and following.type == "fence" and following.info.strip() == "text"
            yield Block(token.content, token.map[0] + 1, following.content if told else None)


def run_page(path: Path) -> None:
    """Run the blocks of a page in the current folder; the first that goes wrong raises."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks_of(path.read_text(encoding="utf-8")):
        # Empty lines before the code let a traceback point into the page itself.
        program = compile("\n" * block.line + block.code, str(path), "exec", dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(program, namespace)
        if block.printed is not None:
            assert output.getvalue() == block.printed, f"{path}:{block.line}: prints something else"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_page_tells_the_truth(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page)


# Self-tests ----------------------------------------------------------------------------------------------


def write(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text.replace("~~~", "```"), encoding="utf-8")
    return page


def test_blocks_share_a_namespace_and_their_output_is_compared(tmp_path: Path) -> None:
    run_page(write(tmp_path, "~~~python\nx = 1\n~~~\nand\n\n~~~python\nprint(x)\n~~~\n\n~~~text\n1\n~~~\n"))


def test_a_wrong_output_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="prints something else"):
        run_page(write(tmp_path, "~~~python\nprint(1)\n~~~\n~~~text\n2\n~~~\n"))


def test_a_block_in_a_list_is_run(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run_page(write(tmp_path, "1. first\n\n   ~~~python\n   1 / 0\n   ~~~\n"))


def test_a_traceback_points_into_the_page(tmp_path: Path) -> None:
    page = write(tmp_path, "text\n\n~~~python\nx = 1\nx / 0\n~~~\n")
    with pytest.raises(ZeroDivisionError) as caught:
        run_page(page)
    assert (caught.traceback[-1].path, caught.traceback[-1].lineno + 1) == (page, 5)


def test_text_apart_from_a_block_is_not_its_output(tmp_path: Path) -> None:
    run_page(write(tmp_path, "~~~python\nprint(1)\n~~~\nA picture:\n\n~~~text\n+-+\n~~~\n"))


def test_other_languages_are_left_alone(tmp_path: Path) -> None:
    run_page(write(tmp_path, "~~~bash\nexit 1\n~~~\n\n~~~\nnot python\n~~~\n"))


@pytest.mark.parametrize("info", ["py", "Python3", "pycon", "{code-block} python"])
def test_python_under_another_name_is_refused(tmp_path: Path, info: str) -> None:
    with pytest.raises(AssertionError, match="write ```python"):
        run_page(write(tmp_path, f"~~~{info}\n1 / 0\n~~~\n"))
