"""Blocks that a node holds beside its chain, with a share for each sender, so that none crowds out others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator


class Body(Protocol):
    """A block of any form."""

    @property
    def height(self) -> int:
        """Its height."""
        ...


T = TypeVar("T", bound=Body)


class Bodies(Generic[T]):
    """Blocks by hash, in the order in which they came.

    A block that is held once stays until :meth:`keep_only` lets it go: a node that has told its engine of a
    block must be able to append it. So what comes when a sender's share is full is not taken.

    Parameters
    ----------
    share
        How many blocks of one sender are held. The node itself (None) may hold any number: what its
        application has built and what its engine asks for.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._blocks: dict[bytes, T] = {}
        self._shares: dict[Hashable, dict[bytes, None]] = {}

    def take(self, block_hash: bytes, block: T, sender: Hashable | None) -> bool:
        """Hold a block that is not held yet; tell whether there was room for it."""
        if sender is not None:
            taken = self._shares.setdefault(sender, {})
            if len(taken) >= self._share:
                return False
            taken[block_hash] = None
        self._blocks[block_hash] = block
        return True

    def get(self, block_hash: bytes) -> T | None:
        """Return a block, or None when it is not held."""
        return self._blocks.get(block_hash)

    def keep_only(self, wanted: Callable[[T], bool]) -> None:
        """Let go of all blocks but those that are wanted."""
        self._blocks = {block_hash: block for block_hash, block in self._blocks.items() if wanted(block)}
        for sender in tuple(self._shares):
            left = {block_hash: None for block_hash in self._shares[sender] if block_hash in self._blocks}
            if left:
                self._shares[sender] = left
            else:
                del self._shares[sender]

    def __iter__(self) -> Iterator[T]:
        return iter(self._blocks.values())

    def __contains__(self, block_hash: bytes) -> bool:
        return block_hash in self._blocks
