"""By which rules a chain closes its blocks: those of its consensus, or a fee policy and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.blocks import ZERO_HASH
from chainstack_sdk.core.closing import NO_EXTRAS, Closing, HeaderExtras, extras_of
from chainstack_sdk.core.validation import expect
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.execution import Admit, BlockExecution
    from chainstack_sdk.core.interfaces import ChainRules, FeePolicy, Ledger


class Ruling:
    """Answers for both kinds of chains, so that nobody else has to tell them apart.

    Parameters
    ----------
    rules
        What the consensus does on the chain; None: nothing.
    fees
        Who gets the fees, where there are no rules.
    """

    __slots__ = ("_fees", "_rules")

    def __init__(self, rules: ChainRules | None, fees: FeePolicy) -> None:
        self._rules = rules
        self._fees = fees

    @property
    def admit(self) -> Admit | None:
        """Refuses senders that may not send here; None where everybody may."""
        return None if self._rules is None else self._rules.admit

    def slot(self, height: int) -> int:
        """Return the committee's term of a height; 0 without rules."""
        return 0 if self._rules is None else self._rules.slot(height)

    def extras(self, ledger: Ledger, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return what the consensus puts into a block on the ledger's newest.

        Raises
        ------
        UsageError
            When there is no rule for the attachment.
        """
        if self._rules is not None:
            return self._rules.extras(ledger.block(ledger.height), proposer, attachment)
        if attachment:
            raise UsageError("this chain has no rules for an attachment", actual=attachment)
        return NO_EXTRAS

    def validate(self, block: Block) -> HeaderExtras:
        """Check that a block carries nothing that no rule asks for, and return what it carries.

        Raises
        ------
        InvalidInput
            When it does, or names another slot.
        """
        header, extras = block.header, extras_of(block)
        if self._rules is None and extras != NO_EXTRAS:
            raise InvalidInput("a block has fields that no rule of this chain asks for", height=header.height)
        expect(header.slot, self.slot(header.height), "slot", header)
        return extras

    def finish(self, execution: BlockExecution, parent: Header, extras: HeaderExtras) -> bytes:
        """Hand out fees and rewards; return the hash that the header commits to as next committee."""
        if self._rules is None:
            execution.close(self._fees)
            return ZERO_HASH
        closing = Closing(
            execution.state, execution.block, parent, extras, execution.base_fees, execution.tips
        )
        self._rules.close(closing)
        return closing.next_committee_hash
