"""Slow and obvious reference implementations, to compare the fast ones with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from chainstack_sdk.primitives.rlp import Encodable

    Pairs: TypeAlias = "list[tuple[list[int], bytes]]"


def naive_root(items: Mapping[bytes, bytes]) -> bytes:
    """Return the root of the Merkle-Patricia trie with these contents, by the book.

    Source: Yellow Paper, appendix D, followed word by word: every node is computed anew from all pairs
    below it. An empty value stands for absence. Shares no code with the tries of ``core``.

    Parameters
    ----------
    items
        Keys of any length, as they are in the trie: for a secure trie already hashed.

    Returns
    -------
    bytes
        The 32-byte root.
    """
    pairs = [(_half_bytes(key), value) for key, value in items.items() if value]
    return keccak256(rlp_encode(_structure(pairs, 0) if pairs else b""))


def _structure(pairs: Pairs, depth: int) -> list[Encodable]:
    """Return the node for one or more pairs that share `depth` nibbles: the function c of the paper."""
    first, value = pairs[0]
    if len(pairs) == 1:
        return [_compact(first[depth:], 2), value]
    shared = depth
    while all(
        len(key) > shared and key[shared : shared + 1] == first[shared : shared + 1] for key, _ in pairs
    ):
        shared += 1
    if shared > depth:
        return [_compact(first[depth:shared], 0), _child(pairs, shared)]
    slots: list[Encodable] = [
        _child([(key, item) for key, item in pairs if key[depth : depth + 1] == [half]], depth + 1)
        for half in range(16)
    ]
    ending = [item for key, item in pairs if len(key) == depth]
    return [*slots, ending[0] if ending else b""]


def _child(pairs: Pairs, depth: int) -> Encodable:
    """Return what a parent holds for its child: the function n of the paper."""
    if not pairs:
        return b""
    node = _structure(pairs, depth)
    encoded = rlp_encode(node)
    return node if len(encoded) < 32 else keccak256(encoded)


def _half_bytes(key: bytes) -> list[int]:
    return [half for byte in key for half in (byte >> 4, byte & 15)]


def _compact(path: list[int], flag: int) -> bytes:
    """Return a path in hex-prefix encoding; `flag` is 2 for a leaf, 0 for an extension (appendix C)."""
    padded = [flag + 1, *path] if len(path) % 2 else [flag, 0, *path]
    return bytes(padded[at] << 4 | padded[at + 1] for at in range(0, len(padded), 2))
