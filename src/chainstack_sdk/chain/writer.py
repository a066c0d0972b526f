"""Changing a chain: signing, admitting, sealing, and appending blocks made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chainstack_sdk.chain.pause import collector_paused
from chainstack_sdk.chain.reader import ChainReader
from chainstack_sdk.clock import ManualClock
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.core.mempool import Mempool
from chainstack_sdk.core.transactions import decode_and_recover, sign_transaction
from chainstack_sdk.primitives.abi import decode_revert
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.errors import ChainStackError, InvalidInput, Rejected, Reverted, UsageError
from chainstack_sdk.primitives.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chainstack_sdk.chain.turns import Attaching, Producing
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.interfaces import Clock, ConsensusEngine
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.reorganise import Reorganisation
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.core.transactions.senders import Executor
    from chainstack_sdk.cspv import Anchor, FinalityProver, Proof, Provable
    from chainstack_sdk.network.abilities import Finalising
    from chainstack_sdk.primitives.address import AddressLike
    from chainstack_sdk.primitives.keys import Signer

DEFAULT_PROPOSER = keccak256(b"chainstack_sdk default proposer")[12:]
"""Earns the fees where no proposer is named; nobody has its key, and the coin stays in the supply."""

DEFAULT_TIP = 1_000_000_000
"""Wei for each gas above the base fee that the facade's own transactions offer: 1 gwei."""

_MAY_RUN_LATER = ("nonce_too_high", "gas_limit")
"""Why a transaction may be left out of a block and yet stay in the pool."""

_GAS_MARGIN = 5
"""The facade signs for an estimate and a fifth more: state may change before the block."""


