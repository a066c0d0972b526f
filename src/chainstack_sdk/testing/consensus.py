"""Engines and rules without agreement: they do what a test tells them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from chainstack_sdk.core.closing import NO_EXTRAS
from chainstack_sdk.core.engine import BlockProposed, Decide, EngineInput, EngineOutput
from chainstack_sdk.primitives.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chainstack_sdk.core.blocks import Block, Header
    from chainstack_sdk.core.closing import Closing, HeaderExtras
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import (
        CandidateRule,
        ChainRules,
        Consensus,
        ConsensusEngine,
        Contract,
        FinalityRule,
        HeaderRule,
    )
    from chainstack_sdk.core.state import State
    from chainstack_sdk.core.view import ChainView

Reaction: TypeAlias = tuple[EngineOutput, ...] | Callable[[EngineInput], tuple[EngineOutput, ...]]
"""The outputs for one input, or a function that makes them of it."""


class AcceptAllHeaders:
    """A rule for headers, candidates and finality that refuses nothing. Not for production.

    Parameters
    ----------
    work
        The weight of every block.
    """

    def __init__(self, work: int = 1) -> None:
        self._work = work

    def validate_header(self, header: Header, seal: bytes, parent: Header) -> None:
        """Accept."""

    def validate_candidate(self, header: Header, parent: Header) -> None:
        """Accept."""

    def validate_finality(self, header: Header, seal: bytes) -> None:
        """Accept."""

    def work(self, header: Header) -> int:
        """Return the weight of every block."""
        return self._work


class ScriptedRules:
    """Chain rules that put the same into every header and let a test close blocks. Not for production.

    Parameters
    ----------
    slot
        The committee's term of every block.
    extras
        What goes into every header; an attachment takes the place of theirs, and nothing commits to it.
    refused
        Addresses that may not send, 20 bytes each.
    close
        Closes a block; without it the fees are burnt.
    """

    def __init__(
        self,
        *,
        slot: int = 0,
        extras: HeaderExtras = NO_EXTRAS,
        refused: Iterable[bytes] = (),
        close: Callable[[Closing], None] | None = None,
    ) -> None:
        self.refused = set(refused)
        """Addresses that may not send."""
        self.closings: list[Closing] = []
        """Every closing so far, in order; those of blocks that were not kept count too."""
        self._slot = slot
        self._extras = extras
        self._close = close

    def slot(self, height: int) -> int:
        """Return the term of every block."""
        return self._slot

    def extras(self, parent: Block, proposer: bytes, attachment: bytes) -> HeaderExtras:
        """Return what goes into every header, with the attachment if there is one."""
        return replace(self._extras, attachment=attachment or self._extras.attachment)

    def admit(self, state: State, sender: bytes) -> None:
        """Refuse those on the list.

        Raises
        ------
        Rejected
            With code ``not_permitted``.
        """
        if sender in self.refused:
            raise Rejected("the script refuses this sender", code="not_permitted", actual=sender)

    def close(self, closing: Closing) -> None:
        """Remember the closing and do what the test says."""
        self.closings.append(closing)
        if self._close is not None:
            self._close(closing)


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


class ScriptedConsensus:
    """A consensus put together from parts that a test hands over. Not for production.

    Parameters
    ----------
    engine
        Gives the consensus its name and the rule of headers; by default one that never decides.
    rules
        What it does on the chain, if anything.
    contracts
        The system contracts that it brings, by their code. Nothing puts them into a genesis.
    """

    def __init__(
        self,
        engine: ConsensusEngine | None = None,
        *,
        rules: ChainRules | None = None,
        contracts: Mapping[bytes, Contract] | None = None,
    ) -> None:
        self._engine: ConsensusEngine = ScriptedEngine() if engine is None else engine
        self._rules = rules
        self._contracts = dict(contracts or {})

    @property
    def name(self) -> str:
        """The engine's name."""
        return self._engine.name

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name."""
        return replace(genesis, engine=self.name)

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return the contracts by their code."""
        return self._contracts

    def header_rule(self, genesis: Genesis, view: ChainView) -> HeaderRule:
        """Return the engine's rule."""
        return self._engine.header_rule

    def rules(self, genesis: Genesis, view: ChainView) -> ChainRules | None:
        """Return the rules that were handed over."""
        return self._rules

    def engine(self, genesis: Genesis, view: ChainView) -> ConsensusEngine:
        """Return the engine that was handed over."""
        return self._engine


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
    _consensus: type[Consensus] = ScriptedConsensus
    _engine: type[ConsensusEngine] = ScriptedEngine
    _rules: type[ChainRules] = ScriptedRules
    _header_rule: type[HeaderRule] = AcceptAllHeaders
    _candidate_rule: type[CandidateRule] = AcceptAllHeaders
    _finality_rule: type[FinalityRule] = AcceptAllHeaders
