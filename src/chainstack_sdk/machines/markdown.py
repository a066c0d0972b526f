"""Small pieces of Markdown that stay what they are, whatever text is put into them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$#]")
_LEAD = re.compile(r"^([-+=]|\d+(?=[.)]))")
_LINK = re.compile(r"(?<=\w)://|(?<=www)\.", re.IGNORECASE)
_EDGE = re.compile(r"^_+|_+$")


def escaped(text: str) -> str:
    """Return a text on one line in which nothing is markup; what cannot be printed is replaced.

    Addresses of pages do not become links.
    """
    line = " ".join(text.split())
    shown = "".join([each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line])
    return _LINK.sub(r"\\\g<0>", _SPECIAL.sub(r"\\\g<0>", shown))


def name(identifier: str) -> str:
    """Return a name of the author's, in italics."""
    safe = _EDGE.sub(lambda found: "\\_" * len(found[0]), identifier)
    return f"*{safe}*"


def quoted(text: str) -> str:
    """Return a text within quotation marks."""
    return f"“{escaped(text)}”"


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a docstring, each on one line that begins no list and underlines nothing."""
    for part in re.split(r"\n\s*\n", text.strip()):
        if part:
            yield _LEAD.sub(_led, escaped(part))


def _led(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"| {' | '.join(heads)} |"
    yield "|" + " --- |" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"