class ChainWriter(ChainReader):
    """A chain that takes transactions and makes blocks through an engine.

    Parameters
    ----------
    blockchain
        The core.
    engine
        Decides on blocks.
    clock
        Where block timestamps come from; a :class:`~chainstack_sdk.ManualClock` by default.
    proposer
        Earns the fees of blocks made here; not to be given where the engine says whose block it is.
    auto_seal
        Whether every send makes a block.
    executor
        Recovers senders in parallel when given, e.g. a ``ProcessPoolExecutor``.
    finality
        Proves that blocks are final, to verifiers of :attr:`anchor`; made to suit the engine by default.
    operator_seed
        At least 32 random bytes, out of which comes the key of a chain with the instant engine; without them
        such a chain makes up a key when it is in memory, and has none when it is in a store.

    Raises
    ------
    UsageError
        When a proposer is given although the engine says whose block it is.
    """

    def __init__(
        self,
        blockchain: Blockchain,
        engine: ConsensusEngine,
        *,
        clock: Clock | None = None,
        proposer: AddressLike = DEFAULT_PROPOSER,
        auto_seal: bool = False,
        executor: Executor | None = None,
        finality: FinalityProver | None = None,
        operator_seed: bytes | None = None,
    ) -> None:
        super().__init__(blockchain, Mempool(chain_id=blockchain.genesis.chain_id))
        self.engine = engine
        self.clock: Clock = ManualClock(blockchain.head.timestamp_ms) if clock is None else clock
        """Where block timestamps come from; a :class:`~chainstack_sdk.ManualClock` by default."""
        self.auto_seal = auto_seal
        """Whether every send makes a block."""
        self.executor = executor
        """Recovers senders in parallel when set, e.g. a ``ProcessPoolExecutor``."""
        self._finality = finality
        self._operator_seed = operator_seed
        self._proposer = to_address(proposer)
        # isinstance() with a protocol would take a tenth of the time of making a chain
        self._producing = cast("Producing", engine) if hasattr(engine, "turn") else None
        self._attaching = cast("Attaching", engine) if hasattr(engine, "attachment") else None
        self._finalising = cast("Finalising", engine) if hasattr(engine, "finalized_height") else None
        if self._proposer != DEFAULT_PROPOSER and self._engine_turn(blockchain.head.timestamp_ms + 1):
            raise UsageError(f"the {engine.name} engine says who proposes", actual=self._proposer)

    @property
    def finalized_height(self) -> int:
        """Height of the newest block that will not be replaced; with most engines that is every block."""
        if self._finalising is None:
            return self.height
        return min(self._finalising.finalized_height(), self.height)

    @property
    def finality(self) -> FinalityProver:
        """What proves that the chain's blocks are final.

        Raises
        ------
        UsageError
            When the engine offers nothing of the kind, or a chain of one party has no key.
        """
        if self._finality is None:
            from chainstack_sdk.chain.finality import finality_of, new_operator_seed

            if self._operator_seed is None and isinstance(self.blockchain.ledger, MemoryLedger):
                self._operator_seed = new_operator_seed()
            self._finality = finality_of(self.blockchain, self.engine, self._operator_seed)
        return self._finality

    @property
    def anchor(self) -> Anchor:
        """All that a verifier has to keep of this chain, some 100 bytes: ``chain.anchor.verify(proof)``.

        Raises
        ------
        UsageError
            As for :attr:`finality`, or when the chain has nothing to anchor to yet.
        """
        return self.finality.anchor()

    def prove(self, target: Provable, *, height: int | None = None, anchor: Anchor | None = None) -> Proof:
        """Prove something to those who have the chain's anchor and nothing else, in a few hundred bytes.

        Parameters
        ----------
        target
            A receipt, a transaction, a :class:`~chainstack_sdk.cspv.MessageKey`, an
            :class:`~chainstack_sdk.cspv.AccountKey` or a :class:`~chainstack_sdk.cspv.StorageKey`. That an
            account or a slot does not exist is proven as well.
        height
            The block after which an account or a slot is proven; by default the newest final one.
        anchor
            What the verifier has, where that is an older anchor of the chain.

        Raises
        ------
        UsageError
            When the chain does not hold it, its block is not final, or nothing leads there from the anchor.
        """
        from chainstack_sdk.chain.finality import finality_for
        from chainstack_sdk.cspv import AccountKey, StorageKey, prove

        if height is None and isinstance(target, AccountKey | StorageKey):
            height = self.finalized_height
        finality = self.finality
        if anchor is not None:
            finality = finality_for(finality, self.blockchain, self.engine, anchor)
        return prove(self.blockchain, finality, target, height)

    def send(self, transaction: bytes | Transaction) -> bytes:
        """Admit one signed transaction and return its hash, 32 bytes.

        Parameters
        ----------
        transaction
            Signed: an EIP-2718 envelope, or the object that :meth:`sign` returned.

        Raises
        ------
        InvalidInput
            When it is malformed or its signature has no sender.
        Rejected
            When the rules refuse it; ``code`` names the rule.
        """
        (outcome,) = self._admit([transaction])
        if isinstance(outcome, ChainStackError):
            raise outcome
        if self.auto_seal:
            self.seal()
        return outcome

    def send_many(
        self, transactions: Iterable[bytes | Transaction], *, strict: bool = True
    ) -> list[bytes | ChainStackError]:
        """Admit many signed transactions, recovering senders by the executor where there is one.

        Returns
        -------
        list
            The hash of each, in order. Unless ``strict``, the error of each that is refused.

        Raises
        ------
        InvalidInput, Rejected
            When ``strict``: the first refusal, with its ``index``; all others are admitted.
        """
        with collector_paused():
            outcomes = self._admit(transactions)
        if self.auto_seal:
            self.seal()
        if strict:
            for index, outcome in enumerate(outcomes):
                if isinstance(outcome, ChainStackError):
                    outcome.facts["index"] = index
                    raise outcome
        return outcomes

    def _admit(self, transactions: Iterable[bytes | Transaction]) -> list[bytes | ChainStackError]:
        state, pool = self.blockchain.state, self.pool
        base_fee, gas_limit = self.next_base_fee, self.blockchain.head.gas_limit
        rules = self.blockchain.rules
        outcomes: list[bytes | ChainStackError] = []
        for transaction in decode_and_recover(transactions, self.executor):
            if isinstance(transaction, InvalidInput):
                outcomes.append(transaction)
                continue
            try:
                sender = transaction._sender or transaction.sender
                if transaction.to is None:
                    raise Rejected("contracts are issued through the factory", code="unsupported")
                if rules is not None:
                    rules.admit(state, sender)
                pool.add(
                    transaction,
                    nonce=state.nonce(sender),
                    balance=state.balance(sender),
                    base_fee=base_fee,
                    gas_limit=gas_limit,
                )
            except (Rejected, InvalidInput) as error:
                outcomes.append(error)
            else:
                outcomes.append(transaction.hash)
        return outcomes

    def sign(
        self,
        sender: Signer,
        to: AddressLike,
        *,
        value: int = 0,
        data: bytes = b"",
        gas: int | None = None,
        nonce: int | None = None,
        tip: int = DEFAULT_TIP,
    ) -> Transaction:
        """Sign an EIP-1559 transaction for this chain, filling in what is not given.

        Parameters
        ----------
        value
            Wei.
        gas
            Gas limit; by default an estimate and a fifth more.
        nonce
            By default the next one, those in the pool counted.
        tip
            Wei for each gas above the base fee. The maximum offered is that over twice the base fee.

        Raises
        ------
        Reverted
            When the gas is to be estimated and the contract refuses the call.
        """
        receiver = to_address(to)
        if gas is None:
            used = self.estimate_gas(receiver, data, sender=sender, value=value)
            gas = used if not data else min(used + used // _GAS_MARGIN, self.blockchain.head.gas_limit)
        return sign_transaction(
            sender,
            chain_id=self.chain_id,
            nonce=self.next_nonce(sender) if nonce is None else nonce,
            to=receiver,
            gas=gas,
            value=value,
            data=data,
            max_fee_per_gas=2 * self.next_base_fee + tip,
            max_priority_fee_per_gas=tip,
        )

    def send_call(
        self, sender: Signer, to: AddressLike, data: bytes = b"", *, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Sign, send, seal, and return the receipt of a transaction that succeeded.

        Raises
        ------
        Reverted
            When the contract refuses: while estimating, at no cost; or, with ``gas`` given, in the
            block, for a fee, the receipt being ``error.receipt``.
        """
        digest = self.send(self.sign(sender, to, value=value, data=data, gas=gas))
        if not self.auto_seal:
            self.seal()
        receipt = self.receipt(digest)
        if not receipt.succeeded:
            raise Reverted(decode_revert(receipt.output), data=receipt.output, receipt=receipt)
        return receipt

    def transfer(self, sender: Signer, to: AddressLike, value: int) -> Receipt:
        """Send coin, in wei; signs, sends, seals and returns the receipt."""
        return self.send_call(sender, to, value=value)

    def seal(self, *, max_transactions: int | None = None) -> Block:
        """Make a block of the best waiting transactions and append it; it may be empty.

        Raises
        ------
        UsageError
            When the engine does not decide on its own; or when contract code crashed: its transaction
            (``transaction_hash``) is dropped, all others wait for the next block.
        """
        with collector_paused():
            block = self._seal(max_transactions)
        return block

    def _seal(self, max_transactions: int | None) -> Block:
        chain, pool = self.blockchain, self.pool
        timestamp_ms, proposer = self._turn()
        chosen = pool.take(self.next_base_fee, chain.head.gas_limit, max_transactions)
        try:
            block, rejected = chain.produce(
                chosen,
                timestamp_ms=timestamp_ms,
                proposer=proposer,
                decide=self._decide,
                attachment=b"" if self._attaching is None else self._attaching.attachment(),
            )
        except BaseException as error:
            crashed = getattr(error, "transaction_hash", None)
            pool.put_back([transaction for transaction in chosen if transaction.hash != crashed])
            raise
        if rejected:
            pool.put_back([transaction for transaction, error in rejected if error.code in _MAY_RUN_LATER])
        self._follow(block)
        return block

    def _decide(self, header: Header) -> bytes:
        for output in self.engine.process(BlockProposed(header.height, header.hash)):
            if isinstance(output, Decide) and output.block_hash == header.hash:
                return output.seal
        raise UsageError(
            f"the {self.engine.name} engine needs a host to decide on blocks", height=header.height
        )

    def append(self, block: Block | bytes) -> tuple[Receipt, ...]:
        """Append a block made elsewhere after running it again and checking every root.

        Raises
        ------
        InvalidInput
            When anything in it is wrong; the chain is as it was.
        """
        if isinstance(block, bytes):
            block = Block.decode(block)
        with collector_paused():
            receipts = self.blockchain.append(block, self.executor)
        self._follow(block)
        return receipts

    def reorganise(self, ancestor_height: int, blocks: Sequence[Block]) -> Reorganisation:
        """Go over to another branch: take off every block above a height and append others.

        Transactions that only the blocks taken off hold go back to the pool, before all others of the same
        price, unless their nonces have been used on the new branch.

        Parameters
        ----------
        ancestor_height
            Of the newest block that stays.
        blocks
            The other branch, oldest first. Whether it is better is for the engine to say.

        Raises
        ------
        UsageError
            When there is no such block, or what leads back to it has been pruned; the chain is as it was.
        InvalidInput
            When the blocks are not one valid branch from there on; the chain is as it was.
        """
        from chainstack_sdk.core.reorganise import reorganise

        with collector_paused():
            outcome = reorganise(self.blockchain, ancestor_height, blocks, self.executor)
        for block in outcome.added:
            self.pool.on_block(block.transactions)
        self._follow(self.head)
        nonce = self.blockchain.state.nonce
        self.pool.put_back(one for one in outcome.dropped() if one.nonce >= nonce(one.sender))
        return outcome

    def _next_context(self) -> BlockContext:
        """Return the next block's time, height and base fee: calls run as its transactions would."""
        timestamp_ms, proposer = self._turn()
        return self.blockchain.next_context(timestamp_ms=timestamp_ms, proposer=proposer)

    def _turn(self) -> tuple[int, bytes]:
        """Return the next block's timestamp and proposer: as the engine says, or as this chain was told."""
        timestamp_ms = self.clock.next_block_ms(self.blockchain.head.timestamp_ms)
        return self._engine_turn(timestamp_ms) or (timestamp_ms, self._proposer)

    def _engine_turn(self, timestamp_ms: int) -> tuple[int, bytes] | None:
        return None if self._producing is None else self._producing.turn(timestamp_ms)

    def _follow(self, block: Block) -> None:
        """Tell pool, clock and engine of a new head."""
        self.pool.on_block(block.transactions)
        if isinstance(self.clock, ManualClock):
            self.clock.set_ms(max(self.clock.now_ms(), block.timestamp_ms))
        self.engine.process(BlockCommitted(block.height, block.hash))
