"""What a relayer needs of a chain, as a protocol.

All of it is public: what is in blocks, proofs that anybody with the chain can make, questions to the hub, and
transactions of an account. So a relayer may run anywhere, over a chain in the same process by
:class:`~chainstack_sdk.xchain.facade_port.FacadePort` or over whatever else implements :class:`ChainPort`.

**Caveats.** A port's word is not proven: hubs check proofs, the relayer does not. A port that tells untruths
wastes the relayer's fees, and that is all it can do.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """A block of a chain, as far as time-outs go."""

    height: int
    timestamp_ms: int
    """Unix time in milliseconds."""


class ChainPort(Protocol):
    """A chain with a hub, as a relayer sees it.

    Proofs and updates are the bytes that hubs take; an anchor is given as the bytes that the hub of the
    other chain holds. A method that cannot do what it is asked *now* raises :class:`UsageError`, and the
    relayer tries again later.
    """

    @property
    def chain_id(self) -> int:
        """The chain."""
        ...

    def head(self) -> Place:
        """Return the newest block."""
        ...

    def final(self) -> Place:
        """Return the newest block that can be proven to others; genesis when there is none."""
        ...

    def block_hash(self, height: int) -> bytes:
        """Return the hash of a block, 32 bytes."""
        ...

    def messages(self, height: int) -> list[bytes]:
        """Return the messages of a block, in order."""
        ...

    def prove_message(self, height: int, index: int, anchor: bytes | None) -> bytes:
        """Prove a message to those with an anchor; with None, to those who know the block to be final."""
        ...

    def prove_slot(self, slot: int, height: int, anchor: bytes | None) -> bytes:
        """Prove what is in a slot of the hub after a block; `anchor` as for :meth:`prove_message`."""
        ...

    def update(self, anchor: bytes) -> bytes | None:
        """Return what brings an anchor a step closer to the newest final block, if it has to be."""
        ...

    def ask(self, data: bytes) -> bytes:
        """Call a view of the hub: ABI-encoded call data in, result out."""
        ...

    def submit(self, data: bytes) -> bytes:
        """Send a transaction to the hub, and return a ticket for :meth:`outcome`.

        Raises
        ------
        Reverted
            When the hub refuses the call as things stand.
        Rejected
            When the transaction cannot be sent.
        """
        ...

    def outcome(self, ticket: bytes) -> bool | None:
        """Tell whether a transaction succeeded; None while no block holds it."""
        ...

    def flush(self) -> None:
        """Learn that nothing more is submitted in this step."""
        ...
