"""Binary Merkle trees: the transactions, receipts and messages roots of a block.

The hash is Keccak-256, and one byte in front of what is hashed says what it is::

    leaf   keccak(0x00 ‖ item)
    node   keccak(0x01 ‖ left 32 ‖ right 32)

The leaves of ``n`` items are padded to ``2 ** depth`` with 32 zero bytes, where
``depth = ceil(log2(n))``::

    n = 0   the root is 32 zero bytes, depth 0
    n = 1   the root is the leaf itself, depth 0
    n = 3   node(node(leaf 0, leaf 1), node(leaf 2, zero)), depth 2

Because leaves and nodes are hashed apart (as in RFC 6962, section 2.1), an inner node cannot be shown
as an item, nor a short path pass for a long one. The padding is the one value in the tree that is not
a hash: it would be an item only to somebody who found a preimage of 32 zero bytes. The number of items
is not committed to; a proof shows that an item is at an index, not how many there are.

Trees that others compute too, with other bytes in front, are made with a :class:`MerkleDomain` of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256, keccak256_many, keccak256_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAF_DOMAIN = b"\x00"
"""What precedes an item when it is hashed."""

NODE_DOMAIN = b"\x01"
"""What precedes two children when they are hashed."""

EMPTY_BINARY_ROOT = bytes(32)
"""The root over no items, and the padding leaf."""

MAX_DEPTH = 64
"""The deepest proof accepted: an index is a ``u64``."""

_HEADER_SIZE = 9  # index u64 ‖ depth u8
_NODE_SIZE = 32


@dataclass(frozen=True, slots=True)
class MerkleDomain:
    """What tells the hashes of leaves and of nodes apart; what a leaf hashes must never read as a node.

    Parameters
    ----------
    leaf, node
        What precedes an item, and two children, when they are hashed: at most 135 bytes each.
    """

    leaf: bytes
    node: bytes
    padding: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    """Roots of the subtrees that hold only padding, by height."""

    def __post_init__(self) -> None:
        roots = [EMPTY_BINARY_ROOT]
        for _ in range(MAX_DEPTH):
            roots.append(keccak256(self.node + roots[-1] + roots[-1]))
        object.__setattr__(self, "padding", tuple(roots))


BLOCK_DOMAIN = MerkleDomain(LEAF_DOMAIN, NODE_DOMAIN)
"""That of blocks."""


def _leaves(items: Sequence[bytes], domain: MerkleDomain) -> bytes:
    """Return the lowest level, the hashes joined."""
    return b"".join(keccak256_many(items, domain.leaf))


def _even(level: bytes, height: int, domain: MerkleDomain) -> bytes:
    """Return a level of two or more nodes padded to an even number of them."""
    return level + domain.padding[height] if len(level) & _NODE_SIZE else level


def _parents(level: bytes, domain: MerkleDomain) -> bytes:
    """Return the level above an even one."""
    return keccak256_pieces(level, 2 * _NODE_SIZE, domain.node)


def binary_root(items: Sequence[bytes]) -> bytes:
    """Return the 32-byte root over some items, keeping nothing else.

    Costs one hash an item and one a node: no subtree of padding is ever hashed.

    Parameters
    ----------
    items
        Byte strings of any lengths, in order.
    """
    level = _leaves(items, BLOCK_DOMAIN)
    height = 0
    while len(level) > _NODE_SIZE:
        level = _parents(_even(level, height, BLOCK_DOMAIN), BLOCK_DOMAIN)
        height += 1
    return level or EMPTY_BINARY_ROOT


@dataclass(frozen=True, slots=True)
class BinaryMerkleProof:
    """The path from one item up to the root.

    Raises
    ------
    InvalidInput
        On construction, when the parts cannot belong to any tree.
    """

    index: int
    """The item's place, from 0; its bits, least significant first, say on which side each sibling is:
    1 for a sibling on the left."""

    siblings: tuple[bytes, ...]
    """The 32-byte hashes beside the path, the lowest (beside the leaf) first."""

    def __post_init__(self) -> None:
        if self.depth > MAX_DEPTH:
            raise InvalidInput("a Merkle proof is too deep", depth=self.depth, limit=MAX_DEPTH)
        if self.index < 0 or self.index >> self.depth:
            raise InvalidInput(
                "a Merkle proof's index is outside its tree", index=self.index, depth=self.depth
            )
        if any(len(sibling) != 32 for sibling in self.siblings):
            raise InvalidInput("a Merkle proof's sibling is not 32 bytes")

    @property
    def depth(self) -> int:
        """The number of siblings: the height of the tree."""
        return len(self.siblings)

    def root_of(self, item: bytes, domain: MerkleDomain = BLOCK_DOMAIN) -> bytes:
        """Return the root that a tree has when this is the path of this item."""
        node, prefix = keccak256(domain.leaf + item), domain.node
        index = self.index
        for sibling in self.siblings:
            node = keccak256(prefix + sibling + node if index & 1 else prefix + node + sibling)
            index >>= 1
        return node

    def to_bytes(self) -> bytes:
        """Return the encoding ``index u64 ‖ depth u8 ‖ depth * sibling 32``, numbers big-endian."""
        return b"".join((self.index.to_bytes(8, "big"), bytes((self.depth,)), *self.siblings))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` made.

        Raises
        ------
        InvalidInput
            If the length does not match the depth, or the index does not fit in it.
        """
        if len(data) < _HEADER_SIZE or len(data) != _HEADER_SIZE + 32 * data[8]:
            raise InvalidInput("a Merkle proof has the wrong length", actual=len(data))
        siblings = tuple(data[start : start + 32] for start in range(_HEADER_SIZE, len(data), 32))
        return cls(int.from_bytes(data[:8], "big"), siblings)


