"""Three ways in which blocks become final, behind one pair of protocols.

An :class:`Anchor` is what a verifier keeps of a chain; a :class:`FinalityProver` stands by the chain itself
and gives what an anchor asks for. Which of them a chain has follows from its engine:

=========  ==========================  ==========================================================
scheme     chains                      evidence
=========  ==========================  ==========================================================
chain key  with a threshold key, and   one signature of 48 bytes, whatever the height
           those that one party runs
committee  with a voting committee     the members' certificate, and who they are
work       mined                       sampled headers, whose number grows as the logarithm
=========  ==========================  ==========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from chainstack_sdk.cspv.verify.anchor import ChainKeyAnchor
from chainstack_sdk.cspv.verify.format import VERSION, FinalityScheme, chain_key_finality
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.cspv.verify.facts import Proven
    from chainstack_sdk.cspv.verify.format import Proof


class Anchor(Protocol):
    """What a verifier keeps of a chain, small enough to be carried by hand."""

    @property
    def chain_id(self) -> int:
        """The chain whose things it can verify."""
        ...

    def verify(self, proof: Proof | bytes) -> Proven:
        """Return what a proof proves about this chain.

        Raises
        ------
        InvalidInput
            When it proves nothing; nothing else is raised, whatever the bytes are.
        """
        ...

    def advance(self, update: bytes) -> Self:
        """Return the anchor that an update of its scheme leads to.

        Raises
        ------
        InvalidInput
            When the update proves nothing, or the scheme knows none.
        """
        ...

    def to_bytes(self) -> bytes:
        """Return the encoding, which begins with version 1 and the scheme, a byte each."""
        ...

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` gives.

        Raises
        ------
        InvalidInput
            When it is no anchor of this scheme.
        """
        ...


class FinalityProver(Protocol):
    """Gives the evidence that blocks of one chain are final."""

    @property
    def scheme(self) -> FinalityScheme:
        """What the evidence is."""
        ...

    def anchor(self) -> Anchor:
        """Return an anchor for those who trust this node now.

        Raises
        ------
        UsageError
            When the chain has nothing to anchor to yet.
        """
        ...

    def evidence(self, header: Header) -> bytes:
        """Return the finality part of a proof about a block, from offset 155 on.

        Raises
        ------
        UsageError
            When the block is not final yet, or not known to be.
        """
        ...


def anchor_from_bytes(data: bytes) -> Anchor:
    """Decode an anchor of any scheme.

    Raises
    ------
    InvalidInput
        When it is none.
    """
    if len(data) < 2 or data[0] != VERSION:
        raise InvalidInput("an anchor of another version", expected=VERSION, actual=data[:1])
    match data[1]:
        case FinalityScheme.CHAIN_KEY:
            return ChainKeyAnchor.from_bytes(data)
        case FinalityScheme.COMMITTEE:
            from chainstack_sdk.cspv.committee import CommitteeAnchor

            return CommitteeAnchor.from_bytes(data)
        case FinalityScheme.WORK:
            from chainstack_sdk.cspv.work import WorkAnchor

            return WorkAnchor.from_bytes(data)
    raise InvalidInput("an anchor of an unknown scheme", actual=data[1])


class ChainKeyFinality:
    """Evidence by a chain key, from wherever a node keeps it.

    Parameters
    ----------
    chain_id
        The chain.
    key
        Gives the public key for new anchors, 96 bytes; empty while the chain has none.
    signature
        Gives the chain's signature of a block, 48 bytes, or None while there is none.
    links
        Gives the links from the key that `key` gives to the one which signed a block, in order: as a rule
        none.
    """

    scheme = FinalityScheme.CHAIN_KEY
    """See :class:`FinalityProver`."""

    def __init__(
        self,
        chain_id: int,
        key: Callable[[], bytes],
        signature: Callable[[Header], bytes | None],
        links: Callable[[Header], Sequence[bytes]] = lambda _header: (),
    ) -> None:
        self._chain_id = chain_id
        self._key = key
        self._signature = signature
        self._links = links

    def anchor(self) -> ChainKeyAnchor:
        """Return an anchor with the key for new anchors.

        Raises
        ------
        UsageError
            While the chain has no key.
        """
        key = self._key()
        if not key:
            raise UsageError("the chain has no key yet", chain_id=self._chain_id)
        return ChainKeyAnchor(self._chain_id, key)

    def evidence(self, header: Header) -> bytes:
        """Return the block's signature, with the links that lead to the key which made it.

        Raises
        ------
        UsageError
            While the chain has not signed the block.
        """
        signature = self._signature(header)
        if signature is None:
            raise UsageError("the chain has not signed this block", height=header.height)
        return chain_key_finality(signature, self._links(header))


if TYPE_CHECKING:
    _anchor: type[Anchor] = ChainKeyAnchor
    _prover: type[FinalityProver] = ChainKeyFinality
