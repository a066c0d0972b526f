"""Bodies of proofs: the thing that is proven, with its path to a root of the block's header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from chainstack_sdk.cspv.verify.reader import (
    HASH_BYTES,
    Reader,
    encode_nodes,
    read_nodes,
    require_hashes,
    require_nodes,
    require_size,
)
from chainstack_sdk.primitives.errors import InvalidInput

MAX_ITEM_DEPTH = 32
"""The deepest tree of items: an index has 32 bits."""


@dataclass(frozen=True, slots=True)
class ItemPath:
    """An item of a binary Merkle tree with the path to its root: the body of kinds 1 to 3.

    Raises
    ------
    InvalidInput
        On construction, when the parts cannot belong to any tree.
    """

    index: int
    """The item's place in the block, below ``2 ** depth``."""
    siblings: tuple[bytes, ...]
    """The 32-byte hashes beside the path, the lowest first; at most 32."""
    item: bytes
    """What the tree commits to: a receipt's item, a raw transaction, a message."""

    def __post_init__(self) -> None:
        depth = len(self.siblings)
        if depth > MAX_ITEM_DEPTH:
            raise InvalidInput("the path is too long", expected=MAX_ITEM_DEPTH, actual=depth)
        if self.index < 0 or self.index >> depth:
            raise InvalidInput("the index lies outside of its tree", index=self.index, depth=depth)
        require_hashes(self.siblings)

    def to_bytes(self) -> bytes:
        """Return the encoding."""
        return b"".join(
            (self.index.to_bytes(4, "big"), bytes((len(self.siblings),)), *self.siblings, self.item)
        )

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the encoding up to the end of the bytes."""
        index, depth = reader.number(4), reader.number(1)
        if depth > MAX_ITEM_DEPTH:
            raise InvalidInput("the path is too long", expected=MAX_ITEM_DEPTH, actual=depth)
        siblings = tuple(reader.take(HASH_BYTES) for _ in range(depth))
        return cls(index, siblings, reader.rest())


@dataclass(frozen=True, slots=True)
class AccountPath:
    """An account with the trie nodes that lead to it: the body of kind 4."""

    address: bytes
    """20 bytes."""
    nodes: tuple[bytes, ...]
    """RLP of the nodes on the path of keccak(address), root first; none in an empty state."""

    def __post_init__(self) -> None:
        require_size("an address", self.address, 20)
        require_nodes(self.nodes)

    def to_bytes(self) -> bytes:
        """Return the encoding."""
        return self.address + encode_nodes(self.nodes)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the encoding up to the end of the bytes."""
        path = cls(reader.take(20), read_nodes(reader))
        reader.finish()
        return path


@dataclass(frozen=True, slots=True)
class StoragePath:
    """A slot with the trie nodes that lead to its account, then to itself: the body of kind 5."""

    address: bytes
    """20 bytes."""
    slot: bytes
    """32 bytes."""
    account_nodes: tuple[bytes, ...]
    """As :attr:`AccountPath.nodes`."""
    storage_nodes: tuple[bytes, ...]
    """The same for keccak(slot) from the storage root; none where storage is empty."""

    def __post_init__(self) -> None:
        require_size("an address", self.address, 20)
        require_size("a slot", self.slot, 32)
        require_nodes(self.account_nodes)
        require_nodes(self.storage_nodes)

    def to_bytes(self) -> bytes:
        """Return the encoding."""
        nodes = encode_nodes(self.account_nodes) + encode_nodes(self.storage_nodes)
        return self.address + self.slot + nodes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the encoding up to the end of the bytes."""
        path = cls(reader.take(20), reader.take(32), read_nodes(reader), read_nodes(reader))
        reader.finish()
        return path


Body = ItemPath | AccountPath | StoragePath
"""What is proven, with its path to a root of the header."""
