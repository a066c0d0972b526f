"""The staking contract's storage: who reads and writes it, and where everything lies.

The contract writes to its storage through a call, the rules at the end of a block write to the state, and
the genesis is filled in before there is either. All of them go through :class:`Storage`, so there is one
layout, which is that of Solidity:

====  =======================================================================
Slot  Value
====  =======================================================================
0     blocks in a slot
1     seats of a committee
2     minimum deposit, wei
3     wei of stake for each unit of voting weight, 0 for one vote each
4     wei minted since genesis
5     wei burnt since genesis
6     seed in the header of the newest block's parent
7     candidates: address[]
8     validators: mapping from address to
      ``{uint256 deposit; bytes32 vrfKey; uint16 performance; uint8 status;``
      ``uint64 unlockSlot; uint64 since; uint64 place}``
9     owners of VRF keys: mapping from bytes32 to address
10    committees: mapping from slot to ``{bytes32 hash; Member[] members}`` with
      ``Member {address account; uint64 weight; uint32 missed; bytes32 vrfKey}``
11    weights frozen at the end of the slot before:
      ``Frozen {address account; uint96 weight; uint64 votes}[]``
====  =======================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.core.native.slots import slot

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.state import State

STAKING_ADDRESS = bytes.fromhex("0000000000000000000000000000000000004302")
"""Where the staking contract lives on every chain that has one, 20 bytes."""

BLOCKS_PER_SLOT = slot(0)
COMMITTEE_SIZE = slot(1)
MINIMUM_DEPOSIT = slot(2)
WEIGHT_UNIT = slot(3)
MINTED = slot(4)
BURNT = slot(5)
PARENT_SEED = slot(6)
CANDIDATES = slot(7)
VALIDATORS = 8
KEY_OWNERS = 9
COMMITTEES = slot(10)
FROZEN = slot(11)


class Storage(Protocol):
    """Integers below 2^256 by 32-byte slot; :class:`~chainstack_sdk.core.call.Call` is one."""

    def load(self, slot: bytes) -> int:
        """Return the integer in a slot, 0 when never written."""
        ...

    def store(self, slot: bytes, value: int) -> None:
        """Write an integer to a slot; 0 clears it."""
        ...


class StateStorage:
    """The storage of a contract in a state, without gas.

    Parameters
    ----------
    state
        Written through its journal.
    address
        The contract, 20 bytes.
    """

    __slots__ = ("_address", "_state")

    def __init__(self, state: State, address: bytes = STAKING_ADDRESS) -> None:
        self._state = state
        self._address = address

    def load(self, slot: bytes) -> int:
        """Return the integer in a slot, 0 when never written."""
        return self._state.storage(self._address, slot)

    def store(self, slot: bytes, value: int) -> None:
        """Write an integer to a slot; 0 clears it."""
        self._state.set_storage(self._address, slot, value)


class MappingStorage:
    """The storage of an account in a genesis.

    Parameters
    ----------
    values
        Slot number to value; written to.
    """

    __slots__ = ("values",)

    def __init__(self, values: dict[int, int]) -> None:
        self.values = values

    def load(self, slot: bytes) -> int:
        """Return the integer in a slot, 0 when never written."""
        return self.values.get(int.from_bytes(slot, "big"), 0)

    def store(self, slot: bytes, value: int) -> None:
        """Write an integer to a slot."""
        self.values[int.from_bytes(slot, "big")] = value


if TYPE_CHECKING:
    _call: type[Storage] = Call
    _state: type[Storage] = StateStorage
    _mapping: type[Storage] = MappingStorage
