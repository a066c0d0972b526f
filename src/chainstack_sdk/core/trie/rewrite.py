"""Applying a sorted batch of changes to nodes that are referred to by hash: copy on write.

No node is encoded before it is certain to stay, so all nodes created are part of the new trie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.core.trie.decode import DecodedNode, PathNode, encode_node
from chainstack_sdk.core.trie.encoding import BLANK, HASHED, VALUE_SLOT
from chainstack_sdk.primitives.keccak import EMPTY_ROOT, keccak256

if TYPE_CHECKING:
    from collections.abc import Callable

Batch: TypeAlias = "list[tuple[bytes, bytes]]"
"""Changes: keys as nibbles, one per byte, and values as RLP (``80`` deletes); sorted, each key once."""

_FRESH = b""  # stands in a slot for a child that is not encoded yet


class Rewrite:
    """One batch of changes, and the nodes it creates.

    Parameters
    ----------
    resolve
        Gives the node for a reference other than ``80``.
    """

    __slots__ = ("_resolve", "created")

    created: dict[bytes, tuple[DecodedNode, bytes]]
    """The new nodes that are referred to by hash, each with its RLP, by their 32-byte hash."""

    def __init__(self, resolve: Callable[[bytes], DecodedNode]) -> None:
        self._resolve = resolve
        self.created = {}

    def run(self, top: bytes, batch: Batch) -> bytes:
        """Return the root after a batch changed the trie whose root node `top` refers to."""
        node = self._merge(self._node(top), batch, 0, len(batch), 0)
        return EMPTY_ROOT if node is None else self._create(node, encode_node(node))

    def _merge(
        self, node: DecodedNode | None, batch: Batch, low: int, high: int, depth: int
    ) -> DecodedNode | None:
        """Return what a node at `depth` becomes under the changes ``batch[low:high]``."""
        if node is None:
            return self._insert({}, batch, low, high, depth)
        if not isinstance(node, PathNode):
            return self._merge_slots(list(node), {}, batch, low, high, depth)
        if node.is_leaf:
            return self._insert({batch[low][0][:depth] + node.path: node.item}, batch, low, high, depth)
        return self._merge_extension(node, batch, low, high, depth)

    def _insert(
        self, entries: dict[bytes, bytes], batch: Batch, low: int, high: int, depth: int
    ) -> DecodedNode | None:
        """Return the node at `depth` for these entries, changed, of which there is one at most."""
        entries.update(batch[low:high])
        kept = sorted([(key, value) for key, value in entries.items() if value != BLANK])
        if not kept:
            return None
        first, value = kept[0]
        if len(kept) == 1:
            return PathNode(first[depth:], value, True)
        fork = depth + _shared(first[depth:], kept[-1][0][depth:])
        return self._lengthen(
            first[depth:fork], self._merge_slots([BLANK] * 17, {}, kept, 0, len(kept), fork)
        )

    def _merge_extension(
        self, node: PathNode, batch: Batch, low: int, high: int, depth: int
    ) -> DecodedNode | None:
        path = node.path
        for key in (batch[low][0], batch[high - 1][0]):
            path = path[: _shared(path, key[depth:])]
        rest = node.path[len(path) :]
        depth += len(path)
        if not rest:
            return self._lengthen(path, self._merge(self._node(node.item), batch, low, high, depth))
        slots = [BLANK] * 17
        fresh: dict[int, DecodedNode | None] = {}
        if rest[1:]:
            fresh[rest[0]] = PathNode(rest[1:], node.item, False)
        else:
            slots[rest[0]] = node.item
        return self._lengthen(path, self._merge_slots(slots, fresh, batch, low, high, depth))

    def _merge_slots(
        self,
        slots: list[bytes],
        fresh: dict[int, DecodedNode | None],
        batch: Batch,
        low: int,
        high: int,
        depth: int,
    ) -> DecodedNode | None:
        """Return what a branch becomes, or less where less is left.

        `slots` holds its references and value; `fresh` the children that are new, and go before those.
        """
        at = low
        while at < high:
            key, value = batch[at]
            end = at + 1
            if len(key) == depth:
                slots[VALUE_SLOT] = value
            else:
                slot = key[depth]
                while end < high and batch[end][0][depth] == slot:
                    end += 1
                child = fresh[slot] if slot in fresh else self._node(slots[slot])
                fresh[slot] = self._merge(child, batch, at, end, depth + 1)
            at = end
        for slot, child in fresh.items():
            slots[slot] = BLANK if child is None else _FRESH
        used = [slot for slot in range(17) if slots[slot] != BLANK]
        if len(used) > 1:
            for slot, child in fresh.items():
                if child is not None:
                    slots[slot] = self._refer(child)
            return tuple(slots)
        if not used:
            return None
        if slots[VALUE_SLOT] != BLANK:
            return PathNode(b"", slots[VALUE_SLOT], True)
        only = used[0]
        return self._lengthen(bytes((only,)), fresh[only] if only in fresh else self._node(slots[only]))

    def _lengthen(self, path: bytes, node: DecodedNode | None) -> DecodedNode | None:
        """Return the node for `node` with `path` above it."""
        if node is None or not path:
            return node
        if isinstance(node, PathNode):
            return PathNode(path + node.path, node.item, node.is_leaf)
        return PathNode(path, self._refer(node), False)

    def _node(self, own: bytes) -> DecodedNode | None:
        return None if own == BLANK else self._resolve(own)

    def _refer(self, node: DecodedNode) -> bytes:
        """Return the reference to a node that stays."""
        raw = encode_node(node)
        return raw if len(raw) < 32 else HASHED + self._create(node, raw)

    def _create(self, node: DecodedNode, raw: bytes) -> bytes:
        """Keep a new node and return its hash."""
        hash_ = keccak256(raw)
        self.created[hash_] = node, raw
        return hash_


def _shared(first: bytes, second: bytes) -> int:
    """Return how many bytes the beginnings of two strings share."""
    for at, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return at
    return min(len(first), len(second))
