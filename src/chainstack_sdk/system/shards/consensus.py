"""How a shard agrees on its blocks: one operator seals them at once, and only those at home may send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.instant import InstantEngine, InstantRule
from chainstack_sdk.core.closing import NO_EXTRAS
from chainstack_sdk.core.late import LateContract
from chainstack_sdk.primitives.errors import InvalidInput, Rejected, UsageError
from chainstack_sdk.system.shards.bank import BANK_CODE, ShardBank, with_bank
from chainstack_sdk.xchain.contracts import system_contracts
from chainstack_sdk.xchain.genesis import with_hub

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.closing import Closing, HeaderExtras
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import ChainRules, Consensus, Contract
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.view import ChainView
    from chainstack_sdk.system.shards.homes import Homes


class ShardRules:
    """All fees to the proposer, no new coin; accounts of other shards may not send.

    Parameters
    ----------
    homes
        How accounts are shared out.
    shard
        Which one this is.
    """

    def __init__(self, homes: Homes, shard: int) -> None:
        self._homes = homes
        self._shard = shard

    def slot(self, height: int) -> int:
        """Return 0: there are no terms."""
        return 0

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return nothing.

        Raises
        ------
        UsageError
            When there is an attachment.
        """
        if attachment:
            raise UsageError("a shard has no rules for an attachment", actual=attachment)
        return NO_EXTRAS

    def admit(self, state: State, sender: bytes) -> None:
        """Refuse accounts of other shards.

        Raises
        ------
        Rejected
            With code ``not_permitted``.
        """
        home = self._homes.shard_of(sender)
        if home != self._shard:
            raise Rejected(
                "this account is at home on another shard",
                code="not_permitted",
                expected=home,
                actual=self._shard,
            )

    def close(self, closing: Closing) -> None:
        """Pay the proposer.

        Raises
        ------
        InvalidInput
            When the block carries what no rule asks for.
        """
        if closing.extras != NO_EXTRAS:
            raise InvalidInput("a shard's blocks have no extras", height=closing.context.height)
        fees = closing.fees(burn_base_fee=False)
        if fees:
            closing.state.add_balance(closing.context.proposer, fees)


class ShardConsensus:
    """What one shard is made with; see :class:`~chainstack_sdk.core.interfaces.Consensus`.

    Parameters
    ----------
    homes
        How accounts are shared out.
    shard
        Which one this is.
    governor
        Who makes the other shards known to this one's hub, 20 bytes.
    supply
        Wei in the whole system.
    """

    name = InstantEngine.name

    def __init__(self, homes: Homes, shard: int, governor: bytes, supply: int) -> None:
        self._homes = homes
        self._shard = shard
        self._governor = governor
        self._supply = supply

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with a hub and a bank."""
        return with_bank(with_hub(genesis, self._governor), self._homes, self._supply)

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the hub and the bank, by their code."""
        return {**system_contracts(), BANK_CODE: LateContract(ShardBank)}

    def header_rule(self, genesis: Genesis, view: ChainView) -> InstantRule:
        """Return the rule by which headers are checked."""
        return InstantRule()

    def rules(self, genesis: Genesis, view: ChainView) -> ShardRules:
        """Return who may send, and who gets the fees."""
        return ShardRules(self._homes, self._shard)

    def engine(self, genesis: Genesis, view: ChainView) -> InstantEngine:
        """Return the engine that seals at once."""
        return InstantEngine()


if TYPE_CHECKING:
    _consensus: type[Consensus] = ShardConsensus
    _rules: type[ChainRules] = ShardRules
