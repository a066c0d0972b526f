"""Nodes as they are stored and sent: strict decoding, encoding, and the walk down a path.

A decoded node holds its children as references (their RLP or their hash), not as nodes, so it is
valid wherever the same subtree occurs. Paths and keys are nibbles, one per byte, in this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.core.trie.encoding import BLANK, VALUE_SLOT, hex_prefix, nibbles
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import bytes_header, list_header, rlp_bytes

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class PathNode:
    """A leaf or an extension."""

    path: bytes
    """Nibbles; one or more for an extension."""

    item: bytes
    """A leaf's value as RLP, never of the empty string; an extension's reference to its branch."""

    is_leaf: bool
    """A leaf, not an extension."""


BranchNode: TypeAlias = tuple[bytes, ...]
"""The 17 slots of a branch: 16 references (``80`` where there is no child) and the value as RLP."""

DecodedNode: TypeAlias = "PathNode | BranchNode"
"""A node of a trie."""


def encode_node(node: DecodedNode) -> bytes:
    """Return the RLP of a node."""
    if isinstance(node, PathNode):
        payload = rlp_bytes(hex_prefix(node.path, node.is_leaf)) + node.item
    else:
        payload = b"".join(node)
    return list_header(len(payload)) + payload


def decode_node(raw: bytes) -> DecodedNode:
    """Return the node that `raw` encodes.

    Embedded children are checked for their size here and decoded when they are reached.

    Raises
    ------
    InvalidInput
        When `raw` is not the canonical RLP of a node that a trie can contain.
    """
    items = _items(raw)
    if len(items) == 17:
        if not all(map(_is_child, items[:VALUE_SLOT])) or items[VALUE_SLOT][0] >= 0xC0:
            raise InvalidInput("a slot of a trie branch holds neither a reference nor a value")
        if items.count(BLANK) > 15:
            raise InvalidInput("a trie branch needs two entries")
        return tuple(items)
    if len(items) != 2:
        raise InvalidInput("a trie node has 2 or 17 items", actual=len(items))
    path, is_leaf = _path(items[0])
    item = items[1]
    if item == BLANK or not (item[0] < 0xC0 if is_leaf else path and _is_child(item)):
        raise InvalidInput("a trie leaf needs a value, an extension a path and a child")
    return PathNode(path, item, is_leaf)


def value_of(item: bytes) -> bytes:
    """Return the string whose canonical RLP is `item`."""
    first = item[0]
    if first < 0x80:
        return item
    return item[1 if first < 0xB8 else first - 0xB6 :]


def lookup(own: bytes, path: bytes, resolve: Callable[[bytes], DecodedNode]) -> bytes | None:
    """Return the value at the end of a path, or ``None`` when the trie proves that there is none.

    Parameters
    ----------
    own
        Reference to the root, other than ``80``.
    path
        The key's nibbles.
    resolve
        Gives the node for a reference; called for each node on the path, top down.

    Raises
    ------
    InvalidInput
        When an extension leads to anything but a branch; and whatever `resolve` raises.
    """
    depth = 0
    below_extension = False
    while own != BLANK:
        node = resolve(own)
        if not isinstance(node, PathNode):
            if depth == len(path):
                return value_of(node[VALUE_SLOT]) or None
            own = node[path[depth]]
            depth += 1
            below_extension = False
            continue
        if below_extension:
            raise InvalidInput("a trie extension leads to a branch")
        if node.is_leaf:
            return value_of(node.item) if path[depth:] == node.path else None
        if not path.startswith(node.path, depth):
            return None
        own = node.item
        depth += len(node.path)
        below_extension = True
    return None


def _items(raw: bytes) -> list[bytes]:
    """Return the items of a list, each with its RLP prefix; embedded lists stay whole."""
    first = raw[0] if raw else 0
    at = 1 if first < 0xF8 else first - 0xF6
    if first < 0xC0 or len(raw) < at or raw[:at] != list_header(len(raw) - at):
        raise InvalidInput("a trie node is one canonical RLP list")
    items: list[bytes] = []
    while at < len(raw):
        first = raw[at]
        if first == 0xA0:  # most items are hashes or blanks: no call for those
            end = at + 33
        elif first <= 0x80:
            end = at + 1
        else:
            end = _item_end(raw, at)
        if end > len(raw) or len(items) == 17:
            raise InvalidInput("trie node is cut short or has too many items")
        items.append(raw[at:end])
        at = end
    return items


def _item_end(raw: bytes, at: int) -> int:
    """Return where the item at `at` ends: a canonical string of two bytes or more, or a short list."""
    first = raw[at]
    if first < 0xB8:
        if first == 0x81 and raw[at + 1 : at + 2] < b"\x80":
            raise InvalidInput("RLP of a single byte below 0x80 takes no prefix")
        return at + first - 0x7F
    if first < 0xC0:
        start = at + first - 0xB6
        size = int.from_bytes(raw[at + 1 : start], "big")
        if raw[at:start] != bytes_header(size):
            raise InvalidInput("RLP length is not in its shortest form")
        return start + size
    return at + first - 0xBF


def _is_child(item: bytes) -> bool:
    """Tell whether an item is a reference: none, a hash, or an embedded node of less than 32 bytes."""
    first = item[0]
    return item == BLANK or first == 0xA0 or 0xC0 < first < 0xDF


def _path(item: bytes) -> tuple[bytes, bool]:
    """Return the nibbles of a hex-prefixed path, and whether it is a leaf's."""
    steps = nibbles(value_of(item)) if item[0] < 0xC0 else b""
    if not steps or steps[0] > 3 or (not steps[0] & 1 and steps[1]):
        raise InvalidInput("malformed hex-prefix path in a trie node", actual=item)
    return steps[2 - (steps[0] & 1) :], steps[0] > 1
