"""All that a verifier keeps of a chain with a chain key: the chain's id and a public key, 106 bytes.

``version 1 ‖ scheme 1 ‖ chain id 8 ‖ public key 96``, big-endian. The key outlives every committee: whoever
has the anchor can check a proof of any height without anything in between. Only when a chain had to make a
new key does a proof carry links, each of which leads from one key to the next.

**Caveats.** A signature under the key says that enough of the key's holders of some time signed the block.
That they were never corrupt, and that those who held it before have erased their shares, is what the
chain's consensus and the hand-over of the key are for. How an anchor reaches a verifier is for its maker to
secure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from chainstack_sdk.cspv.verify.format import VERSION, FinalityScheme, split_chain_key_finality
from chainstack_sdk.cspv.verify.link import follow_link
from chainstack_sdk.cspv.verify.opening import open_proof
from chainstack_sdk.cspv.verify.reader import Reader
from chainstack_sdk.primitives.bls import FINALITY_DOMAIN, PUBLIC_KEY_BYTES, decode_g2, verify
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.cspv.verify.facts import Proven
    from chainstack_sdk.cspv.verify.format import Proof

ANCHOR_BYTES = 106


@dataclass(frozen=True, slots=True)
class ChainKeyAnchor:
    """Checks what a chain with a chain key has made final.

    Raises
    ------
    InvalidInput
        On construction, when the chain id has more than 64 bits or the key is no point of the right group.
    """

    chain_id: int
    """The chain whose blocks the key signs."""
    key: bytes
    """96 bytes, a compressed point of G2."""

    def __post_init__(self) -> None:
        if not 0 <= self.chain_id < 1 << 64:
            raise InvalidInput("a chain id has at most 64 bits", actual=self.chain_id)
        decode_g2(self.key)

    def verify(self, proof: Proof | bytes) -> Proven:
        """Return what a proof proves about this chain.

        Costs one check of two pairings, one hash to the curve and a few hashes; each link in the proof costs
        one such check and a recovery of each vote's signer.

        Raises
        ------
        InvalidInput
            When it proves nothing.
        """
        opened, proven = open_proof(proof, self.chain_id, FinalityScheme.CHAIN_KEY)
        signature, links = split_chain_key_finality(opened.finality)
        key = self.key
        for link in links:
            key = follow_link(link, self.chain_id, key)
        if not verify(key, proven.block_hash, signature, FINALITY_DOMAIN):
            raise InvalidInput(
                "this chain has not signed such a block",
                chain_id=self.chain_id,
                height=proven.height,
                block_hash=proven.block_hash,
            )
        return proven

    def advance(self, update: bytes) -> Self:
        """Return the anchor of the next generation's key, once a link proves that it is the next.

        Parameters
        ----------
        update
            A link from this anchor's key, as proofs carry them.

        Raises
        ------
        InvalidInput
            When it leads nowhere.
        """
        return type(self)(self.chain_id, follow_link(update, self.chain_id, self.key))

    def to_bytes(self) -> bytes:
        """Return the encoding, 106 bytes."""
        return bytes((VERSION, FinalityScheme.CHAIN_KEY)) + self.chain_id.to_bytes(8, "big") + self.key

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` gives.

        Raises
        ------
        InvalidInput
            When it is not the anchor of a chain key.
        """
        reader = Reader(data)
        if reader.take(2) != bytes((VERSION, FinalityScheme.CHAIN_KEY)):
            raise InvalidInput("an anchor of another version or scheme", actual=data[:2])
        anchor = cls(reader.number(8), reader.take(PUBLIC_KEY_BYTES))
        reader.finish()
        return anchor
