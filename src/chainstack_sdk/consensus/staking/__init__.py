"""Committees elected by stake: the staking contract, the life cycle of committees, rewards, penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.consensus.staking.contract import StakingContract, key_alpha
    from chainstack_sdk.consensus.staking.genesis import (
        STAKING_CODE,
        GenesisValidator,
        genesis_committees,
        with_staking,
    )
    from chainstack_sdk.consensus.staking.membership import StakingMembership, StateCommittees
    from chainstack_sdk.consensus.staking.parameters import StakingParameters
    from chainstack_sdk.consensus.staking.rules import Mining, StakingRules
    from chainstack_sdk.consensus.staking.slots import SlotSchedule
    from chainstack_sdk.consensus.staking.storage import STAKING_ADDRESS
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "GenesisValidator": "genesis",
            "Mining": "rules",
            "STAKING_ADDRESS": "storage",
            "STAKING_CODE": "genesis",
            "SlotSchedule": "slots",
            "StakingContract": "contract",
            "StakingMembership": "membership",
            "StakingParameters": "parameters",
            "StakingRules": "rules",
            "StateCommittees": "membership",
            "genesis_committees": "genesis",
            "key_alpha": "contract",
            "with_staking": "genesis",
        },
    )

__all__ = [
    "Mining",
    "STAKING_ADDRESS",
    "STAKING_CODE",
    "GenesisValidator",
    "SlotSchedule",
    "StakingContract",
    "StakingMembership",
    "StakingParameters",
    "StakingRules",
    "StateCommittees",
    "genesis_committees",
    "key_alpha",
    "with_staking",
]
