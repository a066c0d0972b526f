"""All that a verifier keeps of a chain that a committee certifies: who votes now and next, as two hashes.

``version 1 ‖ scheme 2 ‖ chain id 8 ‖ blocks in a slot 8 ‖ slot 8 ‖ committee 32 ‖ next committee 32``,
big-endian, 90 bytes: the hashes of the committees of a slot and of the one after. It verifies blocks of
these two slots; for later ones it first has to be brought up to date, :meth:`CommitteeAnchor.advance`. Each
header of a chain commits to the newest committee that is fixed: within slot s that of s + 1, in the last
block of s that of s + 2.

::

    evidence   RLP [committee, certificate]
                    committee     the encoding of a ValidatorSet, whose hash the anchor knows
                    certificate   precommits of more than 2/3 of its weight for the block

**Caveats.** Trusted are the committees: that of none of them members with a third of the weight or more sign
what is not so. Keys matter as long as an anchor knows their committee: whoever buys the keys of old members
can lead an anchor astray that still stands at their slot, by other blocks than the chain has. An anchor that
is kept up to date is out of their reach. A step trusts one committee; how much more a skip asks for is told
in :mod:`chainstack_sdk.cspv.committee_update`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from chainstack_sdk.consensus.bft.certificate import Certificate, validate_certificate
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.cspv.committee_update import Step, decode_update, weight_that_signed
from chainstack_sdk.cspv.verify.format import VERSION, FinalityScheme, Reader, split_evidence_finality
from chainstack_sdk.cspv.verify.opening import open_proof
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.cspv.committee_update import Skip
    from chainstack_sdk.cspv.schemes import Anchor
    from chainstack_sdk.cspv.verify.facts import Proven
    from chainstack_sdk.cspv.verify.format import Proof

ANCHOR_BYTES = 90


@dataclass(frozen=True, slots=True)
class CommitteeAnchor:
    """Checks what the committees of two slots have made final.

    Raises
    ------
    InvalidInput
        On construction, when a number does not fit, a slot has no blocks, or a hash has not 32 bytes or is
        that of no committee.
    """

    chain_id: int
    """The chain that is certified."""
    blocks_per_slot: int
    """How many blocks a committee serves; from 1."""
    slot: int
    """The slot of the first committee."""
    committees: tuple[bytes, bytes]
    """Hashes of the committees of :attr:`slot` and of the next one."""

    def __post_init__(self) -> None:
        if not all(0 <= number < 1 << 64 for number in (self.chain_id, self.blocks_per_slot, self.slot)):
            raise InvalidInput("a number in an anchor has more than 64 bits", slot=self.slot)
        if not self.blocks_per_slot:
            raise InvalidInput("a slot has at least one block")
        for one in self.committees:
            if len(one) != 32 or one == ZERO_HASH:
                raise InvalidInput("a committee is known by a hash of 32 bytes", actual=one)

    def verify(self, proof: Proof | bytes) -> Proven:
        """Return what a proof proves about this chain.

        Costs one recovery of a signer for each signature.

        Raises
        ------
        InvalidInput
            When it proves nothing, or is about a slot whose committee this anchor does not know: which one
            is told as ``slot``.
        """
        opened, proven = open_proof(proof, self.chain_id, FinalityScheme.COMMITTEE)
        self._validate_slot(proven.height, proven.slot)
        expected = self._known(proven.slot)
        match rlp_decode(split_evidence_finality(opened.finality)):
            case [bytes(committee), bytes(certificate)]:
                validators = _committee(committee, expected)
                self._validate_certificate(certificate, proven.height, proven.block_hash, validators)
                return proven
        raise InvalidInput("the evidence of a committee is a list of committee and certificate")

    def advance(self, update: bytes) -> CommitteeAnchor:
        """Return an anchor that knows later committees; this one stays as it is.

        Parameters
        ----------
        update
            As in :mod:`chainstack_sdk.cspv.committee_update`, from anywhere.

        Raises
        ------
        InvalidInput
            When it is malformed, teaches nothing new, or is not certified by whom it has to be.
        """
        decoded = decode_update(update)
        return self._step(decoded) if isinstance(decoded, Step) else self._skip(decoded)

    def to_bytes(self) -> bytes:
        """Return the encoding, 90 bytes."""
        numbers = (self.chain_id, self.blocks_per_slot, self.slot)
        return b"".join(
            (
                bytes((VERSION, FinalityScheme.COMMITTEE)),
                *[number.to_bytes(8, "big") for number in numbers],
                *self.committees,
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` gives.

        Raises
        ------
        InvalidInput
            When it is not the anchor of a committee.
        """
        reader = Reader(data)
        if reader.take(2) != bytes((VERSION, FinalityScheme.COMMITTEE)):
            raise InvalidInput("an anchor of another version or scheme", actual=data[:2])
        numbers = reader.number(8), reader.number(8), reader.number(8)
        anchor = cls(*numbers, (reader.take(32), reader.take(32)))
        reader.finish()
        return anchor

    @property
    def _schedule(self) -> SlotSchedule:
        return SlotSchedule(self.blocks_per_slot)

    def _known(self, slot: int) -> bytes:
        if not self.slot <= slot <= self.slot + 1:
            raise InvalidInput(
                "this anchor does not know the committee of the slot",
                slot=slot,
                expected=(self.slot, self.slot + 1),
            )
        return self.committees[slot - self.slot]

    def _step(self, step: Step) -> CommitteeAnchor:
        header = step.certified.header
        self._validate_header(header)
        validators = _committee(step.committee, self._known(header.slot))
        self._validate_certificate(step.certified.certificate, header.height, header.hash, validators)
        within = not self._schedule.is_last(header.height)
        if within == (header.slot == self.slot):
            raise InvalidInput(
                "an anchor learns from the last block of its slot, or from any other block of the next one",
                slot=self.slot,
                height=header.height,
            )
        return self._moved(self.slot + 1, self.committees[1], header.next_committee_hash)

    def _skip(self, skip: Skip) -> CommitteeAnchor:
        header, later = skip.witness.header, skip.certified.header
        for one in (header, later):
            self._validate_header(one)
            if self._schedule.is_last(one.height):
                raise InvalidInput("the last block of a slot cannot be skipped to", height=one.height)
        if header.slot <= self.slot + 1 or later.slot != header.slot + 1:
            raise InvalidInput("a skip goes over a slot at least", slot=header.slot, expected=self.slot + 2)
        old = ValidatorSet.decode(skip.trusted)
        if old.hash not in self.committees:
            raise InvalidInput("a skip begins with a committee that this anchor knows", actual=old.hash)
        weight = weight_that_signed(skip.witness, self.chain_id, old, Secp256k1Scheme())
        if not old.exceeds_third(weight):
            raise InvalidInput(
                "a skip needs more than 1/3 of the trusted weight", expected=old.total_weight, actual=weight
            )
        validators = _committee(skip.committee, header.next_committee_hash)
        self._validate_certificate(skip.certified.certificate, later.height, later.hash, validators)
        return self._moved(later.slot, validators.hash, later.next_committee_hash)

    def _moved(self, slot: int, committee: bytes, following: bytes) -> CommitteeAnchor:
        return CommitteeAnchor(self.chain_id, self.blocks_per_slot, slot, (committee, following))

    def _validate_header(self, header: Header) -> None:
        if header.chain_id != self.chain_id:
            raise InvalidInput("a header of another chain", expected=self.chain_id, actual=header.chain_id)
        self._validate_slot(header.height, header.slot)

    def _validate_slot(self, height: int, slot: int) -> None:
        expected = self._schedule.slot_of(height)
        if slot != expected:
            raise InvalidInput("a block in the wrong slot", height=height, expected=expected, actual=slot)

    def _validate_certificate(
        self, certificate: bytes, height: int, block_hash: bytes, validators: ValidatorSet
    ) -> None:
        validate_certificate(
            Certificate.decode(certificate),
            chain_id=self.chain_id,
            height=height,
            block_hash=block_hash,
            validators=validators,
            scheme=Secp256k1Scheme(),
        )


def _committee(encoded: bytes, expected: bytes) -> ValidatorSet:
    committee = ValidatorSet.decode(encoded)
    if committee.hash != expected:
        raise InvalidInput("another committee than is known", expected=expected, actual=committee.hash)
    return committee


if TYPE_CHECKING:
    _anchor: type[Anchor] = CommitteeAnchor
