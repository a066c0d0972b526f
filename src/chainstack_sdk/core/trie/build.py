"""Building a trie, or a new part of one, from sorted keys: one pass, each node hashed once."""

from __future__ import annotations

from chainstack_sdk.core.trie.encoding import BLANK, encoded, reference, references
from chainstack_sdk.core.trie.nodes import (
    BIT,
    Branch,
    Extension,
    Node,
    encoded_leaf,
    extension_payload,
    nibble,
)
from chainstack_sdk.primitives.rlp import rlp_bytes


def common_depth(first: bytes, last: bytes, depth: int) -> int:
    """Return how many nibbles two keys share, given that they share `depth` and `first` < `last`."""
    index = depth >> 1
    try:
        if depth & 1:
            if (first[index] ^ last[index]) & 15:
                return depth
            index += 1
        while first[index] == last[index]:
            index += 1
        return 2 * index + (not (first[index] ^ last[index]) & 0xF0)
    except IndexError:  # `first` ends, being a prefix of `last`
        return 2 * index


def build(keys: list[bytes], values: list[bytes], low: int, high: int, depth: int) -> tuple[Node, bytes]:
    """Return the node at `depth` for ``keys[low:high]`` and its RLP.

    The keys are sorted, distinct and share their first `depth` nibbles; `high` is above `low`;
    no value is empty.
    """
    first = keys[low]
    if high - low == 1:
        return (first, values[low]), encoded_leaf(first, values[low], depth)
    fork = common_depth(first, keys[high - 1], depth)
    branch = _build_branch(keys, values, low, high, fork)
    own = encoded(branch.payload)
    if fork == depth:
        return branch, own
    path = bytes([nibble(first, at) for at in range(depth, fork)])
    extension = Extension(path, branch, reference(own))
    return extension, encoded(extension_payload(path, extension.reference))


def _build_branch(keys: list[bytes], values: list[bytes], low: int, high: int, depth: int) -> Branch:
    """Return the branch at `depth`, where the first and the last key part."""
    parts: list[bytes] = []  # blank slots, then a child, in turn
    children: list[Node] = []
    mask = filled = 0
    index, odd, below = depth >> 1, depth & 1, depth + 1
    ending = low if len(keys[low]) << 1 == depth else -1
    at = low if ending < 0 else low + 1
    while at < high:
        key = keys[at]
        slot = key[index] & 15 if odd else key[index] >> 4
        end = at + 1
        while end < high and (keys[end][index] & 15 if odd else keys[end][index] >> 4) == slot:
            end += 1
        child: Node
        if end - at == 1:
            child = (key, values[at])
            own = encoded_leaf(key, values[at], below)
        else:
            child, own = build(keys, values, at, end, below)
        children.append(child)
        parts.append(BLANK * (slot - filled))
        parts.append(own)
        filled = slot + 1
        mask |= BIT[slot]
        at = end
    parts[1::2] = own_references = references(parts[1::2])
    plain = ending < 0 and min(map(len, own_references)) == 33
    parts.append(BLANK * (16 - filled))
    if ending < 0:
        parts.append(BLANK)
    else:
        parts.append(rlp_bytes(values[ending]))
        children.append((keys[ending], values[ending]))
        mask |= BIT[16]
    return Branch(mask, b"".join(parts), children, plain)
