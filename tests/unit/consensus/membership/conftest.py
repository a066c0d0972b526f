"""A chain with members on which every block is decided at once: what the tests beside this file share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat

import pytest

from chainstack_sdk import Chain, ether
from chainstack_sdk.consensus.membership import (
    MEMBERSHIP_ADDRESS,
    MEMBERSHIP_CODE,
    MembershipContract,
    MembershipRules,
    with_membership,
)
from chainstack_sdk.consensus.membership.genesis import schedule_of
from chainstack_sdk.core import Genesis
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.testing import ScriptedConsensus, ScriptedEngine, accounts, decide

PEOPLE = accounts(8)


class Undisputed(ScriptedConsensus):
    """Members without votes on blocks."""

    def __init__(self, **settings):
        super().__init__(ScriptedEngine(repeat(decide())), contracts={MEMBERSHIP_CODE: MembershipContract()})
        self.settings = settings

    def prepare(self, genesis: Genesis) -> Genesis:
        return with_membership(super().prepare(genesis), **self.settings)

    def rules(self, genesis, view):
        return MembershipRules(schedule_of(genesis))


@pytest.fixture
def begin() -> Callable[..., tuple[Chain, Instance]]:
    """Make a chain with as many members as told, and its membership contract."""

    def make(members: int = 4, **settings) -> tuple[Chain, Instance]:
        settings.setdefault("blocks_per_slot", 4)
        consensus = Undisputed(members=[each.address for each in PEOPLE[:members]], **settings)
        chain = Chain.in_memory({each: ether(1) for each in PEOPLE}, consensus=consensus, auto_seal=True)
        return chain, Instance(chain, MEMBERSHIP_ADDRESS, MembershipContract)

    return make


@pytest.fixture
def people():
    """Eight accounts with coin; the first ones are the members."""
    return PEOPLE
