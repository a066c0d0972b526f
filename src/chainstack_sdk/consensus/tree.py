"""A tree of validated headers: every branch above a root, each with the weight it adds up to.

**Guarantees**

- The *best* tip is the heaviest. Of tips with the same weight it is the one whose weight was reached first
  in this tree; a later one has to be heavier. Nodes that have heard the same headers in another order agree
  on the best tip except between tips of the same weight, which the next block decides.
- Memory is bounded: at most ``max_headers`` headers and ``max_orphans`` headers whose parent is unknown.
- What is below the root is settled: no branch from there can come in.

The *head* is the block where the chain stands; it is always in the tree, and so is all between the root
and it. Nothing here validates anything: callers add what they have checked.

When the tree is full, the lightest leaf that is neither the head nor the best tip gives way, of equals the
one added last. It may be the newcomer; should its branch grow, its headers can be asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.sealed import SealedHeader
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.core.blocks import Header

MAX_HEADERS = 8_192
"""Headers that a tree holds by default."""
MAX_ORPHANS = 256
"""Headers without a known parent that a tree holds by default."""


@dataclass(slots=True)
class _Node:
    sealed: SealedHeader
    weight: int
    """Of the branch from the root, which counts 0, to here."""
    order: int
    """The later a header came, the greater."""
    children: list[bytes] = field(default_factory=list)


class HeaderTree:
    """Validated headers above a root, by hash.

    Parameters
    ----------
    root
        The oldest header; the head and the best tip at first.
    max_headers
        How many headers are held, the root included.
    max_orphans
        How many headers without a known parent are held, the oldest forgotten first.
    """

    def __init__(
        self, root: Header, *, max_headers: int = MAX_HEADERS, max_orphans: int = MAX_ORPHANS
    ) -> None:
        self.max_headers = max_headers
        self.max_orphans = max_orphans
        self._nodes = {root.hash: _Node(SealedHeader(root, b""), 0, 0)}
        self._root = self._head = self._best = root
        self._count = 0
        self._orphans: dict[tuple[bytes, bytes], SealedHeader] = {}

    @property
    def root(self) -> Header:
        """The oldest header."""
        return self._root

    @property
    def head(self) -> Header:
        """The header of the block where the chain stands."""
        return self._head

    @property
    def best(self) -> Header:
        """The heaviest tip."""
        return self._best

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, block_hash: bytes) -> bool:
        return block_hash in self._nodes

    def get(self, block_hash: bytes) -> SealedHeader | None:
        """Return a header with its seal, or None when it is not in the tree."""
        node = self._nodes.get(block_hash)
        return None if node is None else node.sealed

    def weight(self, block_hash: bytes) -> int:
        """Return the weight of the blocks above the root up to one in the tree, itself included."""
        return self._node(block_hash).weight

    # Growing

    def add(self, header: Header, seal: bytes, weight: int) -> bool:
        """Add a header on one in the tree; return whether it is there now.

        Parameters
        ----------
        weight
            What the block adds to its branch; at least 1.

        Raises
        ------
        UsageError
            When its parent is not in the tree.
        """
        block_hash = header.hash
        if block_hash in self._nodes:
            return True
        parent = self._node(header.parent_hash)
        self._count += 1
        node = _Node(SealedHeader(header, seal), parent.weight + weight, self._count)
        self._nodes[block_hash] = node
        parent.children.append(block_hash)
        if node.weight > self._nodes[self._best.hash].weight:
            self._best = header
        if len(self._nodes) > self.max_headers:
            self._make_room(block_hash)
        return block_hash in self._nodes

    def add_orphan(self, header: Header, seal: bytes) -> bool:
        """Keep a header until its parent is known; return whether it is new.

        As nobody can check the seal yet, a header is kept with each seal that comes with it.
        """
        key = (header.hash, seal)
        if key in self._orphans:
            return False
        while len(self._orphans) >= self.max_orphans:
            del self._orphans[next(iter(self._orphans))]
        self._orphans[key] = SealedHeader(header, seal)
        return True

    def take_orphans(self, parent_hash: bytes) -> list[SealedHeader]:
        """Remove and return the orphans that wait for a parent, in the order they came."""
        found = [orphan for orphan in self._orphans.values() if orphan.header.parent_hash == parent_hash]
        self._drop_orphans(found)
        return found

    # Branches

    def path(self, ancestor_hash: bytes, tip_hash: bytes) -> tuple[SealedHeader, ...]:
        """Return the headers from an ancestor, left out, to a tip, oldest first.

        Raises
        ------
        UsageError
            When the one does not descend from the other, in the tree.
        """
        lowest = self._node(ancestor_hash).sealed.header.height
        above = takewhile(lambda node: node.sealed.header.height > lowest, self._upwards(tip_hash))
        path = [node.sealed for node in above]
        if (path[-1].header.parent_hash if path else tip_hash) != ancestor_hash:
            raise UsageError("no branch leads from the one block to the other", ancestor=ancestor_hash)
        path.reverse()
        return tuple(path)

    def fork(self, one_hash: bytes, other_hash: bytes) -> Header:
        """Return the newest block that two branches have in common."""
        ones = {header.hash for header in self.ancestors(one_hash)}
        return next(header for header in self.ancestors(other_hash) if header.hash in ones)

    def ancestors(self, block_hash: bytes) -> Iterator[Header]:
        """Yield a header and its ancestors, newest first, down to the root.

        Raises
        ------
        UsageError
            When the header is not in the tree.
        """
        for node in self._upwards(block_hash):
            yield node.sealed.header

    # Changing

    def stand_at(self, block_hash: bytes) -> None:
        """Take note of the block where the chain stands now."""
        self._head = self._node(block_hash).sealed.header

    def remove(self, block_hash: bytes) -> tuple[Header, ...]:
        """Remove a header and all that descend from it; return them, parents first.

        Raises
        ------
        UsageError
            When the head is among them, as the root is always an ancestor of the head's.
        """
        gone = self._subtree(block_hash)
        if any(header.hash == self._head.hash for header in gone):
            raise UsageError("the chain stands on this branch", hash=block_hash)
        self._nodes[gone[0].parent_hash].children.remove(block_hash)
        self._forget(gone)
        return gone

    def settle(self, block_hash: bytes) -> None:
        """Make an ancestor of the head, or the head, the root; all that does not descend from it goes.

        Raises
        ------
        UsageError
            When the head does not descend from it.
        """
        self.path(block_hash, self._head.hash)
        kept = {header.hash for header in self._subtree(block_hash)}
        gone = [node.sealed.header for node in self._nodes.values()]
        self._root = self._node(block_hash).sealed.header
        self._forget([header for header in gone if header.hash not in kept])
        base = self._nodes[block_hash].weight
        for node in self._nodes.values():
            node.weight -= base
        lowest = self._root.height + 2  # one below could only stand on the root, which is known
        self._drop_orphans([orphan for orphan in self._orphans.values() if orphan.header.height < lowest])

    def prune(self, depth: int) -> None:
        """Settle what is more than ``depth`` blocks below the head."""
        lowest = self._head.height - depth
        if lowest > self._root.height:
            ancestors = self.ancestors(self._head.hash)
            self.settle(next(header.hash for header in ancestors if header.height == lowest))

    # Inside

    def _node(self, block_hash: bytes) -> _Node:
        node = self._nodes.get(block_hash)
        if node is None:
            raise UsageError("no such header in the tree", hash=block_hash)
        return node

    def _upwards(self, block_hash: bytes) -> Iterator[_Node]:
        """Yield a header and its ancestors down to the root."""
        node: _Node | None = self._node(block_hash)
        while node is not None:
            yield node
            node = self._nodes.get(node.sealed.header.parent_hash)

    def _subtree(self, block_hash: bytes) -> tuple[Header, ...]:
        found = [self._node(block_hash)]
        for node in found:  # which grows meanwhile
            found.extend(self._nodes[child] for child in node.children)
        return tuple(node.sealed.header for node in found)

    def _drop_orphans(self, gone: list[SealedHeader]) -> None:
        for orphan in gone:
            del self._orphans[orphan.header.hash, orphan.seal]

    def _forget(self, gone: tuple[Header, ...] | list[Header]) -> None:
        for header in gone:
            del self._nodes[header.hash]
        if self._best.hash not in self._nodes:
            heaviest = max(self._nodes.values(), key=lambda node: (node.weight, -node.order))
            self._best = heaviest.sealed.header

    def _make_room(self, newcomer: bytes) -> None:
        """Drop a leaf: the lightest but for head and best tip, or the newcomer when there is no other."""
        spared = (self._head.hash, self._best.hash)
        leaves = [
            node for block_hash, node in self._nodes.items() if not node.children and block_hash not in spared
        ]
        if leaves:
            victim = min(leaves, key=lambda node: (node.weight, -node.order)).sealed.header.hash
        else:
            victim = newcomer
        self.remove(victim)
