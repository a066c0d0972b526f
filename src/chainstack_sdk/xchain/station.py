"""A relayer's view of one of its two chains: questions to the hub, and transactions under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.primitives.errors import Rejected, Reverted, UsageError
from chainstack_sdk.xchain.hub.contract import Hub
from chainstack_sdk.xchain.packets import Acknowledgement, Packet, decode_message

if TYPE_CHECKING:
    from typing import Any

    from chainstack_sdk.xchain.port import ChainPort
    from chainstack_sdk.xchain.progress import Progress

_COMMITMENT = Hub.abi_function("commitmentOf")
_RECEIPT = Hub.abi_function("receiptOf")
_ANCHOR = Hub.abi_function("anchorOf")
_VERIFIED = Hub.abi_function("isVerified")
_UPDATE = Hub.abi_function("updateAnchor")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A transaction of which nobody knows yet what becomes of it."""

    ticket: bytes
    height: int
    """The newest block when it was sent."""
    counts_as: str
    """The count of :class:`~chainstack_sdk.xchain.progress.Progress` that its success adds to."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message in a final block, for the other chain."""

    height: int
    index: int
    """Its place among the block's messages, from 0."""
    message: Packet | Acknowledgement


class Station:
    """One chain.

    Parameters
    ----------
    port
        The chain.
    other
        The id of the relayer's other chain.
    patience
        How many further blocks a transaction may wait to be in one.
    """

    def __init__(self, port: ChainPort, other: int, patience: int) -> None:
        self.port = port
        self._other = other
        self._patience = patience
        self._next = 1
        self._anchoring: Attempt | None = None
        self._evidence: dict[bytes, Attempt] = {}

    # Questions

    def commitment(self, packet: Packet) -> bytes:
        """Return the hash of a packet that this chain has sent and not settled; 32 zeros otherwise."""
        return bytes(self._ask(_COMMITMENT, packet.channel, packet.sequence))

    def receipt(self, packet: Packet) -> bytes:
        """Return the hash of this chain's acknowledgement of a packet; 32 zeros if it was not received."""
        return bytes(self._ask(_RECEIPT, packet.channel, packet.sequence))

    def anchor(self) -> bytes:
        """Return the anchor that this chain's hub has of the other chain.

        Raises
        ------
        UsageError
            When it has none, as also after a reorganisation that took the registration back.
        """
        anchor = bytes(self._ask(_ANCHOR, self._other))
        if not anchor:
            here, there = self.port.chain_id, self._other
            raise UsageError("the hub does not know the other chain", chain_id=here, expected=there)
        return anchor

    def anchor_for(self, block_hash: bytes) -> bytes | None:
        """Return the same, or None when the hub knows that this block of the other chain is final."""
        return None if self._ask(_VERIFIED, self._other, block_hash) else self.anchor()

    def scan(self, limit: int, tally: Progress) -> list[Found]:
        """Return the messages for the other chain in the next final blocks, at most `limit` of these."""
        last = min(self.port.final().height, self._next + limit - 1)
        found = [each for height in range(self._next, last + 1) for each in self._look_through(height)]
        tally.blocks += last + 1 - self._next
        self._next = last + 1
        return found

    @property
    def is_scanned(self) -> bool:
        """Whether all final blocks have been looked through."""
        return self._next > self.port.final().height

    # Transactions

    def submit(self, data: bytes, counts_as: str, tally: Progress) -> Attempt | None:
        """Send a transaction to the hub; None when it is refused before that."""
        height = self.port.head().height
        try:
            ticket = self.port.submit(data)
        except (Reverted, Rejected):
            tally.refused += 1
            return None
        tally.submitted += 1
        return Attempt(ticket, height, counts_as)

    def pending(self, attempt: Attempt | None, tally: Progress) -> Attempt | None:
        """Return an attempt whose fate is still open; count it, and return None, once it is not."""
        if attempt is None:
            return None
        if self._is_open(attempt):
            tally.in_the_air += 1
            return attempt
        outcome = self.port.outcome(attempt.ticket)
        what = "lost" if outcome is None else attempt.counts_as if outcome else "refused"
        setattr(tally, what, getattr(tally, what) + 1)
        return None

    def expect(self, block_hash: bytes, attempt: Attempt) -> None:
        """Take note that an attempt brings much evidence that a block of the other chain is final."""
        self._evidence[block_hash] = attempt

    def expects(self, block_hash: bytes) -> bool:
        """Tell whether such evidence is under way, so that further proofs had better wait for it."""
        attempt = self._evidence.get(block_hash)
        if attempt is None:
            return False
        if self._is_open(attempt):
            return True
        del self._evidence[block_hash]
        return False

    def follow(self, other: ChainPort, tally: Progress) -> None:
        """Bring this hub's anchor of the other chain up to date, a step at a time."""
        self._anchoring = self.pending(self._anchoring, tally)
        try:
            update = None if self._anchoring else other.update(self.anchor())
        except UsageError:  # there is none yet
            return
        if update is not None:
            data = _UPDATE.encode_call(other.chain_id, update)
            self._anchoring = self.pending(self.submit(data, "updates", tally), tally)

    def _is_open(self, attempt: Attempt) -> bool:
        waited = self.port.head().height - attempt.height
        return waited <= self._patience and self.port.outcome(attempt.ticket) is None

    def _ask(self, function: Any, *arguments: Any) -> Any:
        (answer,) = function.decode_output(self.port.ask(function.encode_call(*arguments)))
        return answer

    def _look_through(self, height: int) -> list[Found]:
        messages = enumerate(map(decode_message, self.port.messages(height)))
        return [Found(height, index, each) for index, each in messages if each.destination == self._other]
