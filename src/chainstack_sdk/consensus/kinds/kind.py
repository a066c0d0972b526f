"""What every kind of consensus offers, whoever runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import (
        ChainRules,
        ConsensusEngine,
        Contract,
    )
    from chainstack_sdk.core.view import ChainView


class Rule(Protocol):
    """A header, candidate and finality rule in one."""

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """See :class:`~chainstack_sdk.core.interfaces.HeaderRule`."""
        ...

    def work(self, header: Header) -> int:
        """See :class:`~chainstack_sdk.core.interfaces.HeaderRule`."""
        ...

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """See :class:`~chainstack_sdk.core.interfaces.CandidateRule`."""
        ...

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """See :class:`~chainstack_sdk.core.interfaces.FinalityRule`."""
        ...


class Kind(Protocol):
    """A consensus without keys: all of :class:`~chainstack_sdk.core.interfaces.Consensus` but who runs it."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with this engine's name, parameters, and system contracts."""
        ...

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the system contracts that it brings, by their code."""
        ...

    def header_rule(self, genesis: Genesis, view: ChainView) -> Rule:
        """Return the rule by which the chain checks headers; to it genesis has a work of 1."""
        ...

    def rules(self, genesis: Genesis, view: ChainView) -> ChainRules | None:
        """Return what it does on the chain."""
        ...

    def member(
        self,
        genesis: Genesis,
        view: ChainView,
        address: bytes | None,
        *,
        headers: Callable[[bytes], Header | None],
        producing: bool,
    ) -> ConsensusEngine:
        """Return the engine of one participant.

        Parameters
        ----------
        address
            Who takes part, 20 bytes; None to follow without a voice.
        headers
            Returns headers of the chain and of candidates that the participant's host knows, by hash.
        producing
            Whether its host makes candidates.
        """
        ...
