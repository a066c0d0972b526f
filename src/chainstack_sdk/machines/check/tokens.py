"""Honest tokens for the search: what ERC-20 and ERC-721 contracts do in a transfer, and nothing else.

Everybody has approved everybody, so that whoever holds some can be asked for it; the machine itself has
approved nobody. Balances are in the slots of the owners' addresses, owners of single tokens in those of their
numbers, above :data:`NFT_SLOTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.machines.effects import TRANSFER, TRANSFER_FROM
from chainstack_sdk.primitives.errors import Reverted

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call

NFT_SLOTS = 1 << 255
_TRUE = (1).to_bytes(32)


def holder_slot(owner: bytes) -> bytes:
    """Return the slot that tells how much an address holds, 32 bytes."""
    return owner.rjust(32, b"\0")


def number_slot(number: int) -> bytes:
    """Return the slot that tells whose a token is, 32 bytes."""
    return (NFT_SLOTS | number % NFT_SLOTS).to_bytes(32)


class Fungible:
    """An ERC-20 token."""

    def invoke(self, call: Call, data: bytes) -> bytes:
        """Run one call; see :meth:`chainstack_sdk.core.interfaces.Contract.invoke`."""
        if data[:4] == TRANSFER.selector:
            to, amount = TRANSFER.decode_input(data[4:])
            source = call.caller
        else:
            source, to, amount = TRANSFER_FROM.decode_input(data[4:])
            if source == call.caller and amount:  # it has approved nobody, not even itself
                raise Reverted("insufficient allowance")
        _expect_somebody(source, to)
        if call.move(holder_slot(source), holder_slot(to), amount) < 0:
            raise Reverted("insufficient balance")
        return _TRUE


class NonFungible:
    """An ERC-721 token."""

    def invoke(self, call: Call, data: bytes) -> bytes:
        """Run one call; see :meth:`chainstack_sdk.core.interfaces.Contract.invoke`."""
        if data[:4] != TRANSFER_FROM.selector:
            raise Reverted("no such function")
        source, to, number = TRANSFER_FROM.decode_input(data[4:])
        _expect_somebody(source, to)
        slot = number_slot(number)
        if call.load(slot) != int.from_bytes(source):
            raise Reverted("not the owner")
        call.store(slot, int.from_bytes(to))
        call.move(holder_slot(source), holder_slot(to), 1)
        return b""


def _expect_somebody(source: bytes, to: bytes) -> None:
    if not any(source) or not any(to):
        raise Reverted("nobody")
