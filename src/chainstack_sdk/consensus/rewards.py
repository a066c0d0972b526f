"""Rewards: how a block's reward and fees are divided among miners and verifiers.

The default gives 87 % to the miners and the rest to the committee, by role and in quarters:

=====================================  =======
role in the certificate                quarters
=====================================  =======
proposer of the deciding round, extra        2
signed                                       4
absent                                       1
=====================================  =======

Every wei is accounted for: the two parts add up to the whole, and the shares of the committee to its part.
Divisions round down; what is left over, always less than one wei for each member, goes to the proposer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.primitives.units import ether

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class RewardPolicy(Protocol):
    """Who gets what for a block. Integers only; the same arguments give the same division everywhere."""

    @property
    def block_reward(self) -> int:
        """Wei that a block mints, on top of its fees."""
        ...

    def divide(self, reward_and_fees: int) -> tuple[int, int]:
        """Return the miners' part and the verifiers' part in wei; together they are the whole."""
        ...

    def verifier_shares(
        self, part: int, members: Sequence[bytes], signers: Collection[bytes], proposer: bytes
    ) -> list[tuple[bytes, int]]:
        """Return the credits in wei, by address, members in their order; their sum is `part`.

        Parameters
        ----------
        part
            Wei.
        members
            The committee, addresses of 20 bytes, each once.
        signers
            Those of them whose signature is in the block's certificate.
        proposer
            Proposer of the deciding round, a member.
        """
        ...


@dataclass(frozen=True, slots=True)
class SharedRewards:
    """The default policy.

    Raises
    ------
    UsageError
        When a number is negative, the percentage above 100, absence paid better than presence, or a
        proposer that is absent paid nothing (then it could happen that nobody has a share).
    """

    block_reward: int = ether(2)
    """Wei that a block mints."""
    miner_percent: int = 87
    """Of reward and fees."""
    signed: int = 4
    """Quarters of a share for a member that signed…"""
    absent: int = 1
    """…for one that did not…"""
    proposer_extra: int = 2
    """…and for the proposer on top of either."""

    def __post_init__(self) -> None:
        fair = 0 <= self.absent <= self.signed and self.proposer_extra >= 0
        if not fair or self.absent + self.proposer_extra < 1:
            raise UsageError(
                "no such roles", signed=self.signed, absent=self.absent, proposer_extra=self.proposer_extra
            )
        if self.block_reward < 0 or not 0 <= self.miner_percent <= 100:
            raise UsageError(
                "no such reward", block_reward=self.block_reward, miner_percent=self.miner_percent
            )

    def divide(self, reward_and_fees: int) -> tuple[int, int]:
        """Return the miners' part, rounded down, and the verifiers' part, which is the rest, in wei.

        Raises
        ------
        UsageError
            When the amount is negative.
        """
        if reward_and_fees < 0:
            raise UsageError("a reward is not negative", actual=reward_and_fees)
        miners = reward_and_fees * self.miner_percent // 100
        return miners, reward_and_fees - miners

    def verifier_shares(
        self, part: int, members: Sequence[bytes], signers: Collection[bytes], proposer: bytes
    ) -> list[tuple[bytes, int]]:
        """Return the credits in wei, by address, members in their order; they add up to `part`.

        Shares are rounded down and what is left over, less than a wei for each member, goes to the proposer.
        Members whose share is 0 are left out.

        Parameters
        ----------
        part
            Wei, from 0.
        members
            The committee, each once.
        signers
            Those whose signature is in the certificate; best a set. Others than members count for nothing.
        proposer
            Proposer of the deciding round. Its extra does not depend on its own signature being there.

        Raises
        ------
        UsageError
            When the amount is negative or the proposer is not a member.
        """
        if part < 0:
            raise UsageError("a reward is not negative", actual=part)
        if proposer not in members:
            raise UsageError("the proposer is not in the committee", proposer=proposer)
        quarters = [self._quarters(member in signers, member == proposer) for member in members]
        total = sum(quarters)
        shares = [part * count // total for count in quarters]
        shares[members.index(proposer)] += part - sum(shares)
        return [(member, share) for member, share in zip(members, shares, strict=True) if share]

    def _quarters(self, signed: bool, proposed: bool) -> int:
        return (self.signed if signed else self.absent) + (self.proposer_extra if proposed else 0)


if TYPE_CHECKING:
    _check: type[RewardPolicy] = SharedRewards
