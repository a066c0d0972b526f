"""The beacon: one seed for each block, which nobody can choose.

The default, :class:`ChainedVrf`, chains verifiable randomness through the blocks. Whoever proposes the
block of a height proves the height and the seed before it; the seed after it is a hash of the output:

::

    alpha       "chainstack seed" ‖ chain_id u64 ‖ height u64 ‖ seed before 32
    proof       index u16 ‖ pi 80          index: the proposer's place in the committee
    seed after  keccak256("chainstack next seed" ‖ beta 64), where beta is the output of pi

Integers are big-endian. Nothing else of the block goes in, so a proposer has one seed to offer at one
height, whatever it puts into its block and however often it tries (no grinding), provided that its key was
registered before the seed before was known; the committee of a slot is fixed two slots ahead with the keys
it registered, so it was. Whoever checks a proof does so against that registered key.

**Caveats: what a proposer can still do**

- *Withhold.* It sees the next seed first, and may let its round fail; then the proposer of the next round
  gives another seed. That is a choice between two seeds, one bit of bias, for the price of a block's reward,
  each time that it proposes. The seed that elects a committee is the last of its slot, so what counts are
  the last blocks: a coalition whose members are to propose the last k blocks picks among up to 2^k seeds, one
  that proposes in k rounds of the last block among up to k + 1. With more than a third of the weight it can
  also let the rounds of others fail, and wait for a seed that it likes.
- *Know early.* It knows the seed after its block some moments before everybody else.
- A threshold signature over the slot number has neither weakness: chains with a chain key use
  :class:`~chainstack_sdk.consensus.chainkey.beacon.ChainKeyBeacon`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.consensus.octets import exact_bytes, uint_bytes
from chainstack_sdk.consensus.vrf import VRF_OUTPUT_BYTES, VRF_PROOF_BYTES, vrf_verify
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.core.blocks import Header

SEED_BYTES = 32
SEED_PROOF_BYTES = 2 + VRF_PROOF_BYTES
_ALPHA_DOMAIN = b"chainstack seed"
_SEED_DOMAIN = b"chainstack next seed"
_FIRST_SEED_DOMAIN = b"chainstack first seed"


class Beacon(Protocol):
    """Where the seeds of a chain with committees come from.

    The seed in a block's header follows from its parent's header and from the proof beside it.
    """

    @property
    def in_seals(self) -> bool:
        """Whether proofs are made by proposers, and travel in the seals of the blocks that they propose."""
        ...

    def seed_after(self, parent: Header, proof: bytes, committee: ValidatorSet) -> bytes:
        """Check the proof in a block's header and return the seed that goes with it, 32 bytes.

        Parameters
        ----------
        parent
            The header of the block before.
        proof
            Any bytes.
        committee
            That of the parent's slot.

        Raises
        ------
        InvalidInput
            When the proof is not right.
        """
        ...

    def proof_after(self, parent: Header) -> bytes:
        """Return the proof for a block to be built on ``parent``, where it does not come from a seal."""
        ...


@dataclass(frozen=True, slots=True)
class ChainedVrf:
    """The default beacon: each seed is what a proposer's verifiable randomness makes of the one before."""

    chain_id: int
    """Below 2^64."""

    @property
    def in_seals(self) -> bool:
        """True."""
        return True

    def seed_after(self, parent: Header, proof: bytes, committee: ValidatorSet) -> bytes:
        """Check the proof over the parent's seed, and return the seed after it; see :func:`verify_seed`.

        Raises
        ------
        InvalidInput
            When the proof is not right. Genesis has none.
        """
        if parent.height == 0:
            return seed_after_genesis(parent, proof)
        return verify_seed(
            proof,
            chain_id=self.chain_id,
            height=parent.height,
            parent_seed=parent.seed,
            vrf_keys=[member.vrf_key for member in committee],
        )

    def proof_after(self, parent: Header) -> bytes:
        """Return nothing: proofs come from the parents' seals."""
        return b""


def first_seed(genesis_seed: bytes) -> bytes:
    """Return the seed of block 1, 32 bytes, which follows from that of genesis."""
    return keccak256(_FIRST_SEED_DOMAIN + genesis_seed)


def seed_after_genesis(genesis: Header, proof: bytes) -> bytes:
    """Return the seed of block 1, for which there is no proof.

    Raises
    ------
    InvalidInput
        When there is one.
    """
    if proof:
        raise InvalidInput("nobody proves the first seed", actual=proof)
    return first_seed(genesis.seed)


def seed_alpha(chain_id: int, height: int, parent_seed: bytes) -> bytes:
    """Return what the proposer of a block proves: 63 bytes.

    Parameters
    ----------
    chain_id, height
        Of the block; below 2^64.
    parent_seed
        The seed before the block, 32 bytes.

    Raises
    ------
    UsageError
        When an argument does not fit.
    """
    return b"".join(
        (
            _ALPHA_DOMAIN,
            uint_bytes(chain_id, 8, "chain id"),
            uint_bytes(height, 8, "height"),
            exact_bytes(parent_seed, SEED_BYTES, "seed"),
        )
    )


def next_seed(beta: bytes) -> bytes:
    """Return the seed, 32 bytes, that follows from the output of a verified proof.

    Raises
    ------
    UsageError
        When the output has not 64 bytes.
    """
    return keccak256(_SEED_DOMAIN + exact_bytes(beta, VRF_OUTPUT_BYTES, "output"))


def encode_seed_proof(index: int, pi: bytes) -> bytes:
    """Return a proof as blocks carry it: index u16 ‖ pi, 82 bytes.

    Parameters
    ----------
    index
        The prover's place in the committee, from 0; below 2^16.
    pi
        Its proof of verifiable randomness, 80 bytes.

    Raises
    ------
    UsageError
        When an argument does not fit.
    """
    return uint_bytes(index, 2, "index") + exact_bytes(pi, VRF_PROOF_BYTES, "proof")


def parse_seed_proof(data: bytes) -> tuple[int, bytes]:
    """Return the prover's index and its proof, 80 bytes; neither has been checked.

    Raises
    ------
    InvalidInput
        When there are not 82 bytes.
    """
    if len(data) != SEED_PROOF_BYTES:
        raise InvalidInput("a seed's proof has another length", expected=SEED_PROOF_BYTES, actual=len(data))
    return int.from_bytes(data[:2], "big"), data[2:]


def verify_seed(
    data: bytes, *, chain_id: int, height: int, parent_seed: bytes, vrf_keys: Sequence[bytes]
) -> bytes:
    """Check a seed's proof and return the seed after the block, 32 bytes.

    It shows that the committee's member of the index in the proof made it. That this member was the proposer
    of the deciding round, who alone may, is for those to check who know the round; everybody else relies
    on the committee's certificate for it.

    Parameters
    ----------
    data
        A proof as :func:`encode_seed_proof` makes them; any bytes.
    chain_id, height, parent_seed
        As for :func:`seed_alpha`.
    vrf_keys
        The public keys that the committee had registered, in its order; an empty one proves nothing.

    Raises
    ------
    InvalidInput
        When the proof is malformed, of nobody in the committee, or not right.
    UsageError
        When another argument does not fit.
    """
    index, pi = parse_seed_proof(data)
    alpha = seed_alpha(chain_id, height, parent_seed)
    if index >= len(vrf_keys):
        raise InvalidInput("nobody in the committee has this index", actual=index, members=len(vrf_keys))
    return next_seed(vrf_verify(vrf_keys[index], alpha, pi))


if TYPE_CHECKING:
    _check: type[Beacon] = ChainedVrf
