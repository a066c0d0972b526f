"""The dealing side of a ceremony: one member with a share to pass on, or a new key to take part in.

In the first half of the slot a dealer answers each player's announcement with its dealing, sealed, and sends
it again and again until the player has acknowledged it; then it closes its log. An acknowledgement of other
commitments than its own is ignored without a word: it is what an honest player answers to a dealer that lost
its record and deals anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.dealing import close_log, deal, shares_for
from chainstack_sdk.consensus.chainkey.effects import SendTo
from chainstack_sdk.consensus.chainkey.log import SHARE_BYTES, ack_digest
from chainstack_sdk.consensus.chainkey.messages import Announce, Deal
from chainstack_sdk.consensus.chainkey.payload import MAX_ITEM_BYTES
from chainstack_sdk.primitives.envelope import seal
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.messages import Accept
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial, SecretPolynomial
    from chainstack_sdk.consensus.chainkey.record import CeremonyRecord

MAX_KEYS = 8
"""How many different keys of a player are answered in one ceremony."""


class Dealer:
    """One member's dealings in one ceremony, until they are closed.

    Parameters
    ----------
    ceremony
        In which it deals.
    index
        The member's, among the dealers.
    record
        Where acknowledgements and logs are kept; the caller makes it durable.
    shares
        The member's shares by place. In a resharing it deals for the places that it has a share of.
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
        shares: Mapping[int, int],
        sign: Callable[[bytes], bytes],
        scheme: Scheme,
    ) -> None:
        self._ceremony = ceremony
        self._record = record
        self._sign = sign
        self._scheme = scheme
        self._dealings = {
            place: deal(ceremony, place, record.seed, None if ceremony.is_generation else shares[place])
            for place in ceremony.dealer_seats.places(index)
            if ceremony.is_generation or place in shares
        }
        self._keys: dict[int, list[bytes]] = {}
        self._sealed: dict[tuple[int, int], SendTo] = {}

    def dealt_to(self, index: int) -> Iterator[tuple[int, PublicPolynomial, tuple[int, ...]]]:
        """Yield what a player is dealt: the own place, the public polynomial, the player's shares."""
        for place, (polynomial, commitments, _) in self._dealings.items():
            yield place, commitments, shares_for(self._ceremony, polynomial, index)

    def hear_announce(self, message: Announce) -> list[SendTo]:
        """Return the dealings for a player that announced a key which is new."""
        signer = self._scheme.signer(Announce.digest(message.ceremony, message.key), message.signature)
        index = None if signer is None else self._ceremony.players.index_of(signer)
        if index is None or not self._ceremony.player_seats.counts[index]:
            return []
        keys = self._keys.setdefault(index, [])
        if message.key in keys or len(keys) == MAX_KEYS:
            return []
        try:
            self._seal(index, message.key)
        except InvalidInput:
            return []
        keys.append(message.key)
        return self._unacknowledged(index)

    def hear_accept(self, message: Accept) -> bool:
        """Take an acknowledgement; return whether it is one that counts and was not there."""
        dealing = self._dealings.get(message.place)
        if dealing is None:
            return False
        commitments = dealing[1].encode()
        if message.commitments_hash != keccak256(commitments):
            return False
        digest = ack_digest(self._ceremony, message.place, commitments)
        signer = self._scheme.signer(digest, message.signature)
        index = None if signer is None else self._ceremony.players.index_of(signer)
        if index is None or not self._ceremony.player_seats.counts[index]:
            return False
        return self.acknowledged(message.place, index, message.signature)

    def acknowledged(self, place: int, index: int, signature: bytes) -> bool:
        """Note a right acknowledgement by a player with seats; return whether it was not there."""
        known = self._record.acks.setdefault(place, {})
        if index in known:
            return False
        known[index] = signature
        return True

    def unacknowledged(self) -> list[SendTo]:
        """Return what players that announced a key have not acknowledged."""
        return [output for index in sorted(self._keys) for output in self._unacknowledged(index)]

    def close(self) -> None:
        """Close the logs of all dealings, but those that would reveal too much, or that no block takes."""
        self._record.closed = True
        for place, dealing in self._dealings.items():
            log = close_log(self._ceremony, place, dealing, self._record.acks.get(place, {}), self._sign)
            encoded = b"" if log is None else log.encode()
            if 0 < len(encoded) <= MAX_ITEM_BYTES:
                self._record.logs[place] = encoded

    def _unacknowledged(self, index: int) -> list[SendTo]:
        acks = self._record.acks
        return [
            self._sealed[place, index]
            for place in self._dealings
            if (place, index) in self._sealed and index not in acks.get(place, {})
        ]

    def _seal(self, index: int, key: bytes) -> None:
        address = self._ceremony.players.members[index].address
        for place, dealing in self._dealings.items():
            self._sealed[place, index] = SendTo(address, self._deal(place, dealing, index, key))

    def _deal(
        self, place: int, dealing: tuple[SecretPolynomial, PublicPolynomial, bytes], index: int, key: bytes
    ) -> bytes:
        polynomial, commitments, _ = dealing
        name, points = self._ceremony.hash, commitments.encode()
        shares = shares_for(self._ceremony, polynomial, index)
        content = b"".join(share.to_bytes(SHARE_BYTES, "big") for share in shares)
        sealed = seal(key, content, Deal.context(name, place, index), self._record.seed)
        signature = self._sign(Deal.digest(name, place, index, points, sealed))
        return Deal(name, place, index, points, sealed, signature).encode()
