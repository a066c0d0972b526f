"""The composition root of a whole system of chains: one main chain, and side chains around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from chainstack_sdk.chain import Chain
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import ChainStackError, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import Account
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.interfaces import Consensus, KeyValueStore
    from chainstack_sdk.cspv import FinalityProver
    from chainstack_sdk.paradigms import Erc20Token, Erc721Token, Registry
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer
    from chainstack_sdk.system.assets import AssetTable
    from chainstack_sdk.system.config import SideChainConfig
    from chainstack_sdk.system.links import Links
    from chainstack_sdk.system.shards import ShardedStack
    from chainstack_sdk.system.transfers import AssetTransfer
    from chainstack_sdk.xchain.atomic import AtomicTransaction
    from chainstack_sdk.xchain.progress import Progress
    from chainstack_sdk.xchain.registry import ChainRegistryApi

MAIN = "main"
"""The name of the main chain."""
OPERATOR_ALLOWANCE = ether(1_000)
"""Wei of its coin that the operator of a system has on each chain from the start, for fees."""
_LIFETIME_MS = 3_600_000
_STEPS = 200


def local_operator() -> Account:
    """Return the operator of local systems, the same in every run.

    Anybody can make its key: for development, tests, and chains of one's own only.
    """
    return Account.from_key(keccak256(b"chainstack_sdk local operator"))


class ChainStack:
    """A system of chains around one main chain.

    A side chain is made by :meth:`spawn`. It has its own validators, mempool, coin and rules; the main chain
    and it know each other by anchors that their hubs hold, and an operator carries what they say to each
    other. As a carrier nobody has to trust it: hubs check proofs. As the governor of the hubs it is trusted
    to register the right anchors, each once, and of a chain with the engine ``instant`` it holds the key.

    Parameters
    ----------
    main
        The main chain; to have side chains, one that was made with ``crosschain`` and the operator's address.
    operator
        Governs the hubs, relays, and pays for both; :func:`local_operator` by default.
    """

    def __init__(self, main: Chain, *, operator: Signer | None = None) -> None:
        self.main = main
        self._operator = operator
        self._chains: dict[str, Chain] = {MAIN: main}
        self._links: Links | None = None

    @classmethod
    def local(
        cls,
        funds: Mapping[Any, int] | None = None,
        *,
        consensus: str | Consensus = "dpow",
        validators: int = 4,
        auto_seal: bool = True,
        operator: Signer | None = None,
        coin_name: str = "Coin",
        coin_symbol: str = "COIN",
        **options: Any,
    ) -> Self:
        """Make a system in memory, for development and tests.

        Parameters
        ----------
        funds
            Wei by address on the main chain.
        consensus
            How the main chain's blocks are decided: "dpow", proof of work certified by a committee whose
            members all live in this process; another engine by name; or a consensus of one's own.
        validators
            Members of the committee, where there is one and ``consensus`` is a name.
        auto_seal
            Whether every transaction is sealed into a block at once.
        operator
            As for :class:`ChainStack`; it has 1,000 coins on the main chain.
        coin_name, coin_symbol
            How the main chain's coin is called on other chains.
        options
            As for :meth:`Chain.in_memory`.

        Raises
        ------
        UsageError
            When no engine of that name comes with the library.
        """
        from chainstack_sdk.chain.crosschain import CrossChain

        if isinstance(consensus, str):
            options["consensus"] = _named(consensus, validators)
        else:
            options["consensus"] = consensus
        chosen = local_operator() if operator is None else operator
        options["crosschain"] = CrossChain(chosen.address, coin_name, coin_symbol, OPERATOR_ALLOWANCE)
        return cls(Chain.in_memory(funds, auto_seal=auto_seal, **options), operator=chosen)

    # Chains

    @property
    def operator(self) -> Signer:
        """Who governs the hubs, relays, and pays for both."""
        if self._operator is None:
            self._operator = local_operator()
        return self._operator

    @property
    def chains(self) -> Mapping[str, Chain]:
        """All chains by name, ``main`` first."""
        return dict(self._chains)

    def chain(self, which: Chain | str) -> Chain:
        """Return a chain by its name, or one of the system's as it is.

        Raises
        ------
        UsageError
            When the system has no such chain.
        """
        if isinstance(which, str):
            found = self._chains.get(which)
        else:
            found = which if which in self._chains.values() else None
        if found is None:
            raise UsageError("no such chain in this system", actual=which, expected=", ".join(self._chains))
        return found

    @property
    def registry(self) -> ChainRegistryApi:
        """The main chain's list of its side chains, on the chain itself."""
        from chainstack_sdk.xchain.registry import ChainRegistryApi

        return ChainRegistryApi(self.main)

    def spawn(
        self,
        config: SideChainConfig | None = None,
        *,
        consensus: str | Consensus | None = None,
        finality: str | FinalityProver | None = None,
        registry: Registry | None = None,
        store: KeyValueStore | None = None,
        options: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Chain:
        """Make a side chain: the main chain and it know each other from then on.

        ::

            shop = stack.spawn(name="shop", consensus="pbft", validators=4, funds={alice: ether(5)})

        Parameters
        ----------
        config
            All about the chain; or its fields, one by one, as keywords:
            see :class:`~chainstack_sdk.system.SideChainConfig`.
        consensus
            An engine by name; or a consensus of one's own, with a ``finality`` where the library has none.
        finality
            A scheme by name; or what proves the chain's blocks final, of one's own.
        registry
            The paradigms that may be issued; by default those of the library.
        store
            Keeps the chain. One that holds it already is taken up again.
        options
            As for :class:`Chain`: ``clock``, ``auto_seal`` (true by default), ``executor``.

        Raises
        ------
        UsageError
            When the configuration does not fit, name or id are taken, or the main chain has no hub that the
            operator governs.
        """
        from chainstack_sdk.system.config import SideChainConfig
        from chainstack_sdk.system.spawning import side_chain

        links = self._linked()
        parts: dict[str, Any] = {}
        for name, value in (("consensus", consensus), ("finality", finality)):
            if isinstance(value, str):
                fields[name] = value
            elif value is not None:
                parts[name] = value
        if config is None:
            config = SideChainConfig(**fields)
        elif fields:
            raise UsageError("give a configuration or its fields, not both", actual=", ".join(fields))
        chain_id = self._free_id(config.name) if config.chain_id is None else config.chain_id
        self._require_free(config.name, chain_id)
        chain = side_chain(
            *(config, chain_id, self.operator, OPERATOR_ALLOWANCE),
            **{**parts, **(options or {}), "registry": registry, "store": store},
        )
        try:
            self.join(config.name, chain)
        except ChainStackError:
            chain.close()
            raise
        if config.anchoring_interval:
            links.anchor_blocks(self.main, chain, config.anchoring_interval)
        return chain

    def join(self, name: str, chain: Chain) -> None:
        """Take on a chain that exists: link it with the main chain, and enter it in the registry.

        Parameters
        ----------
        chain
            One that was made with ``crosschain`` and the operator's address.

        Raises
        ------
        UsageError
            When name or id are taken, here or in the registry, the operator does not govern its hub, or it
            offers no light proofs.
        """
        self._require_free(name, chain.chain_id)
        links, genesis = self._linked(), chain.blockchain.ledger.header(0).hash
        is_entered = self._is_entered(name, chain.chain_id, genesis)
        links.add(chain)
        try:
            links.link(self.main, chain)
            if not is_entered:
                engine = chain.blockchain.genesis.engine
                self.registry.register(self.operator, chain.chain_id, name, genesis, engine)
        except ChainStackError:
            links.remove(chain)
            raise
        self._chains[name] = chain

    def link(self, one: Chain | str, other: Chain | str) -> None:
        """Make two side chains know each other, so that they need not go by the main chain.

        :meth:`transfer` does it as well. Once they do this changes nothing.
        """
        self._linked().link(self.chain(one), self.chain(other))

    # Between chains

    def relay(self, limit: int = _STEPS) -> Progress:
        """Carry everything that waits between the chains, until only time can bring more.

        Where a block must be buried before it counts as final, empty blocks are made on top of it. Blocks of
        side chains with an anchoring interval are written down on the main chain.

        Parameters
        ----------
        limit
            Steps at most.

        Returns
        -------
        Progress
            What was done; what is then still ``waiting`` waits for a time-out, or for a chain that is paused.
        """
        return self._linked().relay(limit)

    def transfer(
        self,
        asset: Erc20Token | Erc721Token | str | None,
        sender: Signer,
        *,
        to: Chain | str,
        amount: int | None = None,
        token_id: int | None = None,
        recipient: AddressLike | None = None,
        source: Chain | str = MAIN,
        lifetime_ms: int = _LIFETIME_MS,
        relay: bool = True,
    ) -> AssetTransfer:
        """Send an asset to another chain through the pegs.

        ::

            there = stack.transfer(gold, alice, to="shop", amount=10).token

        Parameters
        ----------
        asset
            The handle of a token on the chain where it is; or ``"coin"`` or None for the coin of ``source``.
        to
            The chain where it is to go.
        amount
            Wei, or in the token's smallest unit.
        token_id
            Of a collection: which token.
        recipient
            Who gets it there; by default the sender.
        source
            Where coin is sent from.
        lifetime_ms
            In which time, by the clock of the receiving chain, it must arrive; or it comes back.
        relay
            Whether to relay until it is there.

        Raises
        ------
        Reverted
            When the token, the peg or the hub refuses.
        TransferRefunded
            When the other chain has refused it, or the time ran out: the sender has it back.
        UsageError
            When it is not said what goes where, or both are the same chain.
        """
        from chainstack_sdk.system.transfers import as_asset, require_not_refunded, send_asset

        destination = self.chain(to)
        if asset is None or asset == "coin":
            chosen, origin = as_asset(None, amount, token_id), self.chain(source)
        elif isinstance(asset, str):
            raise UsageError("an asset is the handle of a token, or coin", actual=asset)
        else:
            chosen, origin = as_asset(asset, amount, token_id), self._home(asset)
        if origin is destination:
            raise UsageError("a transfer between chains takes two", chain_id=origin.chain_id)
        self.link(origin, destination)
        receiver = None if recipient is None else to_address(recipient)
        sent = send_asset(origin, destination, sender, chosen, receiver, lifetime_ms)
        if relay:
            self.relay()
            require_not_refunded(sent)
        return sent

    def atomic(self, initiator: Signer | None = None, **options: Any) -> AtomicTransaction:
        """Begin a transaction across chains, all of which happens or nothing; the main chain decides.

        ::

            with stack.atomic() as trade:
                trade.move(gold_chain, alice, gold, 10, to=bob)
                trade.move(art_chain, bob, art, 7, to=alice)

        Parameters
        ----------
        initiator
            Who may call it off, and pays on the main chain; by default the operator.
        options
            As for :class:`~chainstack_sdk.xchain.atomic.AtomicTransaction`.
        """
        from chainstack_sdk.xchain.atomic import AtomicTransaction

        chosen = self.operator if initiator is None else initiator
        return AtomicTransaction(self.main, chosen, **{"carry": self._linked().relay, **options})

    def assets(self) -> AssetTable:
        """Return all assets of the system, chain by chain: ``print(stack.assets())``."""
        from chainstack_sdk.system.assets import assets_of

        self._linked()
        return assets_of(self._chains)

    # The end

    @staticmethod
    def sharded(count: int, funds: Mapping[Any, int] | None = None, **options: Any) -> ShardedStack:
        """Make equal side chains that share all accounts out and run side by side, as one address space.

        Parameters
        ----------
        count
            How many.
        funds
            Wei by address.
        options
            As for :meth:`~chainstack_sdk.system.shards.ShardedStack.open`; ``workers=False`` keeps all in
            this process.
        """
        from chainstack_sdk.system.shards import ShardedStack

        return ShardedStack.open(count, funds, **options)

    def close(self) -> None:
        """Release what the chains hold."""
        for chain in self._chains.values():
            chain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _linked(self) -> Links:
        if self._links is None:
            from chainstack_sdk.system.links import Links

            links = Links(self.operator)
            links.add(self.main)
            self._links = links
        return self._links

    def _require_free(self, name: str, chain_id: int) -> None:
        if name in self._chains:
            raise UsageError("a chain of this name is in the system already", actual=name)
        if any(chain.chain_id == chain_id for chain in self._chains.values()):
            raise UsageError("a chain of this id is in the system already", chain_id=chain_id)

    def _free_id(self, name: str) -> int:
        """Return the id that the registry has for a name, or the next that was never used."""
        registered = {entry.name: entry.chain_id for entry in self.registry.chains()}
        used = [*registered.values(), *(chain.chain_id for chain in self._chains.values())]
        return registered.get(name, max(used) + 1)

    def _is_entered(self, name: str, chain_id: int, genesis: bytes) -> bool:
        """Tell whether the registry has a chain; refuse one that has the name or the id of another."""
        for entry in self.registry.chains():
            if entry.name == name or entry.chain_id == chain_id:
                if (entry.name, entry.chain_id, entry.genesis_hash) == (name, chain_id, genesis):
                    return True
                raise UsageError(
                    "another chain is registered by this name or id",
                    actual=name,
                    registered=entry.name,
                    chain_id=entry.chain_id,
                )
        return False

    def _home(self, token: Erc20Token | Erc721Token) -> Chain:
        for chain in self._chains.values():
            if chain is token.host:
                return chain
        raise UsageError("the token is on no chain of this system", actual=token)


def _named(name: str, validators: int) -> Consensus | None:
    if name == "instant":
        return None
    from chainstack_sdk.network.local import local_consensus

    return local_consensus(name, validators=validators)
