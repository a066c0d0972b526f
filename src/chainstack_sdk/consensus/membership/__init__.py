"""Who may validate, and who may send, by the members' own vote: for consortium and private chains."""

from chainstack_sdk.consensus.membership.contract import MembershipContract
from chainstack_sdk.consensus.membership.engine import MembersOfSlots, PbftEngine, PbftRule
from chainstack_sdk.consensus.membership.genesis import MEMBERSHIP_CODE, genesis_members, with_membership
from chainstack_sdk.consensus.membership.rules import MembershipRules
from chainstack_sdk.consensus.membership.storage import MEMBERSHIP_ADDRESS, Topic

__all__ = [
    "MEMBERSHIP_ADDRESS",
    "MEMBERSHIP_CODE",
    "MembersOfSlots",
    "MembershipContract",
    "MembershipRules",
    "PbftEngine",
    "PbftRule",
    "Topic",
    "genesis_members",
    "with_membership",
]
