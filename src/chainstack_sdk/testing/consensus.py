"""Engines and rules without agreement: they do what a test tells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.core.engine import BlockProposed, Decide, EngineInput, EngineOutput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.interfaces import ConsensusEngine, FinalityRule, HeaderRule

Reaction: TypeAlias = tuple[EngineOutput, ...] | Callable[[EngineInput], tuple[EngineOutput, ...]]
"""The outputs for one input, or a function that makes them of it."""


class AcceptAllHeaders:
    """A header and finality rule that refuses nothing. Not for production.

    Parameters
    ----------
    work
        The weight of every block.
    """

    def __init__(self, work: int = 1) -> None:
        self._work = work

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Accept."""

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Accept."""

    def work(self, header: Header) -> int:
        """Return the weight of every block."""
        return self._work


class ScriptedEngine:
    """An engine that answers one input after the other from a list. Not for production.

    Parameters
    ----------
    reactions
        What to answer to the first input, the second, and so on; after the last, nothing. :func:`decide`
        makes one that agrees to a proposal.
    name
        The engine's name.
    rule
        The rule of headers and finality; accepts all by default.
    """

    def __init__(
        self,
        reactions: Iterable[Reaction] = (),
        *,
        name: str = "scripted",
        rule: AcceptAllHeaders | None = None,
    ) -> None:
        self.name = name
        self.inputs: list[EngineInput] = []
        """Every input so far, in order."""
        self._reactions = iter(reactions)
        self._rule = AcceptAllHeaders() if rule is None else rule

    @property
    def header_rule(self) -> HeaderRule:
        """The rule by which headers are checked."""
        return self._rule

    @property
    def finality_rule(self) -> FinalityRule:
        """The rule by which finality is checked."""
        return self._rule

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        """Remember the input and give the next answer of the list."""
        self.inputs.append(event)
        reaction = next(self._reactions, ())
        return reaction if isinstance(reaction, tuple) else reaction(event)


def decide(seal: bytes = b"") -> Callable[[EngineInput], tuple[EngineOutput, ...]]:
    """Return a reaction that decides on whatever block is proposed, with this seal.

    It answers nothing to inputs of another kind.
    """

    def react(event: EngineInput) -> tuple[EngineOutput, ...]:
        if isinstance(event, BlockProposed):
            return (Decide(event.height, event.block_hash, seal),)
        return ()

    return react


if TYPE_CHECKING:
    _engine: type[ConsensusEngine] = ScriptedEngine
    _header_rule: type[HeaderRule] = AcceptAllHeaders
    _finality_rule: type[FinalityRule] = AcceptAllHeaders
