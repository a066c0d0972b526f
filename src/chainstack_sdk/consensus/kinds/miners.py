"""Chains of miners alone: "pow", the heaviest chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chainstack_sdk.consensus.block_reward import ConstantReward
from chainstack_sdk.consensus.kinds.parameters import IntegerParameters
from chainstack_sdk.consensus.pow import ProofOfWork, WorkRule, WorkRules
from chainstack_sdk.consensus.retarget import retarget_over
from chainstack_sdk.consensus.work import DoubleSha256
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chainstack_sdk.consensus.kinds.kind import Kind
    from chainstack_sdk.consensus.retarget import Retarget
    from chainstack_sdk.consensus.work import WorkHash
    from chainstack_sdk.core.blocks import Header
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.interfaces import Contract
    from chainstack_sdk.core.view import ChainView


@dataclass(frozen=True, slots=True)
class PowParameters(IntegerParameters):
    """What a genesis fixes of a chain of miners.

    Raises
    ------
    UsageError
        When a number is out of range.
    """

    block_reward: int = ether(2)
    """Wei."""
    difficulty: int = 1 << 16
    """Expected hashes of the first block."""
    interval_ms: int = 10_000
    """The distance between blocks that difficulty aims at."""
    window: int = 16
    """Blocks that difficulty looks back; 0: it stays what it is."""
    confirmations: int = 6
    """Blocks that must follow one that counts as final; at least 1."""

    def __post_init__(self) -> None:
        IntegerParameters.__post_init__(self)
        self.retarget()
        if not self.confirmations:
            raise UsageError("finality takes at least one block more", actual=self.confirmations)

    def retarget(self) -> Retarget:
        """Return how difficulty follows the blocks."""
        return retarget_over(self.window, self.interval_ms, self.difficulty)


class PowChain:
    """Whoever does the work makes the block; the chain with the most work counts.

    Parameters
    ----------
    parameters
        What the genesis fixes.
    work_hash
        What is hashed with, on every node of the chain; double SHA-256 by default.
    """

    name = "pow"

    def __init__(self, *, parameters: PowParameters | None = None, work_hash: WorkHash | None = None) -> None:
        self.parameters = parameters or PowParameters()
        self.work_hash: WorkHash = work_hash or DoubleSha256()
        """What miners hash with."""

    def prepare(self, genesis: Genesis) -> Genesis:
        """Return the genesis with the engine's name and parameters."""
        return replace(genesis, engine=self.name, engine_parameters=self.parameters.encode())

    def contracts(self) -> Mapping[bytes, Contract]:
        """Return no contract: miners need none."""
        return {}

    def header_rule(self, genesis: Genesis, view: ChainView) -> WorkRule:
        """Return the rule by which the chain checks headers."""
        return self._rule(genesis, view.header)

    def rules(self, genesis: Genesis, view: ChainView) -> WorkRules:
        """Return what the chain does at the end of a block."""
        chosen = PowParameters.of(genesis)
        return WorkRules(
            chosen.retarget(),
            view.header,
            reward=ConstantReward(chosen.block_reward),
            burn_base_fee=genesis.burn_base_fee,
        )

    def member(
        self,
        genesis: Genesis,
        view: ChainView,
        address: bytes | None,
        *,
        headers: Callable[[bytes], Header | None],
        producing: bool,
    ) -> ProofOfWork:
        """Return the engine of one participant, which mines if its host is ``producing``."""
        return ProofOfWork(self._rule(genesis, headers), mining=producing)

    def _rule(self, genesis: Genesis, headers: Callable[[bytes], Header | None]) -> WorkRule:
        chosen = PowParameters.of(genesis)
        return WorkRule(chosen.retarget(), headers, self.work_hash, chosen.confirmations)


if TYPE_CHECKING:
    _check: type[Kind] = PowChain
