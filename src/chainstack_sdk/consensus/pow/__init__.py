"""Proof of work on its own: the heaviest chain, without a committee.

Blocks carry a nonce as their seal. The chain with the most expected hashes counts; whoever finds out that
another branch is heavier goes over to it. A block is never final in the strict sense, only buried ever
deeper: :meth:`WorkRule.validate_finality` checks how deep.
"""

from chainstack_sdk.consensus.pow.engine import ProofOfWork
from chainstack_sdk.consensus.pow.rule import WorkRule
from chainstack_sdk.consensus.pow.rules import WorkRules

__all__ = ["ProofOfWork", "WorkRule", "WorkRules"]
