"""The storage of the coordinator and of the participant, laid out as Solidity does it.

============  ====  ==========================================================================
Contract      Slot  Value
============  ====  ==========================================================================
coordinator   0     decisions: mapping from id to a number of :class:`Decision`
coordinator   1     votes: mapping from id to a bit for each leg
participant   0     the lock of :class:`~chainstack_sdk.xchain.custody.Custodian`
participant   1     decisions, as known here: mapping from id
participant   2     legs: mapping from id to mapping from number to ``{uint8 kind, address owner}``
                    (``kind ‖ owner``, 0 when there is none), ``recipient``, ``token``, ``number``
============  ====  ==========================================================================

The coordinator's decisions are read by proof on other chains: their slots are part of the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.core.native.slots import following, mapping_slot, slot
from chainstack_sdk.xchain.custody import FIRST_SLOT, Asset, AssetKind

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.xchain.atomic.terms import Leg

COORDINATOR_CODE = system_code("atomic coordinator")
"""The code of the coordinator."""
PARTICIPANT_CODE = system_code("atomic participant")
"""The code of the participant."""

_DECISIONS = slot(0)
_VOTES = slot(1)
_KNOWN = slot(FIRST_SLOT)
_LEGS = slot(FIRST_SLOT + 1)
_OWNER_MASK = (1 << 160) - 1


class Decision(IntEnum):
    """What is to become of a transaction."""

    NONE = 0
    """Not decided."""
    COMMITTED = 1
    ABORTED = 2


@dataclass(frozen=True, slots=True)
class Escrow:
    """The funds of a leg that was prepared."""

    owner: bytes
    """20 bytes."""
    recipient: bytes
    """20 bytes."""
    asset: Asset

    def receiver(self, decision: Decision) -> bytes:
        """Return who gets the funds by a decision, 20 bytes."""
        return self.recipient if decision is Decision.COMMITTED else self.owner


def decision_slot(transaction: bytes) -> int:
    """Return the number of the coordinator's slot that holds a decision, for a proof of it.

    Parameters
    ----------
    transaction
        Its id, 32 bytes.
    """
    return int.from_bytes(decision_key(transaction), "big")


def decision_key(transaction: bytes) -> bytes:
    """Return the coordinator's slot of a decision, 32 bytes."""
    return mapping_slot(_DECISIONS, transaction)


def votes_key(transaction: bytes) -> bytes:
    """Return the coordinator's slot of the votes for a transaction, 32 bytes."""
    return mapping_slot(_VOTES, transaction)


def known_key(transaction: bytes) -> bytes:
    """Return the participant's slot of a decision, 32 bytes."""
    return mapping_slot(_KNOWN, transaction)


def read_escrow(call: Call, transaction: bytes, index: int) -> Escrow | None:
    """Return the funds that the participant holds for a leg, or None."""
    at = _leg_key(transaction, index)
    head = call.load(at)
    if not head:
        return None
    recipient, token, number = [call.load(following(at, place)) for place in (1, 2, 3)]
    asset = Asset(AssetKind(head >> 160), _address(token), number)
    return Escrow(_address(head & _OWNER_MASK), _address(recipient), asset)


def write_escrow(call: Call, transaction: bytes, index: int, leg: Leg | Escrow) -> None:
    """Note that the participant holds the funds of a leg."""
    at, asset = _leg_key(transaction, index), leg.asset
    call.store(at, asset.kind << 160 | int.from_bytes(leg.owner, "big"))
    call.store(following(at, 1), int.from_bytes(leg.recipient, "big"))
    call.store(following(at, 2), int.from_bytes(asset.token, "big"))
    call.store(following(at, 3), asset.number)


def clear_escrow(call: Call, transaction: bytes, index: int) -> None:
    """Note that the participant holds nothing for a leg."""
    at = _leg_key(transaction, index)
    for place in range(4):
        call.store(following(at, place), 0)


def _leg_key(transaction: bytes, index: int) -> bytes:
    return mapping_slot(mapping_slot(_LEGS, transaction), index)


def _address(number: int) -> bytes:
    return number.to_bytes(20, "big")
