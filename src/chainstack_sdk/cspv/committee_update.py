"""What brings the anchor of a committee chain up to date: updates, as bytes.

::

    step       RLP [committee, header, certificate]
    skip       RLP [trusted, header, certificate, committee, header, certificate]

A *step* goes to the next slot. The header is one that the anchor's second committee certified, other than
the last of its slot: it commits to the committee after. Or it is the last header of the anchor's own slot,
which commits to the committee after next. Either way more than 2/3 of the weight of a committee that the
anchor knows have signed.

A *skip* goes over any number of slots, for an anchor that was not used for long::

    anchor       committees of slots s and s + 1
                    │ more than 1/3 of the weight of one of them signed
    witness      a block of slot a > s + 1, which names the committee of a + 1
                    │ more than 2/3 of its weight signed
    second       a block of slot a + 1, which names the committee of a + 2

No header commits to the committee of its own slot, hence the two headers: the witness names the committee
that the second one has to be certified by. Both are others than the last of their slots: what the last block
says of the next election depends on which of several candidates was decided on; all candidates before it say
the same.

**Caveats.** What a skip adds to the trust in a step is time. It takes for granted that of the *trusted*
committee, which left office long ago, members with a third of the weight or more will still sign nothing
false on the day when the update is made, and have not sold their keys. Then one of those who signed the
witness is honest, and did so because the block was a valid child of a decided one; which committee it names
is so far the word of that one member. Skip only as far as their deposits are still at stake, or step. Where
members change so much that no third of the old weight is left, or slots have a single block, only steps are
possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.certificate import Certificate
from chainstack_sdk.consensus.bft.messages import Vote, VoteKind
from chainstack_sdk.core.blocks import decode_header
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.core.blocks import Header


@dataclass(frozen=True, slots=True)
class Certified:
    """A header, and the precommits for it."""

    header: Header
    certificate: bytes
    """The encoding of a :class:`~chainstack_sdk.consensus.bft.Certificate`."""


@dataclass(frozen=True, slots=True)
class Step:
    """To the next slot."""

    certified: Certified
    committee: bytes
    """The encoding of the committee that certified it."""

    def encode(self) -> bytes:
        """Return the encoding."""
        return rlp_encode([self.committee, self.certified.header.encode(), self.certified.certificate])


@dataclass(frozen=True, slots=True)
class Skip:
    """Over many slots."""

    trusted: bytes
    """The encoding of a committee that the anchor knows."""
    witness: Certified
    """A header that more than 1/3 of its weight signed."""
    committee: bytes
    """The encoding of the committee that the witness names."""
    certified: Certified
    """A header that this committee certified."""

    def encode(self) -> bytes:
        """Return the encoding."""
        witness, certified = self.witness, self.certified
        return rlp_encode(
            [
                *(self.trusted, witness.header.encode(), witness.certificate),
                *(self.committee, certified.header.encode(), certified.certificate),
            ]
        )


def decode_update(data: bytes) -> Step | Skip:
    """Decode an update; nothing in it has been verified.

    Raises
    ------
    InvalidInput
        When it is neither a step nor a skip.
    """
    match rlp_decode(data):
        case [bytes(committee), bytes(header), bytes(certificate)]:
            return Step(Certified(decode_header(header), certificate), committee)
        case [bytes(trusted), bytes(one), bytes(first), bytes(committee), bytes(two), bytes(second)]:
            witness = Certified(decode_header(one), first)
            return Skip(trusted, witness, committee, Certified(decode_header(two), second))
    raise InvalidInput("an update is a list of committees, headers and certificates")


def weight_that_signed(certified: Certified, chain_id: int, committee: ValidatorSet, scheme: Scheme) -> int:
    """Return the weight of those members of any committee who precommitted to a header.

    Who signed follows from the signatures; the indices in the certificate are those of a committee that
    nobody needs here. Each member counts once, and signatures of others not at all.

    Raises
    ------
    InvalidInput
        When the certificate is malformed.
    """
    certificate = Certificate.decode(certified.certificate)
    header = certified.header
    vote = Vote(VoteKind.PRECOMMIT, header.height, certificate.round, header.hash)
    digest = vote.digest(chain_id)
    signers = scheme.signers([(digest, signature) for _, signature in certificate.signatures])
    counted = dict.fromkeys(signer for signer in signers if signer is not None)
    return sum([committee.weight_of(signer) for signer in counted])
