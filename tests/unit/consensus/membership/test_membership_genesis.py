"""A genesis with a membership contract: what it fixes, and what it refuses."""

from __future__ import annotations

import pytest

from chainstack_sdk import UsageError
from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS, MEMBERSHIP_CODE, with_membership
from chainstack_sdk.consensus.membership.genesis import genesis_members, schedule_of
from chainstack_sdk.consensus.membership.storage import is_permitted, read_members
from chainstack_sdk.consensus.staking.storage import MappingStorage
from chainstack_sdk.core import Genesis
from chainstack_sdk.testing import accounts

PEOPLE = [each.address for each in accounts(4)]


def storage_of(genesis: Genesis) -> MappingStorage:
    return MappingStorage(dict(genesis.accounts[MEMBERSHIP_ADDRESS].storage))


def test_it_fixes_members_slots_and_the_first_two_committees() -> None:
    genesis = with_membership(Genesis(), PEOPLE, blocks_per_slot=7)
    account = genesis.accounts[MEMBERSHIP_ADDRESS]
    assert (account.nonce, account.balance, account.code) == (1, 0, MEMBERSHIP_CODE)
    assert read_members(storage_of(genesis)) == PEOPLE
    assert schedule_of(genesis).blocks == 7
    committees = genesis_members(genesis)
    assert sorted(committees) == [0, 1]
    for committee in committees.values():
        assert [member.address for member in committee] == sorted(PEOPLE)
        assert {member.weight for member in committee} == {1}


def test_everybody_may_send_unless_senders_are_named() -> None:
    public = storage_of(with_membership(Genesis(), PEOPLE[:1]))
    assert is_permitted(public, PEOPLE[3])
    private = storage_of(with_membership(Genesis(), PEOPLE[:1], senders=PEOPLE[1:3]))
    assert [is_permitted(private, each) for each in PEOPLE] == [True, True, True, False]


@pytest.mark.parametrize(
    ("members", "settings", "message"),
    [
        ([], {}, "1 to 1024"),
        (PEOPLE[:1] * 2, {}, "listed twice"),
        ([b"short"], {}, "20 bytes"),
        (PEOPLE, {"blocks_per_slot": 0}, "at least one block"),
        (PEOPLE, {"senders": [b"short"]}, "20 bytes"),
    ],
)
def test_what_it_refuses(members, settings, message) -> None:
    with pytest.raises(UsageError, match=message):
        with_membership(Genesis(), members, **settings)


def test_one_contract_is_enough() -> None:
    genesis = with_membership(Genesis(), PEOPLE)
    with pytest.raises(UsageError, match="already"):
        with_membership(genesis, PEOPLE)


@pytest.mark.parametrize("ask", [schedule_of, genesis_members])
def test_a_genesis_without_members(ask) -> None:
    with pytest.raises(UsageError, match="no membership contract"):
        ask(Genesis())
