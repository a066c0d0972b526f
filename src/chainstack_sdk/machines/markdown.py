"""Small pieces of Markdown that stay what they are, whatever text is put into them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$#]")
_EDGE = re.compile(r"^_+|_+$")


def escaped(text: str) -> str:
    """Return a text on one line in which nothing is markup; what cannot be printed is replaced."""
    line = " ".join(text.split())
    shown = "".join([each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line])
    return _SPECIAL.sub(r"\\\g<0>", shown)


def name(identifier: str) -> str:
    """Return a name of the author's, in italics."""
    safe = _EDGE.sub(lambda found: "\\_" * len(found[0]), identifier)
    return f"*{safe}*"


def quoted(text: str) -> str:
    """Return a text within quotation marks."""
    return f"“{escaped(text)}”"


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a docstring, each on one line."""
    for part in re.split(r"\n\s*\n", text.strip()):
        if part:
            yield escaped(part)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"| {' | '.join(heads)} |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"
