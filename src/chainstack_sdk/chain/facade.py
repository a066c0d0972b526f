"""The facade of one chain: accounts in, receipts out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from chainstack_sdk.chain.assembly import assemble, closing_on_error, flat_state, prepared, stored_parts
from chainstack_sdk.chain.writer import ChainWriter
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.core.engine import BlockCommitted
from chainstack_sdk.core.genesis import (
    DEFAULT_BASE_FEE,
    DEFAULT_CHAIN_ID,
    DEFAULT_GAS_LIMIT,
    Genesis,
    GenesisAccount,
)
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.paradigms import Runtime
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from chainstack_sdk.apps.jsonrpc import JsonRpc
    from chainstack_sdk.chain.crosschain import CrossChain
    from chainstack_sdk.core.config import ChainConfig
    from chainstack_sdk.core.interfaces import Consensus, ConsensusEngine, FeePolicy, KeyValueStore, StateTrie
    from chainstack_sdk.core.ledger import StoredLedger
    from chainstack_sdk.core.mempool import Mempool
    from chainstack_sdk.core.native import NativeContract
    from chainstack_sdk.core.state import State
    from chainstack_sdk.paradigms import (
        AuctionApi,
        Erc20Api,
        Erc721Api,
        Instance,
        ParadigmApi,
        Registry,
        SharesApi,
    )
    from chainstack_sdk.primitives.address import AddressLike


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
        chain_id: int | None = None,
        gas_limit: int | None = None,
        base_fee: int | None = None,
        keep_states: int | None = None,
        registry: Registry | None = None,
        new_trie: Callable[[], StateTrie] | None = None,
        fees: FeePolicy | None = None,
        engine: ConsensusEngine | None = None,
        consensus: Consensus | None = None,
        crosschain: CrossChain | AddressLike | None = None,
        **options: Any,
    ) -> Self:
        """Make a chain that lives and dies with this process.

        Parameters
        ----------
        funds
            Wei by address.
        config
            Everything about the chain, in place of ``funds``, ``chain_id``, ``gas_limit``, ``base_fee`` and
            ``keep_states``.
        chain_id, gas_limit, base_fee
            31337, 1,000,000,000 and 1 gwei by default.
        keep_states
            How many of the newest blocks can be undone, or looked behind; None: all.
        registry
            The paradigms that may be issued; ERC-20 and ERC-721 by default.
        new_trie
            Makes the state's tries; :class:`~chainstack_sdk.core.MerklePatriciaTrie` by default.
        fees
            Who gets the fees; the proposer by default.
        engine
            Decides on blocks; :class:`~chainstack_sdk.consensus.InstantEngine` by default.
        consensus
            A whole way to agree on blocks, in place of an engine alone.
        crosschain
            The account that registers other chains, where this one is to take part in a system of chains:
            puts hub, peg, atomic transactions, swaps and the registry in its genesis.
        options
            ``clock``, ``proposer``, ``auto_seal``, ``executor`` as for :class:`Chain`.

        Raises
        ------
        UsageError
            When an address or an amount is not one, or something is said twice.
        """
        single = (funds, chain_id, gas_limit, base_fee, keep_states)
        if config is None:
            genesis = Genesis(
                DEFAULT_CHAIN_ID if chain_id is None else chain_id,
                _funded(funds or {}),
                gas_limit=DEFAULT_GAS_LIMIT if gas_limit is None else gas_limit,
                base_fee=DEFAULT_BASE_FEE if base_fee is None else base_fee,
                engine="instant" if engine is None else engine.name,
            )
        elif any(value is not None for value in single):
            raise UsageError("give a configuration, or funds, ids, limits and fees one by one, not both")
        else:
            genesis, keep_states = config.genesis(), config.keep_states
        ledger = MemoryLedger(keep_states=keep_states)
        core = assemble(
            prepared(genesis, consensus, crosschain),
            ledger,
            flat_state(new_trie),
            registry=registry,
            fees=fees,
            engine=engine,
            consensus=consensus,
        )
        return cls(*core, **options)

    @classmethod
    def open(
        cls,
        store: KeyValueStore,
        config: ChainConfig,
        *,
        registry: Registry | None = None,
        fees: FeePolicy | None = None,
        engine: ConsensusEngine | None = None,
        consensus: Consensus | None = None,
        crosschain: CrossChain | AddressLike | None = None,
        **options: Any,
    ) -> Self:
        """Open the chain in a store, or begin it there.

        Each block is one atomic, durable write: after a crash at any instant the chain stands at its
        last whole block. The chain owns the store from now on; :meth:`close` closes it, and so does
        an error here.

        Parameters
        ----------
        config
            Must describe the chain that the store holds, if it holds one.
        crosschain
            As for :meth:`in_memory`.
        options
            ``clock``, ``proposer``, ``auto_seal``, ``executor`` as for :class:`Chain`.

        Raises
        ------
        UsageError
            When the store holds a chain with another genesis, or the engine is not the genesis's.
        InvalidInput
            When what the store holds is damaged.
        """
        with closing_on_error(store):
            genesis = prepared(config.genesis(), consensus, crosschain)
            parts = stored_parts(store, genesis, archive=config.archive, keep_states=config.keep_states)
            core = assemble(genesis, *parts, registry=registry, fees=fees, engine=engine, consensus=consensus)
            return cls(*core, **options)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        store: KeyValueStore | None = None,
        archive: bool = False,
        progress: Callable[[int, int], None] | None = None,
        registry: Registry | None = None,
        fees: FeePolicy | None = None,
        engine: ConsensusEngine | None = None,
        consensus: Consensus | None = None,
        **options: Any,
    ) -> Self:
        """Make a chain of an exported file, running every block again.

        Parameters
        ----------
        store
            An empty store to keep the chain in, which is owned and closed as by :meth:`open`; in memory
            by default.
        archive
            Whether to keep every state as trie nodes in the store.
        progress
            Called after each block with (height, height of the last).
        options
            ``clock``, ``proposer``, ``auto_seal``, ``executor`` as for :class:`Chain`.

        Raises
        ------
        InvalidInput
            When the file is damaged or a block in it is invalid.
        UsageError
            When the store holds blocks already, or the file is of a chain with another engine.
        """
        from chainstack_sdk.core.chainfile import ChainReader, import_chain

        with closing_on_error(store), open(path, "rb") as file:
            reader = ChainReader(file)
            parts: tuple[MemoryLedger | StoredLedger, State] = (MemoryLedger(), flat_state(None))
            if store is not None:
                parts = stored_parts(store, reader.genesis, archive=archive, keep_states=None)
            if parts[0].height > 0:
                raise UsageError("the store holds blocks already", height=parts[0].height)
            core = assemble(
                reader.genesis, *parts, registry=registry, fees=fees, engine=engine, consensus=consensus
            )
            chain = cls(*core, **options)
            import_chain(chain.blockchain, reader, progress, chain.executor)
        chain._follow(chain.head)
        return chain

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

    @property
    def auctions(self) -> AuctionApi:
        """Issue auction platforms, and take hold of issued ones."""
        from chainstack_sdk.paradigms import AuctionApi

        return AuctionApi(self)

    @property
    def shares(self) -> SharesApi:
        """Issue restricted shares, and take hold of issued ones."""
        from chainstack_sdk.paradigms import SharesApi

        return SharesApi(self)

    def paradigm(self, name: str) -> ParadigmApi:
        """Issue instances of any registered paradigm, and take hold of issued ones.

        Raises
        ------
        UsageError
            When none of that name is registered.
        """
        from chainstack_sdk.paradigms import ParadigmApi

        return ParadigmApi(self, self.registry.get(name))

    def contract(self, address: AddressLike, contract: type[NativeContract]) -> Instance:
        """Take hold of a system contract, or of any other, by its address and class."""
        from chainstack_sdk.paradigms import Instance

        return Instance(self, address, contract)

    @property
    def staking(self) -> Instance:
        """The contract where validators register, on chains with elected committees.

        Raises
        ------
        UsageError
            When this chain elects no committees.
        """
        from chainstack_sdk.consensus.staking import STAKING_ADDRESS, StakingContract

        if not self.code(STAKING_ADDRESS):
            raise UsageError("this chain elects no committees", engine=self.blockchain.genesis.engine)
        return self.contract(STAKING_ADDRESS, StakingContract)

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


def _funded(funds: Mapping[Any, int]) -> dict[bytes, GenesisAccount]:
    accounts: dict[bytes, GenesisAccount] = {
        to_address(who): GenesisAccount(balance=wei) for who, wei in funds.items()
    }
    if len(accounts) < len(funds):
        raise UsageError("an account is funded twice, in different spellings")
    return accounts
