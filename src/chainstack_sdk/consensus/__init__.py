"""Consensus engines, state machines without input and output, and all that goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.consensus.bft import (
        BftCore,
        Certificate,
        Evidence,
        FixedMembership,
        Secp256k1Scheme,
        Validator,
        ValidatorSet,
    )
    from chainstack_sdk.consensus.certified import CommitteeRule, KnownCommittees
    from chainstack_sdk.consensus.election import Candidate, elect
    from chainstack_sdk.consensus.instant import InstantEngine, InstantRule
    from chainstack_sdk.consensus.kinds import kind_named
    from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, DpowChain, PosChain
    from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters
    from chainstack_sdk.consensus.kinds.members import PbftChain
    from chainstack_sdk.consensus.kinds.miners import PowChain, PowParameters
    from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS, MembershipContract
    from chainstack_sdk.consensus.payouts import Payouts
    from chainstack_sdk.consensus.reputation import StakePerformanceActivity
    from chainstack_sdk.consensus.retarget import FixedDifficulty, MovingWindow
    from chainstack_sdk.consensus.rewards import SharedRewards
    from chainstack_sdk.consensus.seals import CommitteeSeal
    from chainstack_sdk.consensus.staking import STAKING_ADDRESS, GenesisValidator, StakingContract
    from chainstack_sdk.consensus.terms import CommitteeTerms
    from chainstack_sdk.consensus.vrf import VrfKey, vrf_verify
    from chainstack_sdk.consensus.work import DoubleSha256, KeccakWork
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "BftCore": "bft",
            "Candidate": "election",
            "Certificate": "bft",
            "CommitteeParameters": "kinds.committee",
            "CommitteeRule": "certified",
            "CommitteeSeal": "seals",
            "CommitteeTerms": "terms",
            "DoubleSha256": "work",
            "DposChain": "kinds.delegates",
            "DposParameters": "kinds.delegates",
            "DpowChain": "kinds.committee",
            "Evidence": "bft",
            "FixedDifficulty": "retarget",
            "FixedMembership": "bft",
            "GenesisValidator": "staking",
            "InstantEngine": "instant",
            "InstantRule": "instant",
            "KeccakWork": "work",
            "KnownCommittees": "certified",
            "MEMBERSHIP_ADDRESS": "membership",
            "MembershipContract": "membership",
            "MovingWindow": "retarget",
            "Payouts": "payouts",
            "PbftChain": "kinds.members",
            "PosChain": "kinds.committee",
            "PowChain": "kinds.miners",
            "PowParameters": "kinds.miners",
            "STAKING_ADDRESS": "staking",
            "Secp256k1Scheme": "bft",
            "SharedRewards": "rewards",
            "StakePerformanceActivity": "reputation",
            "StakingContract": "staking",
            "Validator": "bft",
            "ValidatorSet": "bft",
            "VrfKey": "vrf",
            "elect": "election",
            "kind_named": "kinds",
            "vrf_verify": "vrf",
        },
    )

__all__ = [
    "BftCore",
    "Candidate",
    "Certificate",
    "CommitteeParameters",
    "CommitteeRule",
    "CommitteeSeal",
    "CommitteeTerms",
    "DoubleSha256",
    "DposChain",
    "DposParameters",
    "DpowChain",
    "Evidence",
    "FixedDifficulty",
    "FixedMembership",
    "GenesisValidator",
    "InstantEngine",
    "InstantRule",
    "KeccakWork",
    "KnownCommittees",
    "MEMBERSHIP_ADDRESS",
    "MembershipContract",
    "MovingWindow",
    "Payouts",
    "PbftChain",
    "PosChain",
    "PowChain",
    "PowParameters",
    "STAKING_ADDRESS",
    "Secp256k1Scheme",
    "SharedRewards",
    "StakePerformanceActivity",
    "StakingContract",
    "Validator",
    "ValidatorSet",
    "VrfKey",
    "elect",
    "kind_named",
    "vrf_verify",
]
