"""Verification of Merkle-Patricia proofs against a root, with no other data."""

from __future__ import annotations

from collections.abc import Sequence

from chainstack_sdk.core.trie.decode import DecodedNode, decode_node, lookup
from chainstack_sdk.core.trie.encoding import BLANK, HASHED, nibbles
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_ROOT, keccak256


def verify_proof(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Return what a proof shows about a key: its value, or ``None`` for its absence.

    Parameters
    ----------
    root
        32 bytes, trusted.
    key
        The key as it is in the trie: for a secure trie (accounts, storage) already hashed.
    proof
        The RLP of the nodes on the key's path, root first, as ``eth_getProof`` (EIP-1186) gives them:
        a node of less than 32 bytes is inside its parent and not listed. For the empty trie the list
        is empty, or holds the one byte ``80``, which some clients send.

    Returns
    -------
    bytes or None
        The value (never empty), or ``None`` when the proof shows that the key is absent.

    Raises
    ------
    InvalidInput
        For anything else: a node with a wrong hash, one too many or too few, one that is no canonical
        node, arguments of a wrong type. Nothing else is raised, whatever the arguments are.
    """
    if not isinstance(root, bytes) or len(root) != 32:
        raise InvalidInput("a trie root is 32 bytes", actual=root)
    if not isinstance(key, bytes):
        raise InvalidInput("a trie key is bytes", actual=type(key).__name__)
    if not isinstance(proof, Sequence) or not all(isinstance(raw, bytes) for raw in proof):
        raise InvalidInput("a trie proof is a sequence of encoded nodes")
    if root == EMPTY_ROOT and list(proof) in ([], [BLANK]):
        return None
    listed = _ListedNodes(proof)
    value = lookup(HASHED + root, nibbles(key), listed.resolve)
    if listed.used < len(proof):
        raise InvalidInput("surplus nodes in a trie proof", expected=listed.used, actual=len(proof))
    return value


class _ListedNodes:
    """The nodes of a proof, each to be used once and in order."""

    __slots__ = ("_proof", "used")

    def __init__(self, proof: Sequence[bytes]) -> None:
        self._proof = proof
        self.used = 0

    def resolve(self, own: bytes) -> DecodedNode:
        """Return the node for a reference: the next listed one must have the hash."""
        if own[0] != HASHED[0]:
            return decode_node(own)
        if self.used == len(self._proof):
            raise InvalidInput("trie proof ends early", expected=own[1:], index=self.used)
        raw = bytes(self._proof[self.used])
        actual = keccak256(raw)
        if actual != own[1:]:
            raise InvalidInput("wrong node in a trie proof", expected=own[1:], actual=actual, index=self.used)
        if self.used and len(raw) < 32:
            raise InvalidInput("a trie node of less than 32 bytes belongs inside its parent", index=self.used)
        self.used += 1
        return decode_node(raw)
