"""How a transaction across chains may end otherwise than hoped for.

::

    ChainStackError
    ├── AtomicAborted      nothing of it happened, on any chain
    └── AtomicUnsettled    it is decided, or will be, but some chain has not learnt of it yet
"""

from __future__ import annotations

from chainstack_sdk.primitives.errors import ChainStackError


class AtomicAborted(ChainStackError):
    """Nothing of the transaction happened, and all funds are back with their owners; ``id`` says which."""


class AtomicUnsettled(ChainStackError):
    """The carrier has brought nothing more, and some chain does not know the decision yet.

    Whatever is decided will happen on all chains: call
    :meth:`~chainstack_sdk.xchain.atomic.AtomicTransaction.settle` again, or let anybody settle each chain by
    proof (:func:`~chainstack_sdk.xchain.atomic.settle_by_proof`).
    """
