"""The mempool: transactions that wait for a block.

**Guarantees**

- Deterministic: the same calls give the same blocks. No clock, no randomness; ties go to whoever came first.
- A sender's transactions leave in nonce order without gaps; across senders the best paying leave first.
- A rejection leaves the pool as it was.
- Every pending transaction of a sender can be paid for at once out of the balance known when it was added.

What waits, and what does not
-----------------------------
A transaction whose nonce is ahead of its sender's waits for the missing ones. One that cannot pay the
current base fee is refused with ``fee_too_low``, so that its sender learns of it at once; one that was
admitted and then overtaken by a rising base fee waits until the fee falls again.

When the pool is full
---------------------
A transaction that could run now pushes out the last transaction of some other sender, the one that pays
least, provided that it pays more itself. One that waits for a missing nonce pushes out nobody: it may never
run, so its fee promises nothing.

Use
---
The chain calls :meth:`Mempool.take` for a block, gives what did not fit back to :meth:`Mempool.put_back`,
and tells :meth:`Mempool.on_block` about every block that becomes its head, its own or another's.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from chainstack_sdk.core.gas import TX_BASE
from chainstack_sdk.primitives.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from chainstack_sdk.core.transactions import Transaction

    _Head: TypeAlias = tuple[int, int, Transaction, "_Queue"]
    """What can run next of a sender: (-tip per gas, arrival, transaction, its queue)."""

_STALE_TAILS = 4
"""The heap of last transactions is made anew when it is this many times as long as the pool is large."""


class _Queue(dict[int, tuple[int, "Transaction"]]):
    """What one sender has pending, never empty while in the pool.

    By nonce: the number of arrival, which is unique in the pool, and the transaction. One object and not
    several, since the pool has as many queues as senders.
    """

    __slots__ = ("cost", "last", "nonce")

    def __init__(self, nonce: int) -> None:
        self.nonce = nonce
        """The nonce that can run next; none pending is below it."""
        self.last = -1
        """The highest nonce pending."""
        self.cost = 0
        """Sum of the transactions' costs, in wei."""

    def next_nonce(self) -> int:
        """Return the first nonce from :attr:`nonce` on that is not pending."""
        number = self.nonce
        if self.last - number + 1 == len(self):
            return self.last + 1
        while number in self:
            number += 1
        return number

    def pop_last(self) -> Transaction:
        """Remove and return the transaction of the highest nonce."""
        transaction = self.pop(self.last)[1]
        self.cost -= transaction.cost
        if self:
            self.last = self.last - 1 if self.last - 1 in self else max(self)
        return transaction

    def pop_below(self, nonce: int) -> list[Transaction]:
        """Remove and return the transactions below a nonce, which becomes the one that can run next."""
        gone = range(self.nonce, nonce)
        numbers = [number for number in (gone if len(gone) < len(self) else list(self)) if number in self]
        popped = [self.pop(number)[1] for number in numbers if number < nonce]
        self.cost -= sum(transaction.cost for transaction in popped)
        self.nonce = nonce
        return popped

    def twin(self) -> _Queue:
        """Return an independent queue."""
        queue = _Queue(self.nonce)
        queue.update(self)
        queue.last, queue.cost = self.last, self.cost
        return queue


