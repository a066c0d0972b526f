"""Merging a sorted batch of changes into the in-memory trie, in place.

One recursion groups the changes by slot, descends, and on the way back splices the new references of its
children, hashed together, into a parent's payload; so every touched node is visited once and hashed once.
Keys stay packed: groups are index ranges, a nibble is taken from its byte when needed.

An empty value deletes its key.

Where the compiled part is installed (``_merge.c``), it does what :func:`merge_branch_in_python` does for the
usual case, on the same nodes, and calls the functions here for the rest.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.core.trie.build import build
from chainstack_sdk.core.trie.encoding import BLANK, EMBEDDED, HASHED, LIST_HEADERS, VALUE_SLOT, reference
from chainstack_sdk.core.trie.nodes import (
    BELOW,
    BIT,
    Branch,
    Extension,
    Leaf,
    Node,
    encoded_leaf,
    gather,
    lengthen,
    nibble,
    shared_steps,
    slots,
)
from chainstack_sdk.primitives.keccak import keccak256, keccak256_many
from chainstack_sdk.primitives.rlp import rlp_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

MergeBranch: TypeAlias = (
    "Callable[[Branch, list[bytes], list[bytes], int, int, int], tuple[Node | None, bytes]]"
)
"""What does what :func:`merge` does, for a branch."""

BYTES = [bytes((number,)) for number in range(256)]
"""Single bytes."""

_MANY = 32
"""From so many keys on, the end of a group is found by bisection."""


def merge(
    node: Node | None, keys: list[bytes], values: list[bytes], low: int, high: int, depth: int
) -> tuple[Node | None, bytes]:
    """Return what `node` at `depth` becomes under the changes ``keys[low:high]``, and its RLP.

    The keys are sorted, distinct and share the path to `node`; `high` is above `low`.
    """
    if isinstance(node, Branch):
        return merge_branch(node, keys, values, low, high, depth)
    if isinstance(node, Extension):
        return _merge_extension(node, keys, values, low, high, depth)
    return _merge_leaf(node, keys, values, low, high, depth)


def merge_branch_in_python(
    branch: Branch, keys: list[bytes], values: list[bytes], low: int, high: int, depth: int
) -> tuple[Node | None, bytes]:
    """Do what :func:`merge` does, for a branch.

    This is the loop that a block's time goes into, hence its length: a call costs as much as
    a dozen of its steps. Whatever would break a plain payload is put off to the general way.
    """
    if not branch.plain or len(keys[low]) << 1 == depth:
        return merge_general(branch, keys, values, low, high, depth)
    payload, children = branch.payload, branch.children
    before = mask = branch.mask
    parts: list[bytes] = []  # what stays of the payload, then a child, in turn
    put_off: list[tuple[int, Node | None, bytes]] = []
    copied = inserted = 0
    index, odd, below = depth >> 1, depth & 1, depth + 1
    few = high - low < _MANY
    at = low
    while at < high:
        key = keys[at]
        slot = key[index] & 15 if odd else key[index] >> 4
        end = at + 1
        if few:
            while end < high and (keys[end][index] & 15 if odd else keys[end][index] >> 4) == slot:
                end += 1
        else:
            beyond = key[index] + 1 if odd else (slot + 1) << 4
            end = bisect_left(keys, key[:index] + BYTES[beyond], end, high) if slot < 15 else high
        rank = (before & BELOW[slot]).bit_count()
        offset = slot + (rank << 5)
        rank += inserted
        new: Node | None
        if before & BIT[slot]:
            child = children[rank]
            if end - at == 1 and isinstance(child, tuple) and child[0] == key and (value := values[at]):
                new = (key, value)
                own = encoded_leaf(key, value, below)
            elif isinstance(child, Branch):
                if end - at == 1:
                    new, own = merge_one(child, key, values[at], below)
                else:
                    new, own = merge_branch(child, keys, values, at, end, below)
            else:
                new, own = merge(child, keys, values, at, end, below)
            if new is not None and len(own) > EMBEDDED:
                children[rank] = new
                parts += (payload[copied : offset + 1], own)
                copied = offset + 33
            else:
                put_off.append((slot, new, own))
        else:
            new, own = _merge_leaf(None, keys, values, at, end, below)
            if new is not None:
                if len(own) > EMBEDDED:
                    children.insert(rank, new)
                    inserted += 1
                    mask |= BIT[slot]
                    parts += (payload[copied:offset] + HASHED, own)
                    copied = offset + 1
                else:
                    put_off.append((slot, new, own))
        at = end
    parts[1::2] = keccak256_many(parts[1::2])
    parts.append(payload[copied:])
    branch.payload = payload = b"".join(parts)
    branch.mask = mask
    if not put_off:
        return branch, LIST_HEADERS[len(payload)] + payload
    return take_up(branch, put_off, depth)


def take_up(
    branch: Branch, put_off: list[tuple[int, Node | None, bytes]], depth: int
) -> tuple[Node | None, bytes]:
    """Return what a branch becomes when some slots get a child, or none, with this RLP."""
    references, spread = slots(branch)
    for slot, new, own in put_off:
        spread[slot] = new
        references[slot] = reference(own)
    return gather(references, spread, depth)


def merge_one(branch: Branch, key: bytes, value: bytes, depth: int) -> tuple[Node | None, bytes]:
    """Do what :func:`merge` does, for one key and a branch: usual far from the root of a large trie."""
    index = depth >> 1
    if value and branch.plain and index < len(key):
        slot = key[index] & 15 if depth & 1 else key[index] >> 4
        mask = branch.mask
        if mask & BIT[slot]:
            rank = (mask & BELOW[slot]).bit_count()
            child = branch.children[rank]
            new: Node | None
            if isinstance(child, Branch):
                new, own = merge_one(child, key, value, depth + 1)
            elif isinstance(child, tuple) and child[0] == key:
                new, own = (key, value), encoded_leaf(key, value, depth + 1)
            else:
                new, own = merge(child, [key], [value], 0, 1, depth + 1)
            if new is not None and len(own) > EMBEDDED:
                branch.children[rank] = new
                payload, at = branch.payload, slot + (rank << 5) + 1
                branch.payload = payload = b"".join((payload[:at], keccak256(own), payload[at + 32 :]))
                return branch, LIST_HEADERS[len(payload)] + payload
    # a new child, a deletion, or one that shrinks to less than a hash: merging once more changes nothing
    return merge_branch(branch, [key], [value], 0, 1, depth)


def merge_general(
    branch: Branch, keys: list[bytes], values: list[bytes], low: int, high: int, depth: int
) -> tuple[Node | None, bytes]:
    """Do what :func:`merge` does, for a branch that is not plain or where a key ends."""
    references, spread = slots(branch)
    return _merge_slots(references, spread, keys, values, low, high, depth)


def _merge_slots(
    references: list[bytes],
    children: list[Node | None],
    keys: list[bytes],
    values: list[bytes],
    low: int,
    high: int,
    depth: int,
) -> tuple[Node | None, bytes]:
    """Do what :func:`merge` does, for any 17 slots: with embedded children, a value, or one child only."""
    at = low
    while at < high:
        key, value = keys[at], values[at]
        slot = nibble(key, depth)
        end = at + 1
        if slot == VALUE_SLOT:
            children[slot] = (key, value) if value else None
            references[slot] = rlp_bytes(value)
        else:
            while end < high and nibble(keys[end], depth) == slot:
                end += 1
            children[slot], own = merge(children[slot], keys, values, at, end, depth + 1)
            references[slot] = reference(own)
        at = end
    return gather(references, children, depth)


def _merge_extension(
    extension: Extension, keys: list[bytes], values: list[bytes], low: int, high: int, depth: int
) -> tuple[Node | None, bytes]:
    path = extension.path
    shared = shared_steps(keys[high - 1], path[: shared_steps(keys[low], path, depth)], depth)
    node: Node | None
    if shared == len(path):
        node, own = merge_branch(extension.child, keys, values, low, high, depth + shared)
        return lengthen(path, node, reference(own), depth)
    references = [BLANK] * 17
    children: list[Node | None] = [None] * 17
    fork = depth + shared
    slot, rest = path[shared], path[shared + 1 :]
    children[slot], references[slot] = extension.child, extension.reference
    if rest:
        children[slot], own = lengthen(rest, extension.child, extension.reference, fork + 1)
        references[slot] = reference(own)
    node, own = _merge_slots(references, children, keys, values, low, high, fork)
    return lengthen(path[:shared], node, reference(own), depth) if shared else (node, own)


def _merge_leaf(
    leaf: Leaf | None, keys: list[bytes], values: list[bytes], low: int, high: int, depth: int
) -> tuple[Node | None, bytes]:
    if high - low == 1 and (leaf is None or leaf[0] == keys[low]):
        key, value = keys[low], values[low]
        if not value:
            return None, BLANK
        return (key, value), encoded_leaf(key, value, depth)
    if leaf is None and b"" not in values[low:high]:
        return build(keys, values, low, high, depth)
    merged = {} if leaf is None else {leaf[0]: leaf[1]}
    for at in range(low, high):
        merged[keys[at]] = values[at]
    kept = sorted([key for key, value in merged.items() if value])
    if not kept:
        return None, BLANK
    return build(kept, [merged[key] for key in kept], 0, len(kept), depth)


def _compiled() -> MergeBranch | None:
    """Return the compiled function, ready for use, where it is installed."""
    try:
        from chainstack_sdk.core.trie import _merge
    except ImportError:
        return None
    _merge.configure(Branch, merge, merge_general, take_up, encoded_leaf)
    return _merge.merge_branch


merge_branch: MergeBranch = _compiled() or merge_branch_in_python
