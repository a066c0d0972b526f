"""Building a trie, or a new part of one, from sorted keys: one pass, each node hashed once."""

from __future__ import annotations

from chainstack_sdk.core.trie.encoding import BLANK, reference
from chainstack_sdk.core.trie.nodes import (
    BIT,
    Branch,
    Extension,
    Node,
    extension_payload,
    leaf_reference,
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
    """Return the node at `depth` for ``keys[low:high]`` and its reference.

    The keys are sorted, distinct and share their first `depth` nibbles; `high` is above `low`;
    no value is empty.
    """
    first = keys[low]
    if high - low == 1:
        return (first, values[low]), leaf_reference(first, values[low], depth)
    fork = common_depth(first, keys[high - 1], depth)
    branch = _build_branch(keys, values, low, high, fork)
    own = reference(branch.payload)
    if fork == depth:
        return branch, own
    path = bytes([nibble(first, at) for at in range(depth, fork)])
    return Extension(path, branch, own), reference(extension_payload(path, own))


def _build_branch(keys: list[bytes], values: list[bytes], low: int, high: int, depth: int) -> Branch:
    """Return the branch at `depth`, where the first and the last key part."""
    parts: list[bytes] = []
    children: list[Node] = []
    mask = filled = 0
    plain = True
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
            own = leaf_reference(key, values[at], below)
        else:
            child, own = build(keys, values, at, end, below)
        children.append(child)
        if len(own) != 33:
            plain = False
        parts.append(BLANK * (slot - filled))
        parts.append(own)
        filled = slot + 1
        mask |= BIT[slot]
        at = end
    parts.append(BLANK * (16 - filled))
    if ending < 0:
        parts.append(BLANK)
    else:
        parts.append(rlp_bytes(values[ending]))
        children.append((keys[ending], values[ending]))
        mask |= BIT[16]
        plain = False
    return Branch(mask, b"".join(parts), children, plain)
