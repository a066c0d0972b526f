"""What everybody on a committee chain agrees on before any block: how seals are judged, and who leads.

A block of such a chain is certified by the committee of its slot. Where seeds come from is the beacon's to
say. By default a seal holds, beside the certificate, a proof of verifiable randomness by the proposer of
the deciding round, over the block's seed; out of that proof follows the seed of the next block::

    seed of block 1       keccak256("chainstack first seed" ‖ seed of genesis)
    seed of block h + 1   what follows from the proof in block h's seal; h ≥ 1

A committee may decide on one block in different rounds, as seen by different members, so a block can have
more than one right seal. Its child says which one counts: it carries the whole seal and commits to it. For
the same reason leaders are drawn with the seed of the *parent's* header, of which there is only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.consensus.beacon import ChainedVrf, encode_seed_proof
from chainstack_sdk.consensus.bft.certificate import Certificate, validate_certificate
from chainstack_sdk.consensus.bft.validators import rotation
from chainstack_sdk.consensus.election import seeded_leader
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.vrf import VRF_PROOF_BYTES
from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from chainstack_sdk.consensus.beacon import Beacon
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header

    Leader: TypeAlias = Callable[[ValidatorSet, bytes, int, int], bytes]
    """Returns who proposes: of a committee, the parent's seed, height and round."""


class WorkCheck(Protocol):
    """The proof of work that a chain asks for besides certificates."""

    def difficulty(self, header: Header) -> int:
        """Return the expected number of hashes that a header commits to.

        Raises
        ------
        InvalidInput
            When it commits to none.
        """
        ...

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Check that a header commits to the difficulty that follows from its ancestors.

        Raises
        ------
        InvalidInput
            When it does not.
        """
        ...

    def validate_work(self, header: Header, nonce: int) -> None:
        """Check that a nonce does the work that the header commits to.

        Raises
        ------
        InvalidInput
            When it does not.
        """
        ...


def rotating_leader(committee: ValidatorSet, seed: bytes, height: int, round: int) -> bytes:
    """Return the member whose turn it is, in proportion to weight; the seed does not matter."""
    return rotation(committee, height, round)


def drawn_leader(committee: ValidatorSet, seed: bytes, height: int, round: int) -> bytes:
    """Return a member drawn by the seed, with a chance in proportion to weight."""
    return seeded_leader(seed, height, round, committee.members)


@dataclass(frozen=True, slots=True)
class SealFacts:
    """What a seal that has been checked says."""

    signers: tuple[bytes, ...]
    """Addresses of those who signed, in the order of the committee."""
    proposer: bytes
    """Address of the deciding round's proposer."""
    seed_proof: bytes
    """The proof as the next header carries it, index u16 ‖ pi, 82 bytes; empty where seals hold none."""
    next_seed: bytes
    """The next header's seed, 32 bytes, as it follows from the proof; empty where there is none."""


