"""The composition root of a whole system of chains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from chainstack_sdk.chain import Chain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chainstack_sdk.core.interfaces import Consensus


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
    def local(
        cls,
        funds: Mapping[Any, int] | None = None,
        *,
        consensus: str | Consensus = "dpow",
        validators: int = 4,
        auto_seal: bool = True,
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
        options
            As for :meth:`Chain.in_memory`.

        Raises
        ------
        UsageError
            When no engine of that name comes with the library.
        """
        if isinstance(consensus, str):
            options["consensus"] = _named(consensus, validators)
        else:
            options["consensus"] = consensus
        return cls(Chain.in_memory(funds, auto_seal=auto_seal, **options))

    def close(self) -> None:
        """Release what the chains hold."""
        self.main.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _named(name: str, validators: int) -> Consensus | None:
    if name == "instant":
        return None
    from chainstack_sdk.network.local import local_consensus

    return local_consensus(name, validators=validators)
