"""Sets of delegates by their hash: what headers commit to, and rules have to know in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.consensus.dpos.rules import KEPT_EPOCHS
from chainstack_sdk.consensus.dpos.storage import NEWEST_EPOCH, read_delegates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.consensus.bft.validators import ValidatorSet
    from chainstack_sdk.consensus.staking.storage import Storage

MAX_SETS = 256
"""Sets that are remembered, the oldest forgotten first."""


class DelegateBook:
    """Finds a set of delegates by its hash, so that one is right on whichever branch it was learnt.

    Parameters
    ----------
    known
        Sets to begin with: those of the genesis, or what a light client trusts.
    storage
        The delegation contract's storage in the chain's newest state, where sets that are not known yet are
        looked for; without it only :meth:`learn` adds any.
    """

    def __init__(self, known: Iterable[ValidatorSet] = (), storage: Storage | None = None) -> None:
        self._storage = storage
        self._sets: dict[bytes, ValidatorSet] = {}
        for delegates in known:
            self.learn(delegates)

    def learn(self, delegates: ValidatorSet) -> None:
        """Remember a set; whether it is in office is for headers to say."""
        while len(self._sets) >= MAX_SETS:
            del self._sets[next(iter(self._sets))]
        self._sets[delegates.hash] = delegates

    def find(self, digest: bytes) -> ValidatorSet | None:
        """Return the set with a hash of 32 bytes, or None when it is not known."""
        if digest not in self._sets and self._storage is not None:
            self._read(self._storage)
        return self._sets.get(digest)

    def _read(self, storage: Storage) -> None:
        newest = storage.load(NEWEST_EPOCH)
        for epoch in range(max(newest - KEPT_EPOCHS + 1, 0), newest + 1):
            delegates = read_delegates(storage, epoch)
            if delegates is not None and delegates.hash not in self._sets:
                self.learn(delegates)
