r"""The history root: a Merkle mountain range over a chain's blocks, each with its work.

It grows by one leaf a block and never rewrites a node. A chain that only appends keeps one node per
set bit of its length (the *peaks*), while a whole range proves any old block against the newest header.

Every node is a pair: a 32-byte hash, and the sum of the work of the blocks below it. Works are ``u256``,
big-endian, and the hash of a node covers the works of its children::

    leaf   hash = keccak(0x02 ‖ block_hash 32 ‖ work 32)                  work = the block's own
    node   hash = keccak(0x03 ‖ left.hash 32 ‖ left.work 32
                              ‖ right.hash 32 ‖ right.work 32)            work = left.work + right.work
    root        = keccak(0x04 ‖ leaf count u64 ‖ top.hash 32 ‖ top.work 32)

A verifier adds up the works by itself on the way to the root, so nobody can move a block within the
total work: what sampling by work needs (FlyClient, IACR eprint 2019/226).

The peaks are the perfect subtrees of the set bits of the leaf count, the largest over the oldest
blocks. ``top`` joins them from the right: the two smallest first, each result being the right child
of the next larger peak. That is the tree shape of RFC 6962, section 2.1 (left subtree: the largest
power of two below ``n``)::

    n = 7            top
                   /     \
              peak         node
             / .. \       /    \
           0 1 2 3      peak   peak 6
                       4    5

The leaf count in the root fixes that shape, so an inner node cannot be shown as a leaf nor a block at
another index. Over no blocks ``top`` is 32 zero bytes and work 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LEAF_DOMAIN = b"\x02"
_NODE_DOMAIN = b"\x03"
_ROOT_DOMAIN = b"\x04"
NODE_BYTES = 64
"""``hash 32 ‖ work u256``, big-endian."""
_HEADER_SIZE = 16  # index u64 ‖ size u64
_WORK_LIMIT = 1 << 256
_from_bytes = int.from_bytes
_SIZE_LIMIT = 1 << 63  # so that no number of appends reaches the limit of a u64


def pack_node(node_hash: bytes, work: int) -> bytes:
    """Return a node as 64 bytes: ``hash 32 ‖ work u256``, big-endian."""
    return node_hash + work.to_bytes(32, "big")


def unpack_node(node: bytes | bytearray) -> tuple[bytes, int]:
    """Return hash and work of a packed node."""
    return bytes(node[:32]), int.from_bytes(node[32:], "big")


def packed_leaf(block_hash: bytes, work: int) -> bytes:
    """Return the leaf of a block, packed."""
    packed = pack_node(block_hash, work)
    return keccak256(_LEAF_DOMAIN + packed) + packed[32:]


def packed_parent(pair: bytes | bytearray) -> bytes:
    """Return the node over two packed nodes, which lie side by side in ``pair``."""
    work = _from_bytes(pair[32:64], "big") + _from_bytes(pair[96:], "big")
    return keccak256(_NODE_DOMAIN + pair) + work.to_bytes(32, "big")


def _root(size: int, top: bytes) -> bytes:
    return keccak256(_ROOT_DOMAIN + size.to_bytes(8, "big") + top)


def _sides(index: int, size: int) -> Iterator[bool]:
    """Yield for each sibling of a path, lowest first, whether it is on the left.

    At each height the path is at ``index`` of ``last + 1`` subtrees; the last one, when it has no
    partner, climbs as it is.
    """
    last = size - 1
    while last:
        if index & 1:
            yield True
        elif index < last:
            yield False
        index >>= 1
        last >>= 1


def _check_nodes(nodes: Sequence[tuple[bytes, int]], work_before: int = 0) -> None:
    for node_hash, work in nodes:
        if len(node_hash) != 32:
            raise InvalidInput("a hash in the history is not 32 bytes", actual=len(node_hash))
        if work < 0:
            raise InvalidInput("work in the history is negative", actual=work)
    if work_before + sum(work for _, work in nodes) >= _WORK_LIMIT:
        raise InvalidInput("the total work in the history exceeds 256 bits")


@dataclass(frozen=True, slots=True)
class MountainRangeProof:
    """The path from one block up to a history root.

    Raises
    ------
    InvalidInput
        On construction, when the parts cannot belong to any range.
    """

    index: int
    """The block's place in the history, from 0."""

    size: int
    """The number of blocks in the history, at least 1, below ``2 ** 63``."""

    siblings: tuple[tuple[bytes, int], ...]
    """The (hash, work) of the nodes beside the path, the lowest first. How many there are, and on which
    side each is, follows from ``index`` and ``size``."""

    def __post_init__(self) -> None:
        _check_place(self.index, self.size)
        expected = sum(1 for _ in _sides(self.index, self.size))
        if len(self.siblings) != expected:
            raise InvalidInput(
                "a history proof has the wrong length", expected=expected, actual=len(self.siblings)
            )
        _check_nodes(self.siblings)

    def root_of(self, leaf: tuple[bytes, int]) -> bytes:
        """Return the root that the history has when this is the path of this block.

        Raises
        ------
        InvalidInput
            If the hash is not 32 bytes, or the works add up to more than 256 bits.
        """
        _check_nodes((leaf, *self.siblings))
        node = packed_leaf(*leaf)
        for sibling, on_left in zip(self.siblings, _sides(self.index, self.size), strict=True):
            packed = pack_node(*sibling)
            node = packed_parent(packed + node if on_left else node + packed)
        return _root(self.size, node)

    def to_bytes(self) -> bytes:
        """Return ``index u64 ‖ size u64 ‖ siblings``, each sibling ``hash 32 ‖ work u256``, big-endian."""
        place = self.index.to_bytes(8, "big") + self.size.to_bytes(8, "big")
        return place + b"".join(pack_node(*sibling) for sibling in self.siblings)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` made.

        Raises
        ------
        InvalidInput
            If the index is outside the history, or the length does not match.
        """
        if len(data) < _HEADER_SIZE or (len(data) - _HEADER_SIZE) % NODE_BYTES:
            raise InvalidInput("a history proof has the wrong length", actual=len(data))
        starts = range(_HEADER_SIZE, len(data), NODE_BYTES)
        siblings = tuple(unpack_node(data[start : start + NODE_BYTES]) for start in starts)
        return cls(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:16], "big"), siblings)


def _check_place(index: int, size: int) -> None:
    if not 0 <= index < size < _SIZE_LIMIT:
        raise InvalidInput("a history proof's index is outside the history", index=index, size=size)


class MountainRange:
    """A growing history of blocks, with proofs of the old ones.

    Appending costs two hashes on average; a root costs one hash per set bit of the size. Memory is 128
    bytes a block; a range made by :meth:`from_peaks` keeps only what came after.
    """

    __slots__ = ("_levels", "_pruned", "_size", "_total_work")

    def __init__(self) -> None:
        self._size = 0
        self._total_work = 0
        self._pruned = 0  # no node that lies wholly below this leaf is kept, but for the peaks there
        # The packed nodes of each height, one after another. The first `_missing(height)` are not kept.
        self._levels: list[bytearray] = []

    @property
    def size(self) -> int:
        """The number of blocks."""
        return self._size

    @property
    def total_work(self) -> int:
        """The work of all blocks together."""
        return self._total_work

    @property
    def peaks(self) -> tuple[tuple[bytes, int], ...]:
        """The (hash, work) of each peak, the largest (over the oldest blocks) first.

        With :attr:`size` it is all that :meth:`from_peaks` needs.
        """
        return tuple(unpack_node(self._peak(height)) for height in reversed(self._peak_heights()))

    @property
    def root(self) -> bytes:
        """The 32-byte commitment to all blocks, their order, number and work."""
        return _root(self._size, self._join(self._peak_heights()))

    @classmethod
    def from_peaks(cls, size: int, peaks: Sequence[tuple[bytes, int]]) -> Self:
        """Continue a history of which only the peaks were kept.

        The range appends and has roots as the whole one does; it proves only the blocks appended to it.

        Parameters
        ----------
        size
            The number of blocks below the peaks, under ``2 ** 63``.
        peaks
            What :attr:`peaks` returned at that size.

        Raises
        ------
        InvalidInput
            If no history of this size has such peaks.
        """
        if not 0 <= size < _SIZE_LIMIT or len(peaks) != size.bit_count():
            raise InvalidInput("the history has another number of peaks", size=size, peaks=len(peaks))
        _check_nodes(peaks)
        restored = cls()
        restored._size = restored._pruned = size
        restored._total_work = sum(work for _, work in peaks)
        restored._levels = [bytearray() for _ in range(size.bit_length())]
        for height, peak in zip(reversed(restored._peak_heights()), peaks, strict=True):
            restored._levels[height] += pack_node(*peak)
        return restored

    def append(self, block_hash: bytes, work: int) -> None:
        """Add the next block.

        Parameters
        ----------
        block_hash
            Its 32-byte hash.
        work
            The work it took, at least 0.

        Raises
        ------
        InvalidInput
            If the hash is not 32 bytes, the work is negative or the total exceeds 256 bits; the range
            is then unchanged.
        """
        _check_nodes(((block_hash, work),), self._total_work)
        node = packed_leaf(block_hash, work)
        levels, size = self._levels, self._size
        height = 0
        while True:
            if height == len(levels):
                levels.append(bytearray())
            level = levels[height]
            level += node
            if not size >> height & 1:
                break
            node = packed_parent(level[-2 * NODE_BYTES :])
            height += 1
        self._size += 1
        self._total_work += work

    def prove(self, index: int) -> MountainRangeProof:
        """Return the proof of the block at ``index`` against :attr:`root`.

        Raises
        ------
        UsageError
            If there is no such block, or it came before the peaks that this range started from.
        """
        if not self._pruned <= index < self._size:
            raise UsageError(
                "the block is not in this range", index=index, first=self._pruned, size=self._size
            )
        siblings = []
        height = 0
        while (sibling := (index >> height) ^ 1) < self._size >> height:
            siblings.append(self._node(height, sibling))
            height += 1
        heights = self._peak_heights()
        lower = [other for other in heights if other < height]
        if lower:
            siblings.append(self._join(lower))
        siblings += (self._peak(other) for other in heights if other > height)
        return MountainRangeProof(index, self._size, tuple(unpack_node(node) for node in siblings))

    def truncate(self, size: int) -> None:
        """Forget the newest blocks: what a reorganisation or a reverted snapshot needs.

        Parameters
        ----------
        size
            The number of blocks to keep.

        Raises
        ------
        UsageError
            If the range has fewer blocks, or ``size`` is below the peaks that it started from.
        """
        if not self._pruned <= size <= self._size:
            raise UsageError("cannot cut the range there", size=size, first=self._pruned, limit=self._size)
        for height, level in enumerate(self._levels):
            del level[((size >> height) - self._missing(height)) * NODE_BYTES :]
        del self._levels[size.bit_length() :]
        self._size = size
        self._total_work = sum(work for _, work in self.peaks)

    def copy(self) -> MountainRange:
        """Return an independent range with the same blocks."""
        twin = MountainRange()
        twin._size, twin._total_work, twin._pruned = self._size, self._total_work, self._pruned
        twin._levels = [bytearray(level) for level in self._levels]
        return twin

    def _missing(self, height: int) -> int:
        """Return how many nodes of this height are not kept: those left of the peak, if it has one."""
        return self._pruned >> height & ~1

    def _node(self, height: int, position: int) -> bytes:
        start = (position - self._missing(height)) * NODE_BYTES
        return bytes(self._levels[height][start : start + NODE_BYTES])

    def _peak(self, height: int) -> bytes:
        return bytes(self._levels[height][-NODE_BYTES:])

    def _peak_heights(self) -> list[int]:
        """Return the heights of the peaks, lowest first: the set bits of the size."""
        return [height for height in range(self._size.bit_length()) if self._size >> height & 1]

    def _join(self, heights: list[int]) -> bytes:
        """Return the packed node over the peaks of these heights, given lowest first."""
        levels = self._levels
        top: bytes | bytearray = b""
        for height in heights:
            peak = levels[height][-NODE_BYTES:]
            top = packed_parent(peak + top) if top else peak
        return bytes(top) or bytes(NODE_BYTES)


def verify_history_proof(root: bytes, leaf: tuple[bytes, int], proof: MountainRangeProof) -> None:
    """Check that a block is at ``proof.index`` of the history with this root.

    Parameters
    ----------
    root
        The 32-byte history root, from a header that is trusted.
    leaf
        The block's 32-byte hash and its work.
    proof
        Its path.

    Raises
    ------
    InvalidInput
        If it is not so, or the proof is of something else.
    """
    actual = proof.root_of(leaf)
    if actual != root:
        raise InvalidInput("a history proof leads to another root", expected=root, actual=actual)
