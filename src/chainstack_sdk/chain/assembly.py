"""Putting a chain together from its replaceable parts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.instant import InstantEngine
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.state import State
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE, Runtime, default_registry
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainstack_sdk.core.interfaces import ConsensusEngine, FeePolicy, KeyValueStore, StateTrie
    from chainstack_sdk.paradigms import Registry


def with_factory(genesis: Genesis) -> Genesis:
    """Put the paradigm factory at its address, where the genesis does not do so itself."""
    if FACTORY_ADDRESS in genesis.accounts:
        return genesis
    factory = GenesisAccount(nonce=1, code=FACTORY_CODE)
    return replace(genesis, accounts={**genesis.accounts, FACTORY_ADDRESS: factory})


def flat_state(new_trie: Callable[[], StateTrie] | None) -> State:
    """Return an empty state in memory, over tries of one's own if given."""
    if new_trie is None:
        return State()
    from chainstack_sdk.core.commitment import FlatCommitment

    return State(FlatCommitment(new_trie))


def stored_parts(
    store: KeyValueStore, genesis: Genesis, *, archive: bool, keep_states: int | None
) -> tuple[StoredLedger, State]:
    """Return the ledger and the empty state of a chain in a store."""
    identity = keccak256(genesis.encode())
    if not archive:
        return StoredLedger(store, identity, FlatCodec(), keep_states=keep_states), State()
    from chainstack_sdk.core.archive import NodeCodec, StoredCommitment

    commitment = StoredCommitment(store)
    ledger = StoredLedger(store, identity, NodeCodec(commitment), keep_states=keep_states)
    return ledger, State(commitment)


@contextmanager
def closing_on_error(store: KeyValueStore | None) -> Iterator[None]:
    """Close a store that was handed over when the chain on it does not come to be."""
    try:
        yield
    except BaseException:
        if store is not None:
            store.close()
        raise


def assemble(
    genesis: Genesis,
    ledger: MemoryLedger | StoredLedger,
    state: State,
    *,
    registry: Registry | None,
    fees: FeePolicy | None,
    engine: ConsensusEngine | None,
) -> tuple[Blockchain, ConsensusEngine]:
    """Return the core of a chain and its engine.

    Raises
    ------
    UsageError
        When the genesis names another engine than the one given, or none is given and the genesis names
        one that is not built in.
    """
    if engine is None:
        engine = InstantEngine(max(ledger.height, 0))
    if genesis.engine != engine.name:
        raise UsageError("the genesis names another engine", expected=genesis.engine, actual=engine.name)
    blockchain = Blockchain(
        genesis,
        runtime=Runtime(default_registry() if registry is None else registry),
        header_rule=engine.header_rule,
        fees=ProposerFees(burn_base_fee=genesis.burn_base_fee) if fees is None else fees,
        ledger=ledger,
        state=state,
    )
    return blockchain, engine
