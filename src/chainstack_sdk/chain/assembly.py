"""Putting a chain together from its replaceable parts."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.instant import InstantEngine
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.engine import BlockCommitted
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.state import State
from chainstack_sdk.core.view import ChainView
from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS, DEPLOYER_CODE
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE, Runtime, default_registry
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.xchain.addresses import REGISTRY_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainstack_sdk.chain.crosschain import CrossChain
    from chainstack_sdk.core.interfaces import Consensus, ConsensusEngine, FeePolicy, KeyValueStore, StateTrie
    from chainstack_sdk.paradigms import Registry
    from chainstack_sdk.primitives.address import AddressLike


def with_issuers(genesis: Genesis) -> Genesis:
    """Put the paradigm factory and the deployer of machines where they belong.

    An address that the genesis has an account at is left as it is.
    """
    issuers = {FACTORY_ADDRESS: FACTORY_CODE, DEPLOYER_ADDRESS: DEPLOYER_CODE}
    missing = {
        address: GenesisAccount(nonce=1, code=code)
        for address, code in issuers.items()
        if address not in genesis.accounts
    }
    return replace(genesis, accounts={**genesis.accounts, **missing}) if missing else genesis


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
    consensus: Consensus | None,
) -> tuple[Blockchain, ConsensusEngine]:
    """Return the core of a chain and its engine.

    Raises
    ------
    UsageError
        When the genesis names another engine than the one given, both an engine and a consensus are given,
        or neither is and the genesis names one that does not come with the library.
    """
    if engine is not None and consensus is not None:
        raise UsageError("a consensus brings its own engine: give one or the other")
    runtime = Runtime(default_registry() if registry is None else registry)
    if REGISTRY_ADDRESS in genesis.accounts:
        _add_crosschain(runtime)
    policy = ProposerFees(burn_base_fee=genesis.burn_base_fee) if fees is None else fees
    if engine is None and consensus is None and genesis.engine != InstantEngine.name:
        consensus = _followed(genesis.engine)
    if consensus is not None:
        return _with_consensus(genesis, ledger, state, runtime, policy, consensus)
    chosen = InstantEngine() if engine is None else engine
    _expect_engine(genesis, chosen.name)
    blockchain = Blockchain(
        genesis,
        runtime=runtime,
        header_rule=chosen.header_rule,
        fees=policy,
        ledger=ledger,
        state=state,
    )
    if blockchain.height:
        chosen.process(BlockCommitted(blockchain.height, blockchain.head.hash))
    return blockchain, chosen


def prepared(
    genesis: Genesis, consensus: Consensus | None, crosschain: CrossChain | AddressLike | None
) -> Genesis:
    """Return the genesis with all system contracts of the chain."""
    if crosschain is not None:
        from chainstack_sdk.chain.crosschain import with_crosschain

        genesis = with_crosschain(genesis, crosschain)
    return with_issuers(genesis if consensus is None else consensus.prepare(genesis))


def _add_crosschain(runtime: Runtime) -> None:
    from chainstack_sdk.chain.crosschain import crosschain_contracts

    for code, contract in crosschain_contracts().items():
        runtime.add_system(code, contract)


def _with_consensus(
    genesis: Genesis,
    ledger: MemoryLedger | StoredLedger,
    state: State,
    runtime: Runtime,
    fees: FeePolicy,
    consensus: Consensus,
) -> tuple[Blockchain, ConsensusEngine]:
    _expect_engine(genesis, consensus.name)
    for code, contract in consensus.contracts().items():
        runtime.add_system(code, contract)
    view = ChainView(state)
    blockchain = Blockchain(
        genesis,
        runtime=runtime,
        header_rule=consensus.header_rule(genesis, view),
        fees=fees,
        rules=consensus.rules(genesis, view),
        ledger=ledger,
        state=state,
    )
    view.bind(blockchain)
    return blockchain, consensus.engine(genesis, view)


def _followed(name: str) -> Consensus:
    from chainstack_sdk.consensus.kinds import kind_named
    from chainstack_sdk.network.hosting import FollowedConsensus

    return FollowedConsensus(kind_named(name))


def _expect_engine(genesis: Genesis, name: str) -> None:
    if genesis.engine != name:
        raise UsageError("the genesis names another engine", expected=genesis.engine, actual=name)
