"""An engine that accepts every valid block at once: for unit tests and single-operator chains.

Whoever hosts it decides alone; there is no seal, no fork, and a block is final when it is appended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.core.engine import BlockCommitted, BlockProposed, Decide
from chainstack_sdk.primitives.errors import InvalidInput

if TYPE_CHECKING:
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.engine import EngineInput, EngineOutput
    from chainstack_sdk.core.interfaces import ConsensusEngine


class InstantRule:
    """Header and finality rule: the seal is empty, and nothing else is asked."""

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Refuse a seal.

        Raises
        ------
        InvalidInput
            When the seal is not empty.
        """
        self.validate_finality(header, seal)

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Refuse a seal; a block of this engine is final as soon as it is valid.

        Raises
        ------
        InvalidInput
            When the seal is not empty.
        """
        if seal:
            raise InvalidInput("the instant engine seals with nothing", height=header.height, actual=seal)

    def work(self, header: Header) -> int:
        """Return 1: without work, blocks count."""
        return 1


class InstantEngine:
    """Decides on each candidate for the next height as soon as it is proposed.

    Parameters
    ----------
    height
        Height of the chain's head.
    """

    name = "instant"

    def __init__(self, height: int = 0) -> None:
        self._height = height
        self._rule = InstantRule()

    @property
    def height(self) -> int:
        """Height of the newest block the engine knows."""
        return self._height

    @property
    def header_rule(self) -> InstantRule:
        """The rule by which headers are checked."""
        return self._rule

    @property
    def finality_rule(self) -> InstantRule:
        """The rule by which finality is checked."""
        return self._rule

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Answer a proposal for the next height with its decision; follow the chain's head."""
        if isinstance(event, BlockCommitted):
            self._height = event.height
        elif isinstance(event, BlockProposed) and event.height == self._height + 1:
            return (Decide(event.height, event.block_hash, b""),)
        return ()


if TYPE_CHECKING:
    _check: type[ConsensusEngine] = InstantEngine
