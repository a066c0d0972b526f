"""Chains of delegates that coin votes for: "dpos", one block a turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.bft import Secp256k1Scheme
from chainstack_sdk.consensus.block_reward import ConstantReward
from chainstack_sdk.consensus.dpos import (
    DELEGATION_ADDRESS,
    DELEGATION_CODE,
    DelegateBook,
    DelegatedProofOfStake,
    DelegateRule,
    DelegationContract,
    DelegationParameters,
    DelegationRules,
    genesis_delegates,
    with_delegation,
)
from chainstack_sdk.consensus.dpos.rules import delegates_of
from chainstack_sdk.consensus.kinds.keys import is_keyed, key_contracts, keyed_rules, with_first_key
from chainstack_sdk.consensus.kinds.parameters import IntegerParameters
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core.late import LateRules
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chainstack_sdk.consensus.bft import ValidatorSet
    from chainstack_sdk.consensus.kinds.keys import FirstKey
    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import ChainRules, Contract
    from chainstack_sdk.core.view import ChainView


@dataclass(frozen=True, slots=True)
class DposParameters(IntegerParameters):
    """What a genesis fixes of a chain of delegates, besides the first of them.

    Raises
    ------
    UsageError
        When a number is out of range.
    """

    blocks_per_epoch: int = 100
    """At least the number of seats."""
    seats: int = 21
    minimum_deposit: int = ether(32)
    """Wei that a candidate leaves with the contract."""
    interval_ms: int = 3_000
    """Milliseconds from one turn to the next."""
    block_reward: int = ether(2)
    """Wei."""

    def __post_init__(self) -> None:
        IntegerParameters.__post_init__(self)
        self.delegation()

    def delegation(self) -> DelegationParameters:
        """Return those that the delegation contract knows of."""
        return DelegationParameters(
            blocks_per_epoch=self.blocks_per_epoch,
            seats=self.seats,
            minimum_deposit=self.minimum_deposit,
            interval_ms=self.interval_ms,
        )


def least_keyed_epoch(seats: int) -> int:
    """Return how many blocks an epoch of delegates must have for a chain key.

    A block is final when more than 2/3 of the delegates have built on it. A hand-over waits for that twice,
    for its logs and for its outcome, within half an epoch.
    """
    behind = 2 * seats // 3 + 1
    return 4 * behind + 4


class DposChain:
    """Delegates take turns; whoever holds coin votes for who they are, and the longest chain counts.

    Parameters
    ----------
    delegates
        Addresses of those of the first two epochs, who stand for election from then on; not needed to
        follow a chain that exists.
    parameters
        What the genesis fixes.
    chain_key
        Whether the delegates hold a chain key, for light proofs of final blocks; epochs have at least
        :func:`least_keyed_epoch` blocks then.
    first_key
        Returns the public polynomial of a key that the first delegates, given, hold from the start; by
        default they generate one in epoch 0.
    """

    name = "dpos"

    def __init__(
        self,
        delegates: Sequence[bytes] = (),
        *,
        parameters: DposParameters | None = None,
        chain_key: bool = False,
        first_key: FirstKey | None = None,
    ) -> None:
        self._chain_key = chain_key
        self._first_key = first_key
        self._delegates = tuple(delegates)
        self.parameters = parameters or DposParameters()
        self._scheme = Secp256k1Scheme()

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name and parameters, and the contracts of votes and key."""
        named = replace(genesis, engine=self.name, engine_parameters=self.parameters.encode())
        delegated = with_delegation(named, self._delegates, self.parameters.delegation())
        if not self._chain_key:
            return delegated
        first = genesis_delegates(delegated)
        blocks_per_epoch, least = self.parameters.blocks_per_epoch, least_keyed_epoch(self.parameters.seats)
        if blocks_per_epoch < least:
            raise UsageError("epochs are too short for a chain key", expected=least, actual=blocks_per_epoch)
        return with_first_key(delegated, {0: first, 1: first}, blocks_per_epoch, self._first_key)

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the contracts of votes and key."""
        return {DELEGATION_CODE: DelegationContract(), **key_contracts()}

    def key_slots(self, genesis: Genesis) -> SlotSchedule | None:
        """Return the epochs by which the chain's key is handed over; None when it has none."""
        return DposParameters.of(genesis).delegation().schedule if is_keyed(genesis) else None

    def header_rule(self, genesis: Genesis, view: ChainView) -> DelegateRule:
        """Return the rule by which the chain checks headers; it reads the delegates from its state."""
        return self._rule(genesis, view, view.header)

    def rules(self, genesis: Genesis, view: ChainView) -> ChainRules:
        """Return what the chain does at the end of a block."""
        chosen = DposParameters.of(genesis)
        rules = DelegationRules(
            chosen.delegation(),
            reward=ConstantReward(chosen.block_reward),
            burn_base_fee=genesis.burn_base_fee,
        )
        if not is_keyed(genesis):
            return rules
        storage = StateStorage(view.state, DELEGATION_ADDRESS)

        def delegates(epoch: int) -> ValidatorSet:
            return delegates_of(storage, epoch)

        schedule = chosen.delegation().schedule
        return LateRules(lambda: keyed_rules(rules, schedule, delegates, self._scheme, view))

    def member(
        self,
        genesis: Genesis,
        view: ChainView,
        address: bytes | None,
        *,
        headers: Callable[[bytes], Header | None],
        producing: bool,
    ) -> DelegatedProofOfStake:
        """Return the engine of one participant; a delegate seals its own blocks, whoever else makes some."""
        return DelegatedProofOfStake(self._rule(genesis, view, headers), address=address)

    def _rule(
        self, genesis: Genesis, view: ChainView, headers: Callable[[bytes], Header | None]
    ) -> DelegateRule:
        first = genesis_delegates(genesis)
        book = DelegateBook([first], StateStorage(view.state, DELEGATION_ADDRESS))
        parameters = DposParameters.of(genesis).delegation()
        return DelegateRule(parameters, first, book, headers, scheme=self._scheme)


if TYPE_CHECKING:
    _check: type[Kind] = DposChain
