"""The facade of one chain: accounts in, receipts out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from chainstack_sdk.chain.writer import ChainWriter
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.consensus.instant import InstantEngine
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.engine import BlockCommitted
from chainstack_sdk.core.fees import ProposerFees
from chainstack_sdk.core.genesis import (
    DEFAULT_BASE_FEE,
    DEFAULT_CHAIN_ID,
    DEFAULT_GAS_LIMIT,
    Genesis,
    GenesisAccount,
)
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.state import State
from chainstack_sdk.paradigms import FACTORY_ADDRESS, FACTORY_CODE, Runtime, default_registry
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from chainstack_sdk.apps.jsonrpc import JsonRpc
    from chainstack_sdk.core.config import ChainConfig
    from chainstack_sdk.core.interfaces import ConsensusEngine, FeePolicy, KeyValueStore, StateTrie
    from chainstack_sdk.core.mempool import Mempool
    from chainstack_sdk.paradigms import Erc20Api, Erc721Api, ParadigmApi, Registry


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A point that :meth:`Chain.revert` can go back to."""

    height: int
    block_hash: bytes
    time_ms: int
    pool: Mempool


class Chain(ChainWriter):
    """A whole chain: state, contracts, mempool, blocks and queries behind one object.

    Made by :meth:`in_memory`, :meth:`open` or :meth:`load`. Wherever an address is wanted, an
    :class:`~chainstack_sdk.Account`, 20 bytes or checksummed text will do. Not thread-safe.
    """

    # Making chains

    @classmethod
    def in_memory(
        cls,
        funds: Mapping[Any, int] | None = None,
        *,
        config: ChainConfig | None = None,
        chain_id: int = DEFAULT_CHAIN_ID,
        gas_limit: int = DEFAULT_GAS_LIMIT,
        base_fee: int = DEFAULT_BASE_FEE,
        registry: Registry | None = None,
        new_trie: Callable[[], StateTrie] | None = None,
        fees: FeePolicy | None = None,
        keep_states: int | None = None,
        **options: Any,
    ) -> Self:
        """Make a chain that lives and dies with this process.

        Parameters
        ----------
        funds
            Wei by address.
        config
            Everything about the chain, in place of ``funds``, ``chain_id``, ``gas_limit``, ``base_fee``.
        registry
            The paradigms that may be issued; ERC-20 and ERC-721 by default.
        new_trie
            Makes the state's tries; :class:`~chainstack_sdk.core.MerklePatriciaTrie` by default.
        fees
            Who gets the fees; the proposer by default.
        keep_states
            How many of the newest blocks can be undone, or looked behind; None: all.
        options
            ``engine``, ``clock``, ``proposer``, ``auto_seal``, ``executor`` as for :class:`Chain`.

        Raises
        ------
        UsageError
            When an address or an amount is not one.
        """
        if config is None:
            accounts: dict[bytes, GenesisAccount] = {
                to_address(who): GenesisAccount(balance=wei) for who, wei in (funds or {}).items()
            }
            if len(accounts) < len(funds or ()):
                raise UsageError("an account is funded twice, in different spellings")
            genesis = Genesis(chain_id, accounts, gas_limit=gas_limit, base_fee=base_fee)
        elif funds is not None:
            raise UsageError("give funds in the configuration or by themselves, not both")
        else:
            genesis, keep_states = config.genesis(), config.keep_states
        state = None if new_trie is None else _flat_state(new_trie)
        return cls._assemble(
            genesis, MemoryLedger(keep_states=keep_states), state, registry=registry, fees=fees, **options
        )

    @classmethod
    def open(
        cls,
        store: KeyValueStore,
        config: ChainConfig,
        *,
        registry: Registry | None = None,
        fees: FeePolicy | None = None,
        **options: Any,
    ) -> Self:
        """Open the chain in a store, or begin it there.

        Each block is one atomic, durable write: after a crash at any instant the chain stands at its
        last whole block. The chain owns the store from now on; :meth:`close` closes it.

        Parameters
        ----------
        config
            Must describe the chain that the store holds, if it holds one.
        options
            ``engine``, ``clock``, ``proposer``, ``auto_seal``, ``executor`` as for :class:`Chain`.

        Raises
        ------
        UsageError
            When the store holds a chain with another genesis.
        InvalidInput
            When what the store holds is damaged.
        """
        genesis = _with_factory(config.genesis())
        identity = keccak256(genesis.encode())
        if config.archive:
            from chainstack_sdk.core.archive import NodeCodec, StoredCommitment

            commitment = StoredCommitment(store)
            state = State(commitment)
            ledger = StoredLedger(store, identity, NodeCodec(commitment), keep_states=config.keep_states)
        else:
            state = State()
            ledger = StoredLedger(store, identity, FlatCodec(), keep_states=config.keep_states)
        return cls._assemble(genesis, ledger, state, registry=registry, fees=fees, **options)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        progress: Callable[[int, int], None] | None = None,
        registry: Registry | None = None,
        fees: FeePolicy | None = None,
        **options: Any,
    ) -> Self:
        """Make an in-memory chain of an exported file, running every block again.

        Parameters
        ----------
        progress
            Called after each block with (height, height of the last).
        options
            ``engine``, ``clock``, ``proposer``, ``auto_seal``, ``executor`` as for :class:`Chain`.

        Raises
        ------
        InvalidInput
            When the file is damaged or a block in it is invalid.
        """
        from chainstack_sdk.core.chainfile import ChainReader, import_chain

        with open(path, "rb") as file:
            reader = ChainReader(file)
            chain = cls._assemble(
                reader.genesis, MemoryLedger(), None, registry=registry, fees=fees, **options
            )
            import_chain(chain.blockchain, reader, progress, chain.executor)
        chain._follow(chain.head)
        return chain

    @classmethod
    def _assemble(
        cls,
        genesis: Genesis,
        ledger: MemoryLedger | StoredLedger,
        state: State | None,
        *,
        registry: Registry | None,
        fees: FeePolicy | None,
        engine: ConsensusEngine | None = None,
        **options: Any,
    ) -> Self:
        engine = InstantEngine(max(ledger.height, 0)) if engine is None else engine
        blockchain = Blockchain(
            _with_factory(genesis),
            runtime=Runtime(default_registry() if registry is None else registry),
            header_rule=engine.header_rule,
            fees=ProposerFees(burn_base_fee=genesis.burn_base_fee) if fees is None else fees,
            ledger=ledger,
            state=state,
        )
        return cls(blockchain, engine, **options)

    def close(self) -> None:
        """Release the store; an in-memory chain has nothing to release."""
        self.blockchain.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Chain {self.chain_id} at height {self.height}>"

    # Contracts

    @property
    def erc20(self) -> Erc20Api:
        """Issue fungible tokens, and take hold of issued ones."""
        from chainstack_sdk.paradigms import Erc20Api

        return Erc20Api(self)

    @property
    def erc721(self) -> Erc721Api:
        """Issue collections of non-fungible tokens, and take hold of issued ones."""
        from chainstack_sdk.paradigms import Erc721Api

        return Erc721Api(self)

    def paradigm(self, name: str) -> ParadigmApi:
        """Issue instances of any registered paradigm, and take hold of issued ones.

        Raises
        ------
        UsageError
            When none of that name is registered.
        """
        from chainstack_sdk.paradigms import ParadigmApi

        return ParadigmApi(self, self.registry.get(name))

    @property
    def registry(self) -> Registry:
        """The paradigms that may be issued on this chain."""
        runtime = self.blockchain.runtime
        assert isinstance(runtime, Runtime)
        return runtime.registry

    # Clients

    def rpc(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one Ethereum JSON-RPC request; errors come back as JSON-RPC errors.

        Filters last as long as the chain object. With a :class:`~chainstack_sdk.ManualClock` the
        development methods (``evm_mine``, ``evm_snapshot``…) answer too. A server for strangers is better
        put on a :class:`~chainstack_sdk.apps.jsonrpc.JsonRpc` of its own.
        """
        return self._json_rpc.handle(request)

    @cached_property
    def _json_rpc(self) -> JsonRpc:
        from chainstack_sdk.apps.jsonrpc import JsonRpc

        return JsonRpc(self, development=isinstance(self.clock, ManualClock))

    def web3_provider(self) -> Any:
        """Return an in-process provider: ``Web3(chain.web3_provider())``.

        Raises
        ------
        UsageError
            When the extra ``web3`` is not installed.
        """
        from chainstack_sdk.apps.web3_provider import ChainProvider

        return ChainProvider(self)

    # Tests and files

    def snapshot(self) -> Snapshot:
        """Return a point to come back to: blocks, pool and clock."""
        return Snapshot(self.height, self.blockchain.head.hash, self.clock.now_ms(), self.pool.copy())

    def revert(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot; blocks made since are gone.

        Raises
        ------
        UsageError
            When the snapshot is not of this chain's past, or what leads back has been pruned.
        """
        ledger = self.blockchain.ledger
        if snapshot.height > self.height or ledger.header(snapshot.height).hash != snapshot.block_hash:
            raise UsageError("the snapshot is not in this chain's past", height=snapshot.height)
        with self.blockchain.state_at(snapshot.height):
            pass  # refuses, before anything is undone, when a diff on the way has been pruned
        while self.height > snapshot.height:
            self.blockchain.undo()
        self.pool = snapshot.pool.copy()
        if isinstance(self.clock, ManualClock):
            self.clock.set_ms(snapshot.time_ms)
        self.engine.process(BlockCommitted(self.height, self.blockchain.head.hash))

    def export(self, path: str | Path, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Write the whole chain to a file, for :meth:`load`.

        Parameters
        ----------
        progress
            Called after each block with (blocks written, blocks in all).
        """
        from chainstack_sdk.core.chainfile import export_chain

        with open(path, "wb") as file:
            export_chain(self.blockchain, file, progress)


def _flat_state(new_trie: Callable[[], StateTrie]) -> State:
    from chainstack_sdk.core.commitment import FlatCommitment

    return State(FlatCommitment(new_trie))


def _with_factory(genesis: Genesis) -> Genesis:
    """Put the paradigm factory at its address, where the genesis does not do so itself."""
    if FACTORY_ADDRESS in genesis.accounts:
        return genesis
    factory = GenesisAccount(nonce=1, code=FACTORY_CODE)
    return replace(genesis, accounts={**genesis.accounts, FACTORY_ADDRESS: factory})
