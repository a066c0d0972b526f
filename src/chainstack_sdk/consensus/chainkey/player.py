"""The receiving side of a ceremony: one member that shall hold shares of the key.

A player announces a fresh key, checks each dealing that it can open, and signs for those that are right, once
for each dealer's place. To wrong ones it says nothing: the dealer then has to make the shares public. Whoever
deals again to a player that has signed gets the stored signature, whatever it deals now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.log import SHARE_BYTES, ack_digest, validate_public_part
from chainstack_sdk.consensus.chainkey.messages import Accept, Announce, Deal
from chainstack_sdk.consensus.chainkey.outcome import derive_shares
from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
from chainstack_sdk.consensus.chainkey.record import Received
from chainstack_sdk.primitives.envelope import open_key
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.log import DealerLog
    from chainstack_sdk.consensus.chainkey.record import CeremonyRecord

MAX_WRONG = 4
"""How many wrong dealings of one place are looked at in one ceremony."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a player says to a dealer."""

    dealer: bytes
    """The dealer's address, 20 bytes."""
    accept: Accept
    """The acknowledgement."""
    is_new: bool
    """Whether it is given for the first time, and must be durable first."""


class Player:
    """One member that receives shares in one ceremony.

    Parameters
    ----------
    ceremony
        In which it receives them.
    index
        The member's, among the players; it has seats.
    record
        Where dealings are kept; the caller makes it durable before the acknowledgements are sent.
    sign
        Signs a digest of 32 bytes with the member's account: 65 bytes.
    scheme
        Tells who signed.
    """

    def __init__(
        self,
        ceremony: Ceremony,
        index: int,
        record: CeremonyRecord,
        sign: Callable[[bytes], bytes],
        scheme: Scheme,
    ) -> None:
        self.index = index
        self._ceremony = ceremony
        self._record = record
        self._sign = sign
        self._scheme = scheme
        self._key = open_key(keccak256(record.seed + b"envelope"))
        self._announcement = b""
        self._wrong: dict[int, int] = {}

    def announcement(self) -> bytes:
        """Return the encoded message that tells dealers the key to seal with."""
        if not self._announcement:
            name, key = self._ceremony.hash, self._key.public
            self._announcement = Announce(name, key, self._sign(Announce.digest(name, key))).encode()
        return self._announcement

    def hear_deal(self, message: Deal) -> Answer | None:
        """Return the answer to a dealing, if it deserves one; the dealing is in the record then."""
        dealer = self._dealer(message)
        if dealer is None:
            return None
        known = self._record.received.get(message.place)
        held = known or self._checked(message)
        if held is None:
            return None
        name = keccak256(held.commitments)
        accept = Accept(self._ceremony.hash, message.place, name, held.acknowledgement)
        return Answer(dealer, accept, is_new=known is None)

    def take(self, place: int, commitments: PublicPolynomial, shares: tuple[int, ...]) -> Received:
        """Acknowledge shares that are known to be right, for the first time."""
        points = commitments.encode()
        signature = self._sign(ack_digest(self._ceremony, place, points))
        held = self._record.received[place] = Received(points, shares, signature)
        return held

    def derive(self, logs: Sequence[DealerLog]) -> dict[int, int]:
        """Return the next shares by place.

        Parameters
        ----------
        logs
            The selection.

        Raises
        ------
        InvalidInput
            When this player lacks a dealing that it signed for.
        """
        received = {place: (one.commitments, one.shares) for place, one in self._record.received.items()}
        return derive_shares(self._ceremony, logs, self.index, received)

    def _dealer(self, message: Deal) -> bytes | None:
        """Return who dealt, if it may and it is for this player."""
        seats = self._ceremony.dealer_seats
        if message.player != self.index or message.place > seats.total:
            return None
        digest = Deal.digest(
            message.ceremony, message.place, message.player, message.commitments, message.sealed
        )
        address = self._ceremony.dealers.members[seats.holder(message.place)].address
        return address if self._scheme.signer(digest, message.signature) == address else None

    def _checked(self, message: Deal) -> Received | None:
        if self._wrong.get(message.place, 0) >= MAX_WRONG:
            return None
        try:
            context = Deal.context(message.ceremony, message.place, message.player)
            content = self._key.open(message.sealed, context)
        except InvalidInput:  # perhaps meant for the key of before this node lost its record
            return None
        try:
            return self.take(message.place, *self._content(message, content))
        except InvalidInput:
            self._wrong[message.place] = self._wrong.get(message.place, 0) + 1
            return None

    def _content(self, message: Deal, content: bytes) -> tuple[PublicPolynomial, tuple[int, ...]]:
        """Return the public polynomial and the shares of a dealing, once they are known to be right."""
        places = self._ceremony.player_seats.places(self.index)
        if len(content) != len(places) * SHARE_BYTES:
            raise InvalidInput("a dealing has one share for each seat", actual=len(content))
        starts = range(0, len(content), SHARE_BYTES)
        shares = tuple(int.from_bytes(content[start : start + SHARE_BYTES], "big") for start in starts)
        commitments = PublicPolynomial.decode(message.commitments)
        validate_public_part(self._ceremony, message.place, commitments)
        if not all(map(commitments.is_share, places, shares)):
            raise InvalidInput("a share is not on the polynomial", place=message.place)
        return commitments, shares
