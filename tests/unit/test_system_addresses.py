"""System contracts of all kinds may stand on one chain: no two share an address."""

from __future__ import annotations

from chainstack_sdk.consensus.chainkey.storage import CHAIN_KEY_ADDRESS
from chainstack_sdk.consensus.dpos.storage import DELEGATION_ADDRESS
from chainstack_sdk.consensus.membership.storage import MEMBERSHIP_ADDRESS
from chainstack_sdk.consensus.staking.storage import STAKING_ADDRESS
from chainstack_sdk.core.messages import HUB_ADDRESS
from chainstack_sdk.machines.codes import DEPLOYER_ADDRESS
from chainstack_sdk.paradigms import FACTORY_ADDRESS
from chainstack_sdk.system.shards import BANK_ADDRESS
from chainstack_sdk.xchain import addresses


def test_no_two_share_an_address() -> None:
    crossing = {value for name, value in vars(addresses).items() if name.endswith("_ADDRESS")}
    assert HUB_ADDRESS in crossing
    others = [
        FACTORY_ADDRESS,
        STAKING_ADDRESS,
        MEMBERSHIP_ADDRESS,
        DELEGATION_ADDRESS,
        CHAIN_KEY_ADDRESS,
        BANK_ADDRESS,
        DEPLOYER_ADDRESS,
    ]
    assert len({*crossing, *others}) == len(crossing) + len(others) >= 11
    assert all(len(address) == 20 for address in [*crossing, *others])
