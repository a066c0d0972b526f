"""Certificates and updates from whoever has the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking.membership import StateCommittees
from chainstack_sdk.consensus.staking.storage import STAKING_ADDRESS
from chainstack_sdk.cspv.committee import CommitteeAnchor
from chainstack_sdk.cspv.committee_update import Certified, Skip, Step, weight_that_signed
from chainstack_sdk.cspv.verify.format import FinalityScheme, evidence_finality
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.rlp import rlp_encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.cspv.schemes import FinalityProver


def sealed_certificate(seal: bytes) -> bytes:
    """Return the certificate in a seal of the chains "dpow" and "pos".

    Raises
    ------
    InvalidInput
        When it is no such seal.
    """
    return CommitteeSeal.decode(seal).certificate


def bare_certificate(seal: bytes) -> bytes:
    """Return the certificate that a seal of the chain "pbft" is."""
    return seal


class CommitteeFinality:
    """Evidence by the certificates in a chain's seals.

    Parameters
    ----------
    blockchain
        A chain that a committee certifies. To prove blocks of old slots, it has to keep the states of their
        first blocks, which hold the committees.
    schedule
        Its slots.
    contract
        Address of the contract that holds the committees; that of staking by default.
    certificate
        From a block's seal to its certificate: :func:`sealed_certificate` by default, or
        :func:`bare_certificate`.
    """

    scheme = FinalityScheme.COMMITTEE
    """See :class:`~chainstack_sdk.cspv.schemes.FinalityProver`."""

    def __init__(
        self,
        blockchain: Blockchain,
        schedule: SlotSchedule,
        *,
        contract: bytes = STAKING_ADDRESS,
        certificate: Callable[[bytes], bytes] = sealed_certificate,
    ) -> None:
        self._blockchain = blockchain
        self._schedule = schedule
        self._contract = contract
        self._certificate = certificate

    def anchor(self, slot: int | None = None) -> CommitteeAnchor:
        """Return an anchor at a slot, by default that of the newest block.

        Raises
        ------
        UsageError
            When the chain has not come to the slot, or no longer has its committee.
        """
        at = self._schedule.slot_of(self._blockchain.height) if slot is None else slot
        hashes = (self._committee(at).hash, self._committee(at + 1).hash)
        return CommitteeAnchor(self._blockchain.head.chain_id, self._schedule.blocks, at, hashes)

    def evidence(self, header: Header) -> bytes:
        """Return the finality part of a proof about a block of the chain.

        Raises
        ------
        UsageError
            When it is genesis, which nobody certifies, or the chain no longer has its committee.
        """
        if not header.height:
            raise UsageError("nobody certifies genesis", height=0)
        committee = self._committee(header.slot)
        certified = self._certified(header.height)
        return evidence_finality(rlp_encode([committee.encode(), certified.certificate]))

    def step(self, anchor: CommitteeAnchor) -> bytes:
        """Return the update that takes an anchor to the next slot, with the last block of its own.

        Raises
        ------
        UsageError
            When the chain has not come so far yet, or no longer has the committee.
        """
        certified = self._certified(self._schedule.last_of(anchor.slot))
        return Step(certified, self._committee(anchor.slot).encode()).encode()

    def skip(self, anchor: CommitteeAnchor, slot: int) -> bytes:
        """Return the update that takes an anchor to a slot at once, at least three ahead.

        Raises
        ------
        UsageError
            When the slot is nearer, the chain has not come so far yet or no longer has a committee, slots
            have a single block, or too little of the trusted weight is left.
        """
        if slot < anchor.slot + 3 or self._schedule.blocks == 1:
            raise UsageError(
                "a skip takes three slots of several blocks", slot=slot, expected=anchor.slot + 3
            )
        witness = self._certified(self._schedule.first_of(slot - 1))
        certified = self._certified(self._schedule.first_of(slot))
        committee = self._committee(slot).encode()
        for trusted in (self._committee(anchor.slot + 1), self._committee(anchor.slot)):
            weight = weight_that_signed(witness, anchor.chain_id, trusted, Secp256k1Scheme())
            if trusted.exceeds_third(weight):
                return Skip(trusted.encode(), witness, committee, certified).encode()
        raise UsageError("too little of the trusted weight is left", slot=slot)

    def _certified(self, height: int) -> Certified:
        if height > self._blockchain.height:
            raise UsageError("the chain has no such block yet", height=height)
        block = self._blockchain.ledger.block(height)
        return Certified(block.header, self._certificate(block.seal))

    def _committee(self, slot: int) -> ValidatorSet:
        height = min(self._schedule.first_of(slot), self._blockchain.height)
        with self._blockchain.state_at(height) as state:
            try:
                return StateCommittees(state, self._contract).at(slot)
            except InvalidInput as error:
                raise UsageError("the chain has no committee of this slot", slot=slot) from error


if TYPE_CHECKING:
    _prover: type[FinalityProver] = CommitteeFinality
