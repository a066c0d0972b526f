"""The chain key as beacon: the seed of a slot is a hash of the key's signature over the slot's number.

There is one signature for each slot, which nobody knows before the threshold of holders has signed, and which
nobody can choose: holders sign when the second-to-last block of a slot is final, long after the weights of
the draw were frozen. Within a slot the seed stays what it is; the slot's last block brings the new one, with
the signature as its proof, and elects with it::

    seed of block 1                 as with every beacon, from that of genesis
    seed of the last block of s     keccak256("chainstack slot seed" ‖ signature 48)
                                    keccak256("chainstack slot seed" ‖ s u64 ‖ seed before 32) without one
    seed of any other block         that of its parent

A slot goes without a signature while a chain has no key yet, or when its holders have lost too many shares.
That is the one way to go on then.

**Caveats.** A proposer may leave the signature out, and so choose between two seeds, if it finds enough
voters for such a block: nodes do not vote for one before they have waited long at its height (see
:mod:`chainstack_sdk.network.keyed`), in which time the honest decide on one with the signature; so it takes
more than a third of the weight, or a network that carries nothing for so long. Without a key the seed is
known to everybody ahead. As leaders are drawn with the parent's seed, those of a whole slot are known once it
begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.beacon import seed_after_genesis
from chainstack_sdk.consensus.chainkey.ceremony import beacon_message
from chainstack_sdk.consensus.chainkey.known import is_signed
from chainstack_sdk.primitives.bls import BEACON_DOMAIN
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.beacon import Beacon
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header

_SEED_DOMAIN = b"chainstack slot seed"


class ChainKeyBeacon:
    """Seeds out of a chain's key; see the module.

    Parameters
    ----------
    chain_id
        Below 2^64.
    schedule
        The slots.
    key
        Returns the group key, 96 bytes, as of the newest block, or None while there is none.
    signature
        Returns a slot's signature as far as this node knows it, for blocks of its own.
    """

    def __init__(
        self,
        chain_id: int,
        schedule: SlotSchedule,
        *,
        key: Callable[[], bytes | None],
        signature: Callable[[int], bytes | None],
    ) -> None:
        self._chain_id = chain_id
        self._schedule = schedule
        self._key = key
        self._signature = signature

    @property
    def in_seals(self) -> bool:
        """False."""
        return False

    def seed_after(self, parent: Header, proof: bytes, committee: ValidatorSet) -> bytes:
        """Check the signature over a slot's number, where there may be one, and return the seed.

        Raises
        ------
        InvalidInput
            When there is one where it does not belong, or it is not right.
        """
        height = parent.height + 1
        if parent.height == 0:
            return seed_after_genesis(parent, proof)
        slot = self._schedule.slot_of(height)
        if not self._schedule.is_last(height):
            if proof:
                raise InvalidInput("a slot's seed comes with its last block", height=height, actual=proof)
            return parent.seed
        if not proof:
            return keccak256(_SEED_DOMAIN + slot.to_bytes(8, "big") + parent.seed)
        key = self._key()
        if key is None or not is_signed(key, beacon_message(self._chain_id, slot), proof, BEACON_DOMAIN):
            raise InvalidInput("not the chain key's signature over the slot", slot=slot, actual=proof)
        return keccak256(_SEED_DOMAIN + proof)

    def proof_after(self, parent: Header) -> bytes:
        """Return the signature for a slot's last block as far as it is known here; nothing for others."""
        height = parent.height + 1
        if parent.height == 0 or not self._schedule.is_last(height) or self._key() is None:
            return b""
        return self._signature(self._schedule.slot_of(height)) or b""


if TYPE_CHECKING:
    _check: type[Beacon] = ChainKeyBeacon