class BinaryMerkleTree:
    """A whole tree in memory, for proofs of several items.

    Parameters
    ----------
    items
        Byte strings of any lengths, in order. Only their hashes are kept: 64 bytes an item.
    domain
        That of blocks, unless the tree is another's.
    """

    __slots__ = ("_levels", "_size")

    def __init__(self, items: Sequence[bytes], domain: MerkleDomain = BLOCK_DOMAIN) -> None:
        self._size = len(items)
        self._levels: list[bytes] = []  # each the nodes of one height joined, padded but for the root
        level = _leaves(items, domain) or EMPTY_BINARY_ROOT
        while len(level) > _NODE_SIZE:
            level = _even(level, len(self._levels), domain)
            self._levels.append(level)
            level = _parents(level, domain)
        self._levels.append(level)

    def __len__(self) -> int:
        """Return the number of items."""
        return self._size

    @property
    def root(self) -> bytes:
        """The 32-byte root."""
        return self._levels[-1]

    @property
    def depth(self) -> int:
        """The length of every path: ``ceil(log2(n))``, and 0 for no items."""
        return len(self._levels) - 1

    def prove(self, index: int) -> BinaryMerkleProof:
        """Return the proof of the item at ``index``.

        Raises
        ------
        UsageError
            If there is no such item.
        """
        if not 0 <= index < self._size:
            raise UsageError("there is no such item in the tree", index=index, size=self._size)
        siblings = []
        for height, level in enumerate(self._levels[:-1]):
            start = ((index >> height) ^ 1) * _NODE_SIZE
            siblings.append(level[start : start + _NODE_SIZE])
        return BinaryMerkleProof(index, tuple(siblings))


def verify_binary_proof(root: bytes, item: bytes, proof: BinaryMerkleProof) -> None:
    """Check that ``item`` is at ``proof.index`` in the tree with this root.

    Raises
    ------
    InvalidInput
        If it is not, or the proof is of something else.
    """
    actual = proof.root_of(item)
    if actual != root:
        raise InvalidInput("a Merkle proof leads to another root", expected=root, actual=actual)
