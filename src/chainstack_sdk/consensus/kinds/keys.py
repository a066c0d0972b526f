"""How a kind of consensus gets a chain key: its genesis, its rules, its beacon.

All of it is loaded when it is first used, so that chains without a key, and those that have not begun, do not
pay for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.consensus.bft.validators import ValidatorSet
from chainstack_sdk.consensus.chainkey.storage import (
    CHAIN_KEY_ADDRESS,
    CHAIN_KEY_CODE,
    MIN_BLOCKS_PER_SLOT,
)
from chainstack_sdk.core.late import LateContract
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.consensus.bft.scheme import Scheme
    from chainstack_sdk.consensus.chainkey.beacon import ChainKeyBeacon
    from chainstack_sdk.consensus.chainkey.polynomial import PublicPolynomial
    from chainstack_sdk.consensus.chainkey.rules import KeyedRules
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import ChainRules, Contract
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.view import ChainView

FirstKey: TypeAlias = "Callable[[ValidatorSet], PublicPolynomial]"
"""Returns the public polynomial of a key that a committee holds already."""


def is_keyed(genesis: Genesis) -> bool:
    """Tell whether a chain has a key: whether its genesis has the contract of it."""
    return CHAIN_KEY_ADDRESS in genesis.accounts


def with_first_key(
    genesis: Genesis,
    committees: Mapping[int, ValidatorSet],
    blocks_per_slot: int,
    first_key: FirstKey | None,
) -> Genesis:
    """Return the genesis with a chain key contract.

    Parameters
    ----------
    committees
        Those of slots 0 and 1.
    first_key
        None: the committee of slot 0 generates a key.

    Raises
    ------
    UsageError
        When slots are too short for a hand-over.
    """
    if blocks_per_slot < MIN_BLOCKS_PER_SLOT:
        raise UsageError(
            "slots are too short for a chain key", expected=MIN_BLOCKS_PER_SLOT, actual=blocks_per_slot
        )
    from chainstack_sdk.consensus.chainkey.genesis import with_chain_key

    polynomial = None if first_key is None else first_key(committees[0])
    return with_chain_key(genesis, committees[0], committees[1], polynomial)


def key_contracts() -> dict[bytes, Contract]:
    """Return the chain key contract by its code."""
    return {CHAIN_KEY_CODE: LateContract(_key_contract)}


def key_of(state: State) -> Callable[[], bytes | None]:
    """Return a function that reads the chain key, 96 bytes, from a state; None while there is none."""

    def key() -> bytes | None:
        from chainstack_sdk.consensus.chainkey.state import read_key_state

        read = read_key_state(state)
        return None if read is None or read.holders is None else read.holders.key

    return key


def key_beacon(
    chain_id: int,
    schedule: SlotSchedule,
    key: Callable[[], bytes | None] | None,
    signature: Callable[[int], bytes | None] | None,
) -> ChainKeyBeacon:
    """Return the beacon of a chain with a key; without ``signature`` it only checks."""
    from chainstack_sdk.consensus.chainkey.beacon import ChainKeyBeacon

    return ChainKeyBeacon(chain_id, schedule, key=key or _nothing, signature=signature or _unknown)


def keyed_rules(
    inner: ChainRules,
    schedule: SlotSchedule,
    committee: Callable[[int], ValidatorSet],
    scheme: Scheme,
    view: ChainView,
) -> KeyedRules:
    """Return the rules of a chain with a key around those of its consensus."""
    from chainstack_sdk.consensus.chainkey.rules import KeyedRules

    return KeyedRules(
        inner,
        view.state,
        schedule,
        committee,
        scheme,
        block=lambda height: view.blockchain.ledger.block(height),
    )


def _key_contract() -> Contract:
    from chainstack_sdk.consensus.chainkey.contract import ChainKeyContract

    return ChainKeyContract()


def _nothing() -> bytes | None:
    return None


def _unknown(slot: int) -> bytes | None:
    return None
