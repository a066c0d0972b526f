"""Transactions that this process has seen before.

Decoding takes about 6 us and recovering the sender about 50, so a transaction that was signed here, or
recovered here when it was first admitted, is looked up by its bytes (0.1 us) when it arrives again inside a
block. An optimisation without any other effect: what is found is what decoding and recovery would give.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainstack_sdk.core.transactions.transaction import Transaction

MAX_KNOWN_BYTES = 2048
"""Longer encodings are not kept, so that a cache of any capacity has a bounded size."""


class KnownTransactions:
    """A bounded map from encodings to transactions; when full, the oldest goes first.

    Parameters
    ----------
    capacity
        How many to keep. Each takes about 1 kB. 0 keeps none.
    """

    __slots__ = ("_by_raw", "capacity", "get")

    def __init__(self, capacity: int = 32_768) -> None:
        self.capacity = capacity
        """How many are kept; may be changed at any time, and takes effect with the next :meth:`add`."""
        self._by_raw: OrderedDict[bytes, Transaction] = OrderedDict()
        self.get = self._by_raw.get
        """``get(raw)``: the transaction with this encoding, or None."""

    def add(self, transaction: Transaction) -> None:
        """Keep a transaction whose sender is known; one known already keeps its age."""
        raw = transaction.raw
        if len(raw) <= MAX_KNOWN_BYTES:
            by_raw = self._by_raw
            by_raw[raw] = transaction
            while len(by_raw) > self.capacity:
                by_raw.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._by_raw.clear()

    def __len__(self) -> int:
        return len(self._by_raw)

    def __contains__(self, raw: bytes) -> bool:
        return raw in self._by_raw


known = KnownTransactions()
"""The cache of this process. ``known.capacity = 0; known.clear()`` switches it off."""
