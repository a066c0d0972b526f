"""What the holders of a key sign with it, and the partial signatures of each such thing.

A *topic* is one message that holders are to sign: the hash of a final block, the number of a slot for its
randomness, or that they, the holders, can sign. Members send their partial signatures as
:class:`~chainstack_sdk.consensus.chainkey.messages.Partial`, under the signature of their account; those for
places that are not the sender's are ignored, and so is the sender of a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.messages import Partial, PartialKind
from chainstack_sdk.consensus.chainkey.partials import Collector
from chainstack_sdk.primitives.bls import BEACON_DOMAIN, FINALITY_DOMAIN, HOLDERS_DOMAIN, sign
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.state import Holders

DOMAINS = {
    PartialKind.FINALITY: FINALITY_DOMAIN,
    PartialKind.BEACON: BEACON_DOMAIN,
    PartialKind.HOLDERS: HOLDERS_DOMAIN,
}
"""The domain of signatures for each kind of topic."""
KEPT = {PartialKind.FINALITY: 256, PartialKind.BEACON: 4, PartialKind.HOLDERS: 4}
"""How many topics of each kind are kept."""


@dataclass(slots=True)
class Topic:
    """One message and what there is of its signature."""

    holders: Holders
    """Who sign it."""
    digest: bytes
    """What stands for the message in messages of members: 32 bytes."""
    collector: Collector
    own: bytes = b""
    """This member's encoded message; empty while it has none."""


class Topics:
    """The topics that one member knows.

    Parameters
    ----------
    chain_id
        The chain.
    address
        The member's, 20 bytes.
    sign
        Signs a digest of 32 bytes with the member's account: 65 bytes.
    scheme
        Tells who signed.
    """

    def __init__(self, chain_id: int, address: bytes, sign: Callable[[bytes], bytes], scheme: Scheme) -> None:
        self._chain_id = chain_id
        self._address = address
        self._sign = sign
        self._scheme = scheme
        self._topics: dict[PartialKind, dict[int, Topic]] = {kind: {} for kind in PartialKind}

    def open(self, kind: PartialKind, number: int, holders: Holders, message: bytes) -> None:
        """Begin a topic, if it has not begun; the oldest of its kind may be forgotten for it."""
        topics = self._topics[kind]
        if number not in topics:
            digest = message if kind is PartialKind.FINALITY else keccak256(message)
            collector = Collector(holders.polynomial, message, DOMAINS[kind])
            if len(topics) == KEPT[kind]:
                del topics[min(topics)]  # first: the new one may be the oldest, as of holders from genesis
            topics[number] = Topic(holders, digest, collector)

    def contribute(self, kind: PartialKind, number: int, shares: Mapping[int, int]) -> None:
        """Sign a topic that has begun with own shares, by place, if it is not signed so already."""
        topic = self._topics[kind][number]
        if topic.own or not shares:
            return
        message = topic.collector.message
        parts = tuple((place, sign(shares[place], message, DOMAINS[kind])) for place in sorted(shares))
        unsigned = Partial(kind, number, topic.holders.round, topic.digest, parts, bytes(65))
        signature = self._sign(unsigned.signed_digest(self._chain_id))
        topic.own = replace(unsigned, signature=signature).encode()
        for place, part in parts:
            topic.collector.add(place, part)

    def has(self, kind: PartialKind, number: int) -> bool:
        """Tell whether a topic has begun."""
        return number in self._topics[kind]

    def hear(self, partial: Partial) -> None:
        """Take another member's partial signatures, if their topic has begun and they are needed."""
        topic = self._topics[partial.kind].get(partial.number)
        if topic is None or topic.collector.signature:
            return
        if (partial.round, partial.digest) == (topic.holders.round, topic.digest):
            for place, part in self._attributed(partial, topic.holders):
                topic.collector.add(place, part)

    def signature(self, kind: PartialKind, number: int) -> bytes:
        """Return the key's signature of a topic, 48 bytes, or nothing while there is none."""
        topic = self._topics[kind].get(number)
        return b"" if topic is None else topic.collector.signature

    def own(self, kind: PartialKind, number: int) -> bytes:
        """Return this member's encoded message about a topic, or nothing if it has none."""
        topic = self._topics[kind].get(number)
        return b"" if topic is None else topic.own

    def unfinished(self, kind: PartialKind) -> list[int]:
        """Return the numbers of topics without a signature, ascending."""
        return sorted(number for number, topic in self._topics[kind].items() if not topic.collector.signature)

    def _attributed(self, partial: Partial, holders: Holders) -> tuple[tuple[int, bytes], ...]:
        """Return the parts, if they are for places of the one who signed the message."""
        signer = self._scheme.signer(partial.signed_digest(self._chain_id), partial.signature)
        index = None if signer is None else holders.members.index_of(signer)
        if index is None:
            return ()
        places = holders.seats.places(index)
        return tuple((place, part) for place, part in partial.parts if place in places)
