"""The path of an item to the root of a binary Merkle tree.

A leaf is ``keccak(0x00 ‖ item)``, a node ``keccak(0x01 ‖ left ‖ right)``: an inner node cannot be shown as
an item. Bit k of the index, the least significant first, tells on which side the k-th sibling is: 1 for the
left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from chainstack_sdk.cspv.verify.paths import ItemPath


def item_root(path: ItemPath) -> bytes:
    """Return the root of the tree that holds this item at this place, 32 bytes."""
    node = keccak256(b"\x00" + path.item)
    index = path.index
    for sibling in path.siblings:
        node = keccak256(b"\x01" + sibling + node if index & 1 else b"\x01" + node + sibling)
        index >>= 1
    return node
