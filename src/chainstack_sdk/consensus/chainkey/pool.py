"""What members collect from each other for blocks to carry: logs of dealers, votes for links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest
from chainstack_sdk.consensus.chainkey.log import DealerLog, log_digest, validate_log
from chainstack_sdk.consensus.chainkey.messages import LinkVote
from chainstack_sdk.consensus.chainkey.payload import MAX_ITEM_BYTES
from chainstack_sdk.primitives.bls import PUBLIC_KEY_BYTES
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.state import Holders, KeyState

MAX_REFUSED = 3
"""How many invalid logs of one dealer's place are looked at in one ceremony."""


class LogPool:
    """Valid logs of one ceremony, one for each dealer's place: the first that was heard of.

    Parameters
    ----------
    scheme
        Tells who signed.
    """

    def __init__(self, scheme: Scheme) -> None:
        self.logs: dict[int, bytes] = {}
        """Encoded logs by place."""
        self._scheme = scheme
        self._refused: dict[int, int] = {}

    def hear(self, ceremony: Ceremony, encoded: bytes) -> None:
        """Take a log, if it is valid."""
        if len(encoded) > _longest(ceremony):
            return
        try:
            log = DealerLog.decode(encoded)
            if self._is_wanted(ceremony, log):
                self._take(ceremony, log, encoded)
        except InvalidInput:
            return

    def _is_wanted(self, ceremony: Ceremony, log: DealerLog) -> bool:
        """Tell whether a log is the first of its place, and signed by the dealer there."""
        seats = ceremony.dealer_seats
        if log.place in self.logs or not 1 <= log.place <= seats.total:
            return False
        if self._refused.get(log.place, 0) >= MAX_REFUSED:
            return False
        digest = log_digest(ceremony, log.place, log.commitments, log.possession, log.results)
        dealer = ceremony.dealers.members[seats.holder(log.place)].address
        return self._scheme.signer(digest, log.signature) == dealer

    def _take(self, ceremony: Ceremony, log: DealerLog, encoded: bytes) -> None:
        try:
            validate_log(ceremony, log, self._scheme)
        except InvalidInput:
            self._refused[log.place] = self._refused.get(log.place, 0) + 1
            raise
        self.logs[log.place] = encoded


class LinkVotes:
    """Votes of the holders of the key before, until they make up a link to the new one.

    Parameters
    ----------
    chain_id
        The chain.
    address
        The member's own, 20 bytes.
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
        self._retired: Holders | None = None
        self._new_key = b""
        self._votes: dict[bytes, bytes] = {}
        self.link = b""
        """The encoded link; empty while there are too few votes, none are wanted, or it is too long."""
        self.own = b""
        """This member's encoded vote; empty when it has none, or none is wanted."""

    def enter(self, state: KeyState) -> None:
        """Take note of the state after a block: a link may be wanted now, or not any more."""
        retired, holders = state.retired, state.holders
        if retired is None or holders is None or not retired.attestation:
            self._begin(None, b"")
        elif self._retired != retired or self._new_key != holders.key:
            self._begin(retired, holders.key)

    def hear(self, vote: LinkVote) -> None:
        """Take a vote, if one is wanted and it is by a member."""
        retired = self._retired
        if retired is None or self.link or vote.generation != retired.generation + 1:
            return
        signer = self._scheme.signer(self._digest(retired), vote.signature)
        if signer is None or not retired.members.weight_of(signer):
            return
        self._votes[signer] = vote.signature
        if retired.members.is_quorum(sum(map(retired.members.weight_of, self._votes))):
            link = KeyLink.of(retired, self._new_key, self._votes).encode()
            self.link = link if len(link) <= MAX_ITEM_BYTES else b""

    def _begin(self, retired: Holders | None, new_key: bytes) -> None:
        self._retired, self._new_key, self._votes, self.link, self.own = retired, new_key, {}, b"", b""
        if retired is not None and retired.members.weight_of(self._address):
            vote = LinkVote(retired.generation + 1, self._sign(self._digest(retired)))
            self.own = vote.encode()
            self.hear(vote)

    def _digest(self, retired: Holders) -> bytes:
        return link_digest(
            self._chain_id, retired.generation, retired.key, retired.generation + 1, self._new_key
        )


def _longest(ceremony: Ceremony) -> int:
    """Return how many bytes a log of a ceremony has at most, generously."""
    seats = ceremony.player_seats
    return 256 + ceremony.threshold * PUBLIC_KEY_BYTES + 72 * len(seats.counts) + 33 * seats.total
