"""Some blocks of a history, with as few nodes beside them as it takes: many paths at once.

A history is the Merkle mountain range of :mod:`chainstack_sdk.core.history`. Whoever checks many of its
blocks walks it from the left, peak by peak. Where no chosen block lies below a node, the node is given; at a
chosen block the leaf is computed, from the block and from what lies before it. The given nodes come in the
order of the walk, and how many there are follows from the size and the chosen places::

    size 7, chosen 2:     given 1, 2, 3, 4 in this order; (2) computed

              *                       size = 4 + 2 + 1: three peaks
            /   \
          1       *         3     4
         ...    (2)  2
               chosen

All that lies before a leaf has been walked when it is reached: the peaks of the range over the blocks before
it, hence the history root that this very block has to have, and the work before it.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from chainstack_sdk.core.history import NODE_BYTES, pack_node, packed_leaf, packed_parent, unpack_node
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from chainstack_sdk.core.history import MountainRange, MountainRangeProof

    Node: TypeAlias = tuple[bytes, int]
    """A hash, 32 bytes, and the work below it."""
    Leaf: TypeAlias = Callable[[int, tuple[Node, ...]], Node]
    """Gives the leaf of a chosen place, told the peaks of all that lies before it."""

_WORK_LIMIT = 1 << 256


def leaf_of(block_hash: bytes, work: int) -> Node:
    """Return the leaf of a block."""
    return unpack_node(packed_leaf(block_hash, work))


def parent_of(left: Node, right: Node) -> Node:
    """Return the node over two.

    Raises
    ------
    InvalidInput
        When their works add up to more than 256 bits.
    """
    if left[1] + right[1] >= _WORK_LIMIT:
        raise InvalidInput("the total work in the history exceeds 256 bits")
    return unpack_node(packed_parent(pack_node(*left) + pack_node(*right)))


def unpack_nodes(data: bytes) -> tuple[Node, ...]:
    """Return the nodes that lie one after another.

    Raises
    ------
    InvalidInput
        When their length is no multiple of 64.
    """
    if len(data) % NODE_BYTES:
        raise InvalidInput("nodes of a history have 64 bytes each", actual=len(data))
    return tuple(unpack_node(data[at : at + NODE_BYTES]) for at in range(0, len(data), NODE_BYTES))


def fold(size: int, chosen: Sequence[int], nodes: Iterable[Node], leaf: Leaf) -> tuple[Node, ...]:
    """Return the peaks of a history of which some blocks and the nodes beside them are known.

    Parameters
    ----------
    size
        How many blocks the history has, below 2^64.
    chosen
        Places of the known blocks, ascending, each below `size`.
    nodes
        What the walk asks for.
    leaf
        Called for each chosen place, in order.

    Raises
    ------
    InvalidInput
        When nodes are missing or left over, or their works exceed 256 bits.
    """
    given = iter(nodes)

    def node(start: int, height: int, before: tuple[Node, ...]) -> Node:
        at = bisect_left(chosen, start)
        if at == len(chosen) or chosen[at] >= start + (1 << height):
            beside = next(given, None)
            if beside is None:
                raise InvalidInput("nodes of the history are missing", first=start, height=height)
            return beside
        if not height:
            return leaf(start, before)
        left = node(start, height - 1, before)
        middle = start + (1 << height - 1)
        return parent_of(left, node(middle, height - 1, (*before, left)))

    peaks: tuple[Node, ...] = ()
    for start, height in _peaks(size):
        peaks = (*peaks, node(start, height, peaks))
    if next(given, None) is not None:
        raise InvalidInput("more nodes of the history than are asked for")
    return peaks


def nodes_beside(history: MountainRange, size: int, chosen: Sequence[int]) -> list[Node]:
    """Return the nodes that :func:`fold` asks for.

    Parameters
    ----------
    history
        With more than `size` blocks, none of them pruned.
    size, chosen
        As there.
    """
    found: list[Node] = []

    def walk(start: int, height: int, peak: Node | None = None) -> None:
        at = bisect_left(chosen, start)
        if at == len(chosen) or chosen[at] >= start + (1 << height):
            found.append(peak or history.prove(start ^ 1 << height).siblings[height])
        elif height:
            walk(start, height - 1)
            walk(start + (1 << height - 1), height - 1)

    for (start, height), peak in zip(_peaks(size), peaks_before(history, size), strict=True):
        walk(start, height, peak)
    return found


def peaks_before(history: MountainRange, index: int) -> tuple[Node, ...]:
    """Return the peaks of the blocks before a place that the history has, the largest first."""
    return tuple(reversed(_lefts(history.prove(index))))


def work_before(history: MountainRange, index: int) -> int:
    """Return the work of all blocks before a place that the history has."""
    return sum([work for _, work in _lefts(history.prove(index))])


def _lefts(proof: MountainRangeProof) -> list[Node]:
    """Return the siblings on the left of a path, lowest first: together, all that lies before its leaf."""
    index, last = proof.index, proof.size - 1
    siblings = iter(proof.siblings)
    lefts = []
    while last:
        if index & 1:
            lefts.append(next(siblings))
        elif index < last:
            next(siblings)
        index >>= 1
        last >>= 1
    return lefts


def _peaks(size: int) -> list[tuple[int, int]]:
    """Return start and height of each peak of a history, the largest first."""
    heights = [height for height in reversed(range(size.bit_length())) if size >> height & 1]
    starts = [size >> height + 1 << height + 1 for height in heights]
    return list(zip(starts, heights, strict=True))