class Mempool:
    """Pending transactions by sender and nonce.

    Iterating gives them in the order of their admission.

    Parameters
    ----------
    chain_id
        The chain they must be signed for; transactions without a chain id are refused.
    max_transactions
        How many the pool holds.
    max_per_sender
        How many of one sender.
    price_bump_percent
        How much more a replacement must offer, in both its fees.
    min_gas_price
        The lowest maximum fee admitted, in wei per gas.
    """

    def __init__(
        self,
        *,
        chain_id: int,
        max_transactions: int = 65_536,
        max_per_sender: int = 4_096,
        price_bump_percent: int = 10,
        min_gas_price: int = 0,
    ) -> None:
        self.chain_id = chain_id
        self.max_transactions = max_transactions
        self.max_per_sender = max_per_sender
        self.price_bump_percent = price_bump_percent
        self.min_gas_price = min_gas_price
        self._transactions: dict[bytes, Transaction] = {}
        self._queues: dict[bytes, _Queue] = {}
        self._arrivals = 0
        self._put_backs = 0
        self._tails: list[tuple[int, int, int, bytes]] = []
        """Made when the pool is full: a heap of (maximum fee, priority fee, -arrival, sender) that holds
        the last transaction of every sender, and entries that were such once. Empty: to be made."""

    def add(
        self, transaction: Transaction, *, nonce: int, balance: int, base_fee: int, gas_limit: int
    ) -> None:
        """Admit a transaction.

        Parameters
        ----------
        transaction
            Its sender is recovered if it is not known yet.
        nonce, balance
            The sender's, in the head state; the balance in wei.
        base_fee
            Wei per gas in the next block.
        gas_limit
            Of a block.

        Raises
        ------
        Rejected
            ``already_known``; ``wrong_chain``; ``gas_limit``: more gas than a block has; ``fee_too_low``:
            it cannot pay the base fee, or the pool asks for more; ``nonce_too_low``; ``underpriced``: it
            does not pay enough more than the one it would replace; ``insufficient_funds``: the balance
            does not cover it and all that the sender has pending; ``pool_full``.
        InvalidInput
            When the signature has no sender.
        """
        sender = transaction._sender or transaction.sender
        number = transaction.nonce
        self._check_form(transaction, base_fee, gas_limit)
        if number < nonce:
            raise Rejected("nonce is too low", code="nonce_too_low", expected=nonce, actual=number)
        queue = self._queues.get(sender)
        spent = 0
        replaced: Transaction | None = None
        if queue is not None:
            spent = queue.cost
            if number in queue:
                replaced = queue[number][1]
                self._check_replacement(replaced, transaction)
                spent -= replaced.cost
            elif len(queue) >= self.max_per_sender:
                raise Rejected(
                    "the sender has too many pending", code="pool_full", expected=self.max_per_sender
                )
        total = spent + transaction.cost
        if total > balance:
            raise Rejected(
                "the balance does not cover the pending transactions",
                code="insufficient_funds",
                expected=total,
                actual=balance,
            )
        if replaced is None and len(self._transactions) >= self.max_transactions:
            self._evict_for(transaction, nonce if queue is None else queue.next_nonce())
        self._arrivals += 1
        if queue is None:
            queue = self._queues[sender] = _Queue(nonce)
        self._insert(sender, queue, transaction, self._arrivals)
        if queue.nonce != nonce:
            self._advance(sender, queue, nonce)

    def take(self, base_fee: int, gas_limit: int, max_count: int | None = None) -> list[Transaction]:
        """Remove and return transactions for a block, in the order in which they shall run.

        First come those that pay the producer most per gas at this base fee, then those that came first,
        each sender's in nonce order.

        Parameters
        ----------
        base_fee
            Wei per gas; who cannot pay it stays.
        gas_limit
            What the gas limits of the transactions add up to at most.
        max_count
            How many to take at most; any number when None.
        """
        taken: list[Transaction] = []
        ends: dict[bytes, int] = {}
        heads = self._heads(base_fee)
        followers: list[_Head] = []  # a heap; most senders have one transaction, so it stays small
        most = len(self._transactions) if max_count is None else max_count
        while (heads or followers) and gas_limit >= TX_BASE and len(taken) < most:
            if followers and not (heads and heads[-1] < followers[0]):
                head = heappop(followers)
            else:
                head = heads.pop()
            transaction, queue = head[2], head[3]
            if transaction.gas > gas_limit:
                continue
            gas_limit -= transaction.gas
            taken.append(transaction)
            number = transaction.nonce + 1
            ends[transaction._sender or transaction.sender] = number
            entry = queue.get(number)
            if entry is not None and (room := entry[1].max_fee_per_gas - base_fee) >= 0:
                arrival, following = entry
                tip = following.max_priority_fee_per_gas
                heappush(followers, (-tip if tip < room else -room, arrival, following, queue))
        for sender, end in ends.items():
            self._advance(sender, self._queues[sender], end)
        return taken

    def put_back(self, transactions: Iterable[Transaction]) -> None:
        """Return transactions just taken that did not go into the block, in the order they were taken.

        They come before all others of the same price. One whose place was filled meanwhile is dropped.
        The pool may exceed its size by as many.
        """
        returned = list(transactions)
        self._put_backs -= len(returned)
        for arrival, transaction in enumerate(returned, self._put_backs):
            sender, number = transaction.sender, transaction.nonce
            queue = self._queues.get(sender)
            if queue is None:
                queue = self._queues[sender] = _Queue(number)
            elif number in queue:
                continue
            elif number < queue.nonce:
                queue.nonce = number
            self._insert(sender, queue, transaction, arrival)

    def on_block(self, included: Iterable[Transaction]) -> None:
        """Drop what a new head block has made stale: its transactions, and others with their nonces."""
        if not self._queues:
            return
        ends: dict[bytes, int] = {}
        for transaction in included:
            ends[transaction.sender] = transaction.nonce + 1
        for sender, end in ends.items():
            queue = self._queues.get(sender)
            if queue is not None:
                self._advance(sender, queue, end)

    def next_nonce(self, sender: bytes) -> int | None:
        """Return the nonce that the sender should use next; None when nothing of it is pending."""
        queue = self._queues.get(sender)
        return None if queue is None else queue.next_nonce()

    def get(self, transaction_hash: bytes) -> Transaction | None:
        """Return a pending transaction by its hash."""
        return self._transactions.get(transaction_hash)

    def copy(self) -> Mempool:
        """Return an independent pool with the same contents, for snapshots."""
        pool = Mempool(
            chain_id=self.chain_id,
            max_transactions=self.max_transactions,
            max_per_sender=self.max_per_sender,
            price_bump_percent=self.price_bump_percent,
            min_gas_price=self.min_gas_price,
        )
        pool._transactions = self._transactions.copy()
        pool._queues = {sender: queue.twin() for sender, queue in self._queues.items()}
        pool._arrivals = self._arrivals
        pool._put_backs = self._put_backs
        return pool

    def __contains__(self, transaction_hash: bytes) -> bool:
        return transaction_hash in self._transactions

    def __len__(self) -> int:
        return len(self._transactions)

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._transactions.values())

    def _check_form(self, transaction: Transaction, base_fee: int, gas_limit: int) -> None:
        """Check what does not depend on the sender."""
        if transaction.hash in self._transactions:
            raise Rejected("already pending", code="already_known", hash=transaction.hash)
        if transaction.chain_id != self.chain_id:
            raise Rejected(
                "signed for another chain",
                code="wrong_chain",
                expected=self.chain_id,
                actual=transaction.chain_id,
            )
        if transaction.gas > gas_limit:
            raise Rejected(
                "more gas than a block has", code="gas_limit", expected=gas_limit, actual=transaction.gas
            )
        least = base_fee if base_fee > self.min_gas_price else self.min_gas_price
        if transaction.max_fee_per_gas < least:
            raise Rejected(
                "maximum fee is too low",
                code="fee_too_low",
                expected=least,
                actual=transaction.max_fee_per_gas,
            )

    def _check_replacement(self, old: Transaction, new: Transaction) -> None:
        for name in ("max_fee_per_gas", "max_priority_fee_per_gas"):
            fee = getattr(old, name)
            least = max(fee + 1, -(-fee * (100 + self.price_bump_percent) // 100))
            if getattr(new, name) < least:
                raise Rejected(
                    f"a replacement must offer more {name}",
                    code="underpriced",
                    expected=least,
                    actual=getattr(new, name),
                )

    def _heads(self, base_fee: int) -> list[_Head]:
        """Return what can run first of each sender, the best last."""
        heads = []
        for queue in self._queues.values():
            entry = queue.get(queue.nonce)
            if entry is not None:
                arrival, transaction = entry
                room = transaction.max_fee_per_gas - base_fee
                if room >= 0:
                    tip = transaction.max_priority_fee_per_gas
                    heads.append((-tip if tip < room else -room, arrival, transaction, queue))
        heads.sort(reverse=True)
        return heads

    def _insert(self, sender: bytes, queue: _Queue, transaction: Transaction, arrival: int) -> None:
        """Put a transaction into its place, which is empty or holds the one to replace."""
        number = transaction.nonce
        self._transactions[transaction.hash] = transaction
        if number in queue:
            replaced = queue[number][1]
            queue.cost -= replaced.cost
            del self._transactions[replaced.hash]
        elif number > queue.last:
            queue.last = number
        queue[number] = (arrival, transaction)
        queue.cost += transaction.cost
        if self._tails and queue.last == number:
            self._push_tail(sender, queue)

    def _advance(self, sender: bytes, queue: _Queue, nonce: int) -> None:
        """Make `nonce` the one that can run next and drop those below."""
        if queue.last < nonce:  # all of them, as a rule
            for _arrival, transaction in queue.values():
                del self._transactions[transaction.hash]
            del self._queues[sender]
        else:
            for transaction in queue.pop_below(nonce):
                del self._transactions[transaction.hash]

    def _evict_for(self, transaction: Transaction, next_nonce: int) -> None:
        """Make room for a transaction, or reject it."""
        if transaction.nonce > next_nonce:
            raise Rejected(
                "the pool is full, and the transaction waits for another",
                code="pool_full",
                expected=next_nonce,
                actual=transaction.nonce,
            )
        tail = self._cheapest_tail(transaction.sender)
        if tail is None:
            raise Rejected("the pool is full of the sender's own", code="pool_full")
        max_fee, priority_fee, _arrival, sender = tail
        if (transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas) <= (max_fee, priority_fee):
            raise Rejected(
                "the pool is full of transactions that pay as much",
                code="pool_full",
                expected=max_fee + 1,
                actual=transaction.max_fee_per_gas,
            )
        queue = self._queues[sender]
        del self._transactions[queue.pop_last().hash]
        if not queue:
            del self._queues[sender]
        else:
            self._push_tail(sender, queue)

    def _push_tail(self, sender: bytes, queue: _Queue) -> None:
        heappush(self._tails, _tail(sender, queue))
        if len(self._tails) > _STALE_TAILS * self.max_transactions:
            self._tails.clear()

    def _cheapest_tail(self, excluded: bytes) -> tuple[int, int, int, bytes] | None:
        """Return the lowest entry that stands for the last transaction of any other sender."""
        tails = self._tails
        if not tails:
            tails.extend([_tail(sender, queue) for sender, queue in self._queues.items()])
            heapify(tails)
        own = None
        found = None
        while tails and found is None:
            tail = tails[0]
            queue = self._queues.get(tail[3])
            if queue is None or tail != _tail(tail[3], queue):
                heappop(tails)
            elif tail[3] == excluded:
                own = heappop(tails)
            else:
                found = tail
        if own is not None:
            heappush(tails, own)
        return found


def _tail(sender: bytes, queue: _Queue) -> tuple[int, int, int, bytes]:
    """Return the last transaction of a sender as an entry of the heap of tails."""
    arrival, transaction = queue[queue.last]
    return transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas, -arrival, sender