@dataclass(frozen=True, slots=True)
class CommitteeTerms:
    """The terms of a committee chain; the same for its full nodes, engines and light clients."""

    chain_id: int
    schedule: SlotSchedule
    scheme: Scheme
    """Checks signatures."""
    leader: Leader = rotating_leader
    """Who proposes."""
    work: WorkCheck | None = None
    """What miners must do; None: nothing, and seals carry no nonce."""
    beacon: Beacon | None = None
    """Where seeds come from; None: each proposer's verifiable randomness makes the next."""

    @property
    def seeds(self) -> Beacon:
        """The beacon."""
        return ChainedVrf(self.chain_id) if self.beacon is None else self.beacon

    def validate_slot(self, header: Header) -> None:
        """Check that a header is of this chain and names its slot rightly.

        Raises
        ------
        InvalidInput
            When it is not, or does not.
        """
        if header.chain_id != self.chain_id:
            raise InvalidInput("a header of another chain", expected=self.chain_id, actual=header.chain_id)
        slot = self.schedule.slot_of(header.height)
        if header.slot != slot:
            raise InvalidInput(
                "wrong slot in a header", height=header.height, expected=slot, actual=header.slot
            )

    def validate_certified(self, header: Header, seal: bytes, committee: ValidatorSet) -> None:
        """Check that more than 2/3 of a committee's weight certified a header: final, whatever follows.

        Raises
        ------
        InvalidInput
            When the seal is malformed or does not certify it, or the header is misplaced.
        """
        self._certified(header, CommitteeSeal.decode(seal), committee)

    def open_seal(
        self, header: Header, seal: bytes, committee: ValidatorSet, parent_seed: bytes
    ) -> SealFacts:
        """Check all of a seal: certificate, proof of randomness, work.

        Parameters
        ----------
        committee
            That of the header's slot.
        parent_seed
            The seed in the header of the parent, 32 bytes.

        Raises
        ------
        InvalidInput
            When anything in it is wrong.
        """
        decoded = CommitteeSeal.decode(seal)
        self._validate_nonce(header, decoded.nonce)
        round_, signers = self._certified(header, decoded, committee)
        proposer = self.leader(committee, parent_seed, header.height, round_)
        seed_proof = self._seed_proof(committee, proposer, decoded.seed_proof)
        seed = self.seeds.seed_after(header, seed_proof, committee) if seed_proof else b""
        return SealFacts(signers, proposer, seed_proof, seed)

    def validate_seed(self, header: Header, parent: Header, committee: ValidatorSet) -> None:
        """Check a header's seed and its proof by the parent's header alone.

        That the prover was the deciding round's proposer shows only in the parent's seal.

        Parameters
        ----------
        committee
            That of the parent's slot.

        Raises
        ------
        InvalidInput
            When the seed is not the one that follows from the proof.
        """
        expected = self.seeds.seed_after(parent, header.seed_proof, committee)
        if parent.height == 0 and header.parent_certificate_hash != ZERO_HASH:
            raise InvalidInput("nobody certifies genesis", height=header.height)
        if header.seed != expected:
            raise InvalidInput(
                "the seed does not follow from the parent",
                height=header.height,
                expected=expected,
                actual=header.seed,
            )

    def is_seed_proof(self, header: Header, committee: ValidatorSet, prover: bytes, pi: bytes) -> bool:
        """Tell whether a member may propose a block with this proof, over the seed of its header, beside it.

        Where seeds do not come from seals, that is the empty one. Any bytes will do.
        """
        try:
            seed_proof = self._seed_proof(committee, prover, pi)
            if seed_proof:
                self.seeds.seed_after(header, seed_proof, committee)
        except InvalidInput:
            return False
        return True

    def _certified(
        self, header: Header, seal: CommitteeSeal, committee: ValidatorSet
    ) -> tuple[int, tuple[bytes, ...]]:
        self.validate_slot(header)
        certificate = Certificate.decode(seal.certificate)
        signers = validate_certificate(
            certificate,
            chain_id=self.chain_id,
            height=header.height,
            block_hash=header.hash,
            validators=committee,
            scheme=self.scheme,
        )
        return certificate.round, signers

    def _validate_nonce(self, header: Header, nonce: int | None) -> None:
        if (self.work is None) != (nonce is None):
            raise InvalidInput("a seal has a nonce where work is asked for, and nowhere else", actual=nonce)
        if self.work is not None and nonce is not None:
            self.work.validate_work(header, nonce)

    def _seed_proof(self, committee: ValidatorSet, prover: bytes, pi: bytes) -> bytes:
        """Return a seal's proof as headers carry it; nothing where seals hold none."""
        if not self.seeds.in_seals:
            if pi:
                raise InvalidInput("seals of this chain hold no proof of randomness", actual=pi)
            return b""
        index = committee.index_of(prover)
        if index is None or len(pi) != VRF_PROOF_BYTES:
            raise InvalidInput("no proof of randomness by a member", actual=prover)
        return encode_seed_proof(index, pi)
