"""Reading a chain: blocks, receipts, accounts, contracts, logs, proofs. Queries are free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chainstack_sdk.core import queries
from chainstack_sdk.primitives.address import ZERO_ADDRESS, to_address
from chainstack_sdk.primitives.errors import UsageError

if TYPE_CHECKING:
    from chainstack_sdk.core.account_proof import AccountProof
    from chainstack_sdk.core.blocks import Block
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.context import BlockContext
    from chainstack_sdk.core.mempool import Mempool
    from chainstack_sdk.core.queries import FoundLog, Simulation, TopicFilter, Trace
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.core.transactions import Transaction
    from chainstack_sdk.primitives.address import AddressLike


class ChainReader:
    """The queries of a chain.

    Parameters
    ----------
    blockchain
        The core.
    pool
        Transactions that wait for a block.
    """

    def __init__(self, blockchain: Blockchain, pool: Mempool) -> None:
        self.blockchain = blockchain
        """The core: builds and validates blocks; for hosts of engines of their own."""
        self.pool = pool
        """Transactions that wait for a block."""

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return self.blockchain.genesis.chain_id

    @property
    def head(self) -> Block:
        """The newest block."""
        return self.blockchain.ledger.block(self.height)

    @property
    def height(self) -> int:
        """Height of the newest block; genesis is 0."""
        return self.blockchain.height

    @property
    def next_base_fee(self) -> int:
        """Wei for each gas in the next block (EIP-1559)."""
        return self.blockchain.next_base_fee

    def block(self, which: int | bytes) -> Block:
        """Return a block by height or by 32-byte hash.

        Raises
        ------
        UsageError
            When the chain has no such block.
        """
        height = self.blockchain.ledger.height_of(which) if isinstance(which, bytes) else which
        if height is None or not 0 <= height <= self.height:
            raise UsageError("no such block", actual=which)
        return self.blockchain.ledger.block(height)

    def receipts(self, which: int | bytes) -> tuple[Receipt, ...]:
        """Return the receipts of a block by height or hash, in the order of its transactions."""
        return self.blockchain.ledger.receipts(self.block(which).height)

    def receipt(self, transaction_hash: bytes) -> Receipt:
        """Return the receipt of a transaction in a block.

        Raises
        ------
        UsageError
            When no block holds it (yet); see :meth:`find_receipt`.
        """
        receipt = self.find_receipt(transaction_hash)
        if receipt is None:
            waiting = transaction_hash in self.pool
            raise UsageError(
                "the transaction waits for a block" if waiting else "no such transaction",
                hash=transaction_hash,
            )
        return receipt

    def find_receipt(self, transaction_hash: bytes) -> Receipt | None:
        """Return the receipt of a transaction, or None while no block holds it."""
        return queries.find_receipt(self.blockchain, transaction_hash)

    def transaction(self, transaction_hash: bytes) -> Transaction:
        """Return a transaction of a block or of the pool.

        Raises
        ------
        UsageError
            When it is in neither.
        """
        found = queries.find_transaction(self.blockchain, transaction_hash)
        if found is not None:
            return found[0]
        waiting = self.pool.get(transaction_hash)
        if waiting is None:
            raise UsageError("no such transaction", hash=transaction_hash)
        return waiting

    def balance(self, address: AddressLike, *, block: int | None = None) -> int:
        """Return an account's coin in wei, now or as of a block."""
        who = to_address(address)
        if block is None:
            return self.blockchain.state.balance(who)
        with self.blockchain.state_at(block) as state:
            return state.balance(who)

    def nonce(self, address: AddressLike, *, block: int | None = None) -> int:
        """Return how many transactions of an account are in blocks."""
        who = to_address(address)
        if block is None:
            return self.blockchain.state.nonce(who)
        with self.blockchain.state_at(block) as state:
            return state.nonce(who)

    def next_nonce(self, address: AddressLike) -> int:
        """Return the nonce for an account's next transaction, those in the pool counted."""
        who = to_address(address)
        waiting = self.pool.next_nonce(who)
        return self.blockchain.state.nonce(who) if waiting is None else waiting

    def code(self, address: AddressLike, *, block: int | None = None) -> bytes:
        """Return an account's code; empty unless it is a contract."""
        who = to_address(address)
        if block is None:
            return self.blockchain.state.code(who)
        with self.blockchain.state_at(block) as state:
            return state.code(who)

    def storage(self, address: AddressLike, slot: int, *, block: int | None = None) -> int:
        """Return the integer in a contract's slot.

        Raises
        ------
        UsageError
            When the number of the slot has more than 256 bits, or the block's state is not kept.
        """
        who, key = to_address(address), _slot(slot)
        if block is None:
            return self.blockchain.state.storage(who, key)
        with self.blockchain.state_at(block) as state:
            return state.storage(who, key)

    def call(
        self,
        to: AddressLike,
        data: bytes = b"",
        *,
        sender: AddressLike = ZERO_ADDRESS,
        value: int = 0,
        block: int | None = None,
    ) -> bytes:
        """Ask a contract, now or as of a block, and return its ABI-encoded answer.

        Raises
        ------
        Reverted
            When the contract refuses.
        """
        return self.simulate(to, data, sender=sender, value=value, block=block).output

    def simulate(
        self,
        to: AddressLike,
        data: bytes = b"",
        *,
        sender: AddressLike = ZERO_ADDRESS,
        value: int = 0,
        gas: int | None = None,
        block: int | None = None,
    ) -> Simulation:
        """Tell what a call would return, emit and cost.

        Raises
        ------
        Reverted
            When the contract refuses.
        Rejected
            When the sender lacks the value.
        """
        return queries.simulate(
            self.blockchain,
            to=to_address(to),
            data=data,
            sender=to_address(sender),
            value=value,
            gas=gas,
            height=block,
            context=self._next_context() if block is None else None,
        )

    def _next_context(self) -> BlockContext | None:
        """Return the block that a call on the newest state believes to be in; None for the newest itself."""
        return None

    def estimate_gas(
        self, to: AddressLike, data: bytes = b"", *, sender: AddressLike = ZERO_ADDRESS, value: int = 0
    ) -> int:
        """Return the gas that a transaction would use on the present state."""
        return self.simulate(to, data, sender=sender, value=value).gas_used

    def trace(self, transaction_hash: bytes) -> Trace:
        """Tell which slots and balances a transaction changed, and what it emitted."""
        return queries.trace(self.blockchain, transaction_hash)

    def logs(
        self,
        address: AddressLike | Sequence[AddressLike] | None = None,
        topics: Sequence[TopicFilter] = (),
        first: int = 0,
        last: int | None = None,
    ) -> list[FoundLog]:
        """Return the logs that match, in chain order; block blooms spare most of the search.

        Parameters
        ----------
        address
            Emitting contract, or several; any by default.
        topics
            By position: a topic, a tuple of alternatives, or None for whatever.
        first, last
            Heights, both included; the whole chain by default.
        """
        if address is None:
            addresses: list[bytes] = []
        elif isinstance(address, Sequence) and not isinstance(address, bytes | str):
            addresses = [to_address(one) for one in address]
        else:
            addresses = [to_address(address)]
        found = queries.find_logs(self.blockchain, addresses=addresses, topics=topics, first=first, last=last)
        return list(found)

    def prove_account(
        self, address: AddressLike, slots: Sequence[int] = (), *, block: int | None = None
    ) -> AccountProof:
        """Prove what an account and its slots hold; check it with ``proof.verify(state_root)``.

        Raises
        ------
        UsageError
            When the number of a slot has more than 256 bits, or the block's state is not kept.
        """
        keys = [_slot(slot) for slot in slots]
        return queries.prove(self.blockchain, to_address(address), keys, block)

    def supply(self) -> int:
        """Return all coin there is, in wei."""
        return self.blockchain.state.supply()


def _slot(number: int) -> bytes:
    """Return a storage slot as its key, 32 bytes."""
    if not 0 <= number < 1 << 256:
        raise UsageError("the number of a slot has at most 256 bits", actual=number)
    return number.to_bytes(32, "big")
