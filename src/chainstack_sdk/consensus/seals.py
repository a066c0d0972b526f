"""What makes a block of a committee chain appendable, outside the block hash."""

from __future__ import annotations

from dataclasses import dataclass

from chainstack_sdk.consensus.vrf import VRF_PROOF_BYTES
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

_NONCE_BYTES = 8


@dataclass(frozen=True, slots=True)
class CommitteeSeal:
    """The committee's certificate, and what came with the block that it decided on.

    The seal of a block travels in its child too, as the parent certificate, where it pays the committee
    and gives the child's seed.
    """

    certificate: bytes
    """An encoded :class:`~chainstack_sdk.consensus.bft.Certificate`."""
    seed_proof: bytes = b""
    """The VRF proof, 80 bytes, of the deciding round's proposer over the block's seed; empty where a chain
    has no seeds."""
    nonce: int | None = None
    """The proof of work, below 2^64; None where a chain asks for none."""

    def __post_init__(self) -> None:
        if len(self.seed_proof) not in (0, VRF_PROOF_BYTES):
            raise InvalidInput("a seal's seed proof has 80 bytes or none", actual=len(self.seed_proof))
        if self.nonce is not None and not 0 <= self.nonce < 1 << 64:
            raise InvalidInput("a nonce is below 2^64", actual=self.nonce)

    def encode(self) -> bytes:
        """Return RLP ``[certificate, seed_proof, nonce]``, the nonce as 8 bytes big-endian or empty."""
        nonce = b"" if self.nonce is None else self.nonce.to_bytes(_NONCE_BYTES, "big")
        return rlp_encode([self.certificate, self.seed_proof, nonce])

    @classmethod
    def decode(cls, data: bytes) -> CommitteeSeal:
        """Decode what :meth:`encode` gives; nothing in it has been verified.

        Raises
        ------
        InvalidInput
            When it is not the encoding of a seal.
        """
        match rlp_decode(data):
            case [bytes(certificate), bytes(seed_proof), bytes(nonce)] if len(nonce) in (0, _NONCE_BYTES):
                number = int.from_bytes(nonce, "big") if nonce else None
                return cls(certificate, seed_proof, number)
        raise InvalidInput("a seal is a list of certificate, seed proof and nonce")
