"""Nodes of the in-memory trie: full keys in the leaves, RLP payloads in the branches.

A node is one of

* a **leaf**, the tuple ``(key, value)``: the whole key and the bare value, so that moving a leaf
  up or down changes nothing but its encoding; the garbage collector does not track such tuples;
* an :class:`Extension`: the path that several keys share, and the branch below it;
* a :class:`Branch`: its RLP payload (17 references in a row) as one bytes object, a mask of the
  slots in use, and the children of those slots in order.

A key that ends at a branch is the child in slot 16, a leaf whose reference is its value's RLP.
Nodes do not know their own reference: the parent's payload holds it. What makes or changes a node returns
its RLP with it, and whoever holds it makes the reference, so that a branch hashes all of its new children
at once.
"""

from __future__ import annotations

from typing import TypeAlias

from chainstack_sdk.core.trie.encoding import (
    BLANK,
    VALUE_SLOT,
    encoded,
    hex_prefix,
)
from chainstack_sdk.primitives.rlp import bytes_header, list_header, rlp_bytes

Leaf: TypeAlias = tuple[bytes, bytes]
"""A key and its value, both as the caller gave them."""

Node: TypeAlias = "Leaf | Extension | Branch"
"""Any node of the in-memory trie."""

BELOW = [(1 << slot) - 1 for slot in range(17)]
"""Mask of the slots before each slot."""

BIT = [1 << slot for slot in range(17)]
"""Mask of each slot alone."""

_STEPS = [bytes((slot,)) for slot in range(17)]


class Branch:
    """A node with two or more of its 17 slots in use."""

    __slots__ = ("children", "mask", "payload", "plain")

    mask: int
    """Bit n is set when slot n is in use."""

    payload: bytes
    """The RLP of the 17 slots, one after the other, without the list's header."""

    children: list[Node]
    """The children of the slots in use, in order of slot."""

    plain: bool
    """Every reference is a hash (33 bytes) and no key ends here: a slot's offset can be computed."""

    def __init__(self, mask: int, payload: bytes, children: list[Node], plain: bool) -> None:
        self.mask = mask
        self.payload = payload
        self.children = children
        self.plain = plain


class Extension:
    """A path of one or more nibbles to a branch."""

    __slots__ = ("child", "path", "reference")

    path: bytes
    """Nibbles, one per byte."""

    child: Branch
    """What is at the end of the path."""

    reference: bytes
    """The child's reference."""

    def __init__(self, path: bytes, child: Branch, reference: bytes) -> None:
        self.path = path
        self.child = child
        self.reference = reference


def _leaf_header(size: int) -> bytes:
    """Return the RLP prefix of a hex-prefixed path of `size` bytes; a single one is below 0x80."""
    return bytes_header(size) if size > 1 else b""


_EVEN_FLAG = b"\x20"
_ODD_FLAGS = [bytes((0x30 | half,)) for half in range(16)]
_VALUE_HEADERS = [bytes_header(size) for size in range(256)]


class _Leads(dict[int, bytes]):
    """What the RLP of a leaf begins with, by the sizes of its path and value.

    The key is the number of whole bytes in the path, shifted left by 8, and the number of bytes in the
    value, below 256.
    """

    def __missing__(self, sizes: int) -> bytes:
        short, size = sizes >> 8, sizes & 255
        header = _leaf_header(short + 1)
        total = len(header) + 1 + short + len(_VALUE_HEADERS[size]) + size
        lead = list_header(total) + header
        if short <= 32:
            self[sizes] = lead
        return lead


_LEADS = _Leads()


def leaf_payload(key: bytes, value: bytes, depth: int) -> bytes:
    """Return the RLP payload of a leaf whose path begins at nibble `depth` of its key."""
    rest = key[(depth + 1) >> 1 :]
    first = _ODD_FLAGS[key[depth >> 1] & 15] if depth & 1 else _EVEN_FLAG
    return _leaf_header(len(rest) + 1) + first + rest + rlp_bytes(value)


def encoded_leaf(key: bytes, value: bytes, depth: int) -> bytes:
    """Return ``encoded(leaf_payload(key, value, depth))``, for leaves of usual sizes in one go."""
    size = len(value)
    if 1 < size < 256:
        rest = key[(depth + 1) >> 1 :]
        first = _ODD_FLAGS[key[depth >> 1] & 15] if depth & 1 else _EVEN_FLAG
        return b"".join((_LEADS[len(rest) << 8 | size], first, rest, _VALUE_HEADERS[size], value))
    return encoded(leaf_payload(key, value, depth))


def extension_payload(path: bytes, child_reference: bytes) -> bytes:
    """Return the RLP payload of an extension."""
    return rlp_bytes(hex_prefix(path, False)) + child_reference


def nibble(key: bytes, depth: int) -> int:
    """Return the slot that a key takes at `depth`: its nibble there, or 16 when it ends there."""
    index = depth >> 1
    if index == len(key):
        return VALUE_SLOT
    return key[index] & 15 if depth & 1 else key[index] >> 4


def shared_steps(key: bytes, path: bytes, depth: int) -> int:
    """Return how many nibbles at the start of `path` the key has, too, from `depth` on."""
    for steps, step in enumerate(path):
        if nibble(key, depth + steps) != step:
            return steps
    return len(path)


def slots(branch: Branch) -> tuple[list[bytes], list[Node | None]]:
    """Return a branch spread out: the 17 references, and the child or ``None`` of each slot."""
    references = [BLANK] * 17
    children: list[Node | None] = [None] * 17
    payload, mask = branch.payload, branch.mask
    below = iter(branch.children)
    at = 0
    for slot in range(16):
        size = 1
        if mask >> slot & 1:
            first = payload[at]
            size = 33 if first == 0xA0 else first - 0xBF
            references[slot] = payload[at : at + size]
            children[slot] = next(below)
        at += size
    references[VALUE_SLOT] = payload[at:]
    children[VALUE_SLOT] = next(below, None)
    return references, children


def gather(references: list[bytes], children: list[Node | None], depth: int) -> tuple[Node | None, bytes]:
    """Return the node for 17 slots at `depth`, and its RLP: a branch, or less where less is left."""
    used = [slot for slot in range(17) if children[slot] is not None]
    if len(used) < 2:
        if not used:
            return None, BLANK
        return lengthen(_STEPS[used[0]], children[used[0]], references[used[0]], depth)
    payload = b"".join(references)
    mask = sum(BIT[slot] for slot in used)
    plain = len(payload) == 17 + 32 * len(used) and not mask & BIT[VALUE_SLOT]
    branch = Branch(mask, payload, [child for child in children if child is not None], plain)
    return branch, encoded(payload)


def lengthen(path: bytes, node: Node | None, own: bytes, depth: int) -> tuple[Node | None, bytes]:
    """Return the node for `node` seen from `depth`, a `path` of one or more nibbles above it, and its RLP.

    `own` is the reference of `node` where it stands, below `path`.
    """
    if node is None:
        return None, BLANK
    if isinstance(node, tuple):
        return node, encoded_leaf(node[0], node[1], depth)
    if isinstance(node, Extension):
        node = Extension(path + node.path, node.child, node.reference)
    else:
        node = Extension(path, node, own)
    return node, encoded(extension_payload(node.path, node.reference))
