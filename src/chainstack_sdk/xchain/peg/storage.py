"""The peg's storage, laid out as Solidity does it.

====  ==================================================================================================
Slot  Value
====  ==================================================================================================
0     1 while a token runs; see :mod:`chainstack_sdk.xchain.custody`
1     channels: mapping from chain id to bytes32
2     counterparts: mapping from channel to chain id
3     locked: mapping from class to uint256, an amount or for collections a number of tokens
4     representations: mapping from class to address
5     origins: mapping from address of a representation to class
6     places: mapping from collection to mapping from token to the id of the chain that it is locked for
7     owed: mapping from account to mapping from token to uint256
8     owed tokens of collections: mapping from collection to mapping from token to address
9     name of the chain's coin: string
10    symbol of the chain's coin: string
====  ==================================================================================================

A *class* is a kind of asset, a token contract, and the chain at the other end, in 29 bytes:
``kind 1 ‖ chain 8 ‖ token 20``, big-endian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.core.native.slots import NestedMappingSlots, load_bytes, mapping_slot, slot
from chainstack_sdk.xchain.custody import Asset, AssetKind

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

PEG_CODE = system_code("peg")
"""The code of the peg."""

COIN_NAME = slot(9)
COIN_SYMBOL = slot(10)
_CHANNELS = slot(1)
_COUNTERPARTS = slot(2)
_LOCKED = slot(3)
_REPRESENTATIONS = slot(4)
_ORIGINS = slot(5)
_PLACES = slot(6)
_OWED = NestedMappingSlots(7)
_OWED_TOKENS = slot(8)


class PeggedClass(NamedTuple):
    """A class of assets and the chain at the other end of the peg."""

    kind: AssetKind
    chain: int
    """Of a local asset: the chain that it is locked for. Of a foreign one: its home."""
    token: bytes
    """The token's contract where the asset is at home, 20 bytes; zeros for coin."""

    @property
    def key(self) -> bytes:
        """The 29 bytes by which storage knows it."""
        return bytes((self.kind,)) + self.chain.to_bytes(8, "big") + self.token

    @classmethod
    def from_word(cls, word: int) -> Self:
        """Return the class whose :attr:`key` is a number."""
        key = word.to_bytes(29, "big")
        return cls(AssetKind(key[0]), int.from_bytes(key[1:9], "big"), key[9:])

    @classmethod
    def of(cls, asset: Asset, chain: int) -> Self:
        """Return the class of an asset."""
        return cls(asset.kind, chain, asset.token)


# Coin


def load_coin_name(call: Call) -> tuple[str, str]:
    """Return name and symbol of the chain's coin."""
    return load_bytes(call, COIN_NAME).decode(), load_bytes(call, COIN_SYMBOL).decode()


# Channels


def load_channel(call: Call, chain: int) -> bytes:
    """Return the channel to a chain's peg, 32 bytes; zeros before it is open."""
    return call.load(mapping_slot(_CHANNELS, chain)).to_bytes(32, "big")


def store_channel(call: Call, chain: int, channel: bytes) -> None:
    """Keep the channel to a chain's peg."""
    call.store(mapping_slot(_CHANNELS, chain), int.from_bytes(channel, "big"))
    call.store(mapping_slot(_COUNTERPARTS, channel), chain)


def load_counterpart(call: Call, channel: bytes) -> int:
    """Return the chain at the other end of a channel; 0 when it is none of the peg's."""
    return call.load(mapping_slot(_COUNTERPARTS, channel))


# What is locked


def load_locked(call: Call, pegged: PeggedClass) -> int:
    """Return how much of a local class is locked for a chain."""
    return call.load(mapping_slot(_LOCKED, pegged.key))


def change_locked(call: Call, pegged: PeggedClass, change: int) -> None:
    """Add to what is locked of a local class for a chain, or subtract.

    Raises
    ------
    Reverted
        ``Panic(0x11)`` when the sum would not fit into 256 bits.
    """
    at = mapping_slot(_LOCKED, pegged.key)
    call.store(at, call.load(at) + change)


def load_place(call: Call, token: bytes, token_id: int) -> int:
    """Return the chain that a token of a collection is locked for; 0 when it is not locked."""
    return call.load(mapping_slot(mapping_slot(_PLACES, token), token_id))


def store_place(call: Call, token: bytes, token_id: int, chain: int) -> None:
    """Keep the chain that a token of a collection is locked for; 0: none."""
    call.store(mapping_slot(mapping_slot(_PLACES, token), token_id), chain)


# What represents it


def load_representation(call: Call, pegged: PeggedClass) -> bytes:
    """Return the contract that represents a foreign class, 20 bytes; zeros when there is none."""
    return call.load(mapping_slot(_REPRESENTATIONS, pegged.key)).to_bytes(20, "big")


def store_representation(call: Call, pegged: PeggedClass, contract: bytes) -> None:
    """Keep which contract represents a foreign class."""
    call.store(mapping_slot(_REPRESENTATIONS, pegged.key), int.from_bytes(contract, "big"))
    call.store(mapping_slot(_ORIGINS, contract), int.from_bytes(pegged.key, "big"))


def load_origin(call: Call, contract: bytes) -> PeggedClass | None:
    """Return the foreign class that a contract represents, or None."""
    word = call.load(mapping_slot(_ORIGINS, contract))
    return PeggedClass.from_word(word) if word else None


# What is owed


def load_owed(call: Call, who: bytes, token: bytes) -> int:
    """Return how much of a token's refunds an account may claim."""
    return call.load(_OWED[who + token])


def store_owed(call: Call, who: bytes, token: bytes, amount: int) -> None:
    """Keep how much of a token's refunds an account may claim."""
    call.store(_OWED[who + token], amount)


def load_owed_token(call: Call, token: bytes, token_id: int) -> bytes:
    """Return who may claim a token of a collection, 20 bytes; zeros for nobody."""
    return call.load(mapping_slot(mapping_slot(_OWED_TOKENS, token), token_id)).to_bytes(20, "big")


def store_owed_token(call: Call, token: bytes, token_id: int, who: bytes) -> None:
    """Keep who may claim a token of a collection; zeros for nobody."""
    at = mapping_slot(mapping_slot(_OWED_TOKENS, token), token_id)
    call.store(at, int.from_bytes(who, "big"))
