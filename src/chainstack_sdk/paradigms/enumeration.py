"""Lists of all tokens and of each owner's, as OpenZeppelin's ``ERC721Enumerable`` keeps them.

Removing a token puts the last one of the list in its place: every change costs the same, and the order of
a list means nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.native.contract import error, external
from chainstack_sdk.core.native.slots import array_slot, mapping_slot, slot
from chainstack_sdk.paradigms.template import Paradigm
from chainstack_sdk.primitives.address import ZERO_ADDRESS

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

_OWNED = slot(6)
_OWNED_INDEX = slot(7)
_ALL = slot(8)
_ALL_INDEX = slot(9)


class Enumeration(Paradigm):
    """Mixin of a token collection: ``totalSupply``, ``tokenByIndex``, ``tokenOfOwnerByIndex``."""

    ERC721OutOfBoundsIndex = error("error ERC721OutOfBoundsIndex(address owner, uint256 index)")

    if TYPE_CHECKING:

        def balance_of(self, call: Call, owner: bytes) -> int:
            """Return how many tokens an account owns. The collection that mixes this in defines it."""

    @external("function totalSupply() view returns (uint256)")
    def total_supply(self, call: Call) -> int:
        """Return how many tokens there are."""
        return call.load(_ALL)

    @external("function tokenByIndex(uint256 index) view returns (uint256)")
    def token_by_index(self, call: Call, index: int) -> int:
        """Return a token of the list of all; the indices are those below the total supply."""
        call.require(index < call.load(_ALL), self.ERC721OutOfBoundsIndex, ZERO_ADDRESS, index)
        return call.load(array_slot(_ALL, index))

    @external("function tokenOfOwnerByIndex(address owner, uint256 index) view returns (uint256)")
    def token_of_owner_by_index(self, call: Call, owner: bytes, index: int) -> int:
        """Return a token of an owner's list; the indices are those below its balance."""
        call.require(index < self.balance_of(call, owner), self.ERC721OutOfBoundsIndex, owner, index)
        return call.load(_owned_slot(owner, index))

    def enter(self, call: Call, token_id: int) -> None:
        """Append a new token to the list of all."""
        count = call.load(_ALL)
        call.store(mapping_slot(_ALL_INDEX, token_id), count)
        call.store(array_slot(_ALL, count), token_id)
        call.store(_ALL, count + 1)

    def leave(self, call: Call, token_id: int) -> None:
        """Remove a token from the list of all."""
        last = call.load(_ALL) - 1
        place = mapping_slot(_ALL_INDEX, token_id)
        index = call.load(place)
        moved = call.load(array_slot(_ALL, last))
        call.store(array_slot(_ALL, index), moved)
        call.store(mapping_slot(_ALL_INDEX, moved), index)
        call.store(place, 0)
        call.store(array_slot(_ALL, last), 0)
        call.store(_ALL, last)

    def give(self, call: Call, owner: bytes, token_id: int, index: int) -> None:
        """Append a token to an owner's list, which has ``index`` tokens."""
        call.store(_owned_slot(owner, index), token_id)
        call.store(mapping_slot(_OWNED_INDEX, token_id), index)

    def take(self, call: Call, owner: bytes, token_id: int, last: int) -> None:
        """Remove a token from an owner's list, which has ``last + 1`` tokens."""
        place = mapping_slot(_OWNED_INDEX, token_id)
        index = call.load(place)
        end = _owned_slot(owner, last)
        if index != last:
            moved = call.load(end)
            call.store(_owned_slot(owner, index), moved)
            call.store(mapping_slot(_OWNED_INDEX, moved), index)
        call.store(place, 0)
        call.store(end, 0)


def _owned_slot(owner: bytes, index: int) -> bytes:
    return mapping_slot(mapping_slot(_OWNED, owner), index)
