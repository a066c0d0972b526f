"""Voted delegates: coin votes for who makes blocks, and delegates take turns.

The *contract* keeps candidates and votes, the *rules* hold an election at the end of each epoch, the *rule*
says whose turn it is, and the *engine* makes blocks and follows the longest chain.
"""

from chainstack_sdk.consensus.dpos.book import DelegateBook
from chainstack_sdk.consensus.dpos.contract import DelegationContract
from chainstack_sdk.consensus.dpos.engine import DelegatedProofOfStake
from chainstack_sdk.consensus.dpos.genesis import DELEGATION_CODE, genesis_delegates, with_delegation
from chainstack_sdk.consensus.dpos.parameters import DelegationParameters
from chainstack_sdk.consensus.dpos.rule import DelegateRule, seal_payload
from chainstack_sdk.consensus.dpos.rules import DelegationRules
from chainstack_sdk.consensus.dpos.storage import DELEGATION_ADDRESS

__all__ = [
    "DELEGATION_ADDRESS",
    "DELEGATION_CODE",
    "DelegateBook",
    "DelegateRule",
    "DelegatedProofOfStake",
    "DelegationContract",
    "DelegationParameters",
    "DelegationRules",
    "genesis_delegates",
    "seal_payload",
    "with_delegation",
]
