"""The composition root of a whole system of chains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from chainstack_sdk.chain import Chain

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChainStack:
    """A system of chains around one main chain.

    Parameters
    ----------
    main
        The main chain.
    """

    def __init__(self, main: Chain) -> None:
        self.main = main

    @classmethod
    def local(cls, funds: Mapping[Any, int] | None = None, *, auto_seal: bool = True, **options: Any) -> Self:
        """Make a system in memory, for development and tests.

        Parameters
        ----------
        funds
            Wei by address on the main chain.
        auto_seal
            Whether every transaction is sealed into a block at once.
        options
            As for :meth:`Chain.in_memory`.
        """
        return cls(Chain.in_memory(funds, auto_seal=auto_seal, **options))

    def close(self) -> None:
        """Release what the chains hold."""
        self.main.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
