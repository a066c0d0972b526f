"""What is kept for the next height, and what is sent again to those who missed it.

Algorithm 1 assumes that whatever one honest validator has received, all will. Over links that lose
messages a host brings that about by handing its peers, now and then, what :func:`messages_to_resend` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft.messages import VoteKind, content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chainstack_sdk.consensus.bft.messages import SignedMessage
    from chainstack_sdk.consensus.bft.round import Decision, RoundState
    from chainstack_sdk.consensus.bft.votes import VoteKeeper

MAX_EARLY = 8
"""Messages of the next height that are kept of each validator: two rounds, and a little."""


class EarlyMessages:
    """Messages of the next height, kept until it begins: at most :data:`MAX_EARLY` of each sender."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[SignedMessage, ...]] = {}

    def has_room(self, message: SignedMessage) -> bool:
        """Tell whether a message would be kept: it is new, and its sender has room left."""
        kept = self._kept.get(message.validator, ())
        return len(kept) < MAX_EARLY and message not in kept

    def keep(self, message: SignedMessage) -> None:
        """Keep a message; the caller has asked :meth:`has_room` and checked who sent it."""
        self._kept[message.validator] = (*self._kept.get(message.validator, ()), message)

    def take(self, height: int) -> list[SignedMessage]:
        """Forget everything and return the messages of a height."""
        kept, self._kept = self._kept, {}
        return [
            message for messages in kept.values() for message in messages if content(message).height == height
        ]


def messages_to_resend(
    state: RoundState, keeper: VoteKeeper, decision: Decision | None, since: int
) -> Iterator[SignedMessage]:
    """Yield what a validator in round `since` of this height may have missed, most useful first.

    The decided round's precommits; the polka behind the valid value; and the proposals and votes of the
    current and the previous round, of which more than 1/3 let anyone further behind skip rounds. That is
    bounded by a small multiple of the number of validators.
    """
    if decision is not None:
        yield from keeper.proposals(decision.round)
        yield from keeper.votes_for(VoteKind.PRECOMMIT, decision.round, decision.block_hash).values()
    if state.valid_value is not None:
        yield from keeper.proposals(state.valid_round)
        yield from keeper.votes_for(VoteKind.PREVOTE, state.valid_round, state.valid_value).values()
    for round_ in range(max(since, state.round - 1, 0), state.round + 1):
        yield from keeper.proposals(round_)
        yield from keeper.votes(round_)
