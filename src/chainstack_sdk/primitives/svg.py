"""Pictures in SVG, as text: the same bytes for the same picture, and no text that could be markup."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def document(width: int, height: int, style: str, body: Iterable[str]) -> str:
    """Return a document.

    Parameters
    ----------
    width, height
        In pixels.
    style
        CSS for all that is within.
    body
        Elements, in the order in which they are drawn.
    """
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    box = f' viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([head + box, f"<style>{style}</style>", *body, "</svg>"]) + "\n"


def tip(name: str, colour: str, size: int = 7) -> str:
    """Return the definition of an arrow head, for lines with ``marker-end: url(#name)``.

    Parameters
    ----------
    size
        Its length in pixels.
    """
    half = f"{size * 3 / 7:.1f}"
    shape = f'<path d="M0,0 L{size},{half} L0,{size * 6 / 7:.1f} Z" fill="{colour}"/>'
    room = f'markerWidth="{size + 1}" markerHeight="{size + 1}" refX="{size}" refY="{half}"'
    return (
        f'<defs><marker id="{name}" {room} orient="auto" markerUnits="userSpaceOnUse">{shape}</marker></defs>'
    )


def label(
    x: int, y: int, words: str | Sequence[tuple[str, str]], *, anchor: str = "", style: str = ""
) -> str:
    """Return words that stand on a line.

    Parameters
    ----------
    x, y
        Where the line begins, in pixels from the left and the top.
    words
        Any text, or parts of one, each with its class of the style sheet.
    anchor
        ``"middle"`` or ``"end"``, when ``x`` is that of the words; by default their start.
    style
        A class of the style sheet.
    """
    kind = f' class="{style}"' if style else ""
    place = f' text-anchor="{anchor}"' if anchor else ""
    if isinstance(words, str):
        told = safe(words)
    else:
        told = " ".join([f'<tspan class="{each}">{safe(text)}</tspan>' for text, each in words])
    return f'<text{kind} x="{x}" y="{y}"{place}>{told}</text>'


def safe(text: str) -> str:
    """Return a text that may stand within an element or a quoted attribute; XML has no control characters."""
    known = "".join([each if each.isprintable() else " " for each in text])
    return escape(known, {'"': "&quot;"})
