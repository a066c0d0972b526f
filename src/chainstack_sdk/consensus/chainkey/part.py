"""One member's part in one ceremony: as dealer, as player, as both, or as one who passes logs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.chainkey.dealer import Dealer
from chainstack_sdk.consensus.chainkey.effects import SendTo
from chainstack_sdk.consensus.chainkey.messages import Accept, Announce, Deal, PostedLog
from chainstack_sdk.consensus.chainkey.player import Player
from chainstack_sdk.consensus.chainkey.pool import LogPool
from chainstack_sdk.core.engine import Broadcast
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.ceremony import Ceremony
    from chainstack_sdk.consensus.chainkey.effects import Message
    from chainstack_sdk.consensus.chainkey.record import CeremonyRecord
    from chainstack_sdk.consensus.chainkey.state import KeyState


class Part:
    """What a member does in a ceremony.

    Parameters
    ----------
    ceremony
        The ceremony.
    address
        The member's, 20 bytes.
    record
        What it remembers of the ceremony; changed here, made durable by the caller.
    shares
        Its shares of the key that is dealt, by place.
    sign
        Signs a digest of 32 bytes with the member's account: 65 bytes.
    scheme
        Tells who signed.
    """

    def __init__(
        self,
        ceremony: Ceremony,
        address: bytes,
        record: CeremonyRecord,
        shares: Mapping[int, int],
        sign: Callable[[bytes], bytes],
        scheme: Scheme,
    ) -> None:
        self.ceremony = ceremony
        self.changed = False
        """Whether the record has changed; the caller sets it back."""
        self.lacks_shares = False
        """Whether there is an outcome of which this member, a player, cannot derive its shares."""
        self._record = record
        self._pool = LogPool(scheme)
        self._dealer: Dealer | None = None
        self._player: Player | None = None
        dealing, playing = ceremony.dealers.index_of(address), ceremony.players.index_of(address)
        if playing is not None and ceremony.player_seats.counts[playing]:
            self._player = Player(ceremony, playing, record, sign, scheme)
        if dealing is not None and not record.closed:
            self._dealer = Dealer(ceremony, dealing, record, shares, sign, scheme)

    def advance(self, *, is_dealing_time: bool) -> None:
        """Do what is due after a block: deal to itself, or close the logs when dealing time is over."""
        if self._dealer is None:
            return
        if is_dealing_time:
            self._deal_to_itself(self._dealer)
        else:
            self._dealer.close()
            self._dealer = None
            self.changed = True

    def derive(self, state: KeyState) -> dict[int, int]:
        """Return this member's shares of the outcome, by place; none for others, or where dealings lack."""
        if self._player is None or self.lacks_shares:
            return {}
        try:
            return self._player.derive(state.logs)
        except InvalidInput:
            self.lacks_shares = True
            return {}

    def hear(self, message: Announce | Deal | Accept | PostedLog) -> list[SendTo]:
        """Take a message about this ceremony; return the answers."""
        match message:
            case Announce() if self._dealer is not None:
                return self._dealer.hear_announce(message)
            case Accept() if self._dealer is not None:
                self.changed |= self._dealer.hear_accept(message)
            case Deal() if self._player is not None:
                return self._hear_deal(self._player, message)
            case PostedLog():
                self._pool.hear(self.ceremony, message.log)
        return []

    def logs(self, state: KeyState) -> list[bytes]:
        """Return the known logs, own and others', that are valid and not on the chain yet."""
        known = {**self._pool.logs, **self._record.logs}
        posted = {log.place for log in state.logs}
        return [known[place] for place in sorted(known) if place not in posted]

    def outstanding(self, state: KeyState, *, is_dealing_time: bool) -> Iterator[Message]:
        """Yield what is to be sent, again if need be."""
        if is_dealing_time:
            if self._player is not None:
                yield Broadcast(self._player.announcement())
            if self._dealer is not None:
                yield from self._dealer.unacknowledged()
        elif state.outcome is None:
            posted = {log.place for log in state.logs}
            for place, log in sorted(self._record.logs.items()):
                if place not in posted:
                    yield Broadcast(PostedLog(self.ceremony.hash, log).encode())

    def _deal_to_itself(self, dealer: Dealer) -> None:
        player = self._player
        if player is None:
            return
        for place, commitments, shares in dealer.dealt_to(player.index):
            held = self._record.received.get(place) or player.take(place, commitments, shares)
            self.changed |= dealer.acknowledged(place, player.index, held.acknowledgement)

    def _hear_deal(self, player: Player, message: Deal) -> list[SendTo]:
        answer = player.hear_deal(message)
        if answer is None:
            return []
        self.changed |= answer.is_new
        return [SendTo(answer.dealer, answer.accept.encode())]
