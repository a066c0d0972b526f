"""The end of a block: what consensus puts into a header, and what it does to the state.

An engine that elects committees, pays rewards or punishes does so in two places. Before a block's
transactions run, it says what goes into the header (:class:`HeaderExtras`); after the last of them it
changes the state once (:class:`Closing`). Both are functions of the chain alone, so that every node that
runs the block again comes to the same header.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import ZERO_HASH

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.state import State


@dataclass(frozen=True, slots=True)
class HeaderExtras:
    """What an engine puts into a block besides transactions and their outcome."""

    seed: bytes = ZERO_HASH
    """Randomness as of this block, 32 bytes."""
    seed_proof: bytes = b""
    """How the seed came about; at most 256 bytes."""
    parent_certificate: bytes = b""
    """The parent's seal, for engines that pay and punish by it; the header commits to its hash."""
    work_commitment: bytes = b""
    """What a proof-of-work engine commits to; at most 64 bytes."""
    extra_data: bytes = b""
    """At most 32 bytes."""
    attachment: bytes = b""
    """A part of the block that the header commits to in the engine's own way."""


NO_EXTRAS = HeaderExtras()


def extras_of(block: Block) -> HeaderExtras:
    """Return what an engine has put into a block."""
    header = block.header
    return HeaderExtras(
        seed=header.seed,
        seed_proof=header.seed_proof,
        parent_certificate=block.parent_certificate,
        work_commitment=header.work_commitment,
        extra_data=header.extra_data,
        attachment=block.attachment,
    )


@dataclass(slots=True)
class Closing:
    """A block whose transactions have run, in the hands of its consensus."""

    state: State
    """Changed through its journal; an error undoes the whole block."""
    context: BlockContext
    parent: Header
    extras: HeaderExtras
    base_fees: int
    """Wei paid by the block's transactions, all of it off their senders' balances and on nobody's."""
    tips: int
    """Wei on top of the base fees."""
    next_committee_hash: bytes = ZERO_HASH
    """Set by the rules: what the header commits to, 32 bytes."""

    def fees(self, *, burn_base_fee: bool) -> int:
        """Return the wei of the block's fees that may be handed out."""
        return self.tips if burn_base_fee else self.base_fees + self.tips
