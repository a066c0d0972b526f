"""The membership contract on a chain: votes, motions carried, and everything that is refused."""

from __future__ import annotations

import pytest

from chainstack_sdk import Reverted
from chainstack_sdk.consensus.bft.validators import MAX_MEMBERS
from chainstack_sdk.consensus.membership import MembershipContract, Topic
from chainstack_sdk.consensus.membership import contract as limits
from chainstack_sdk.core.native import NativeContract

VALIDATOR, SENDER, UNKNOWN = 0, 1, 2


def votes(contract, voters, *motion):
    """Let members vote for a motion one after the other; return what was read as carried before each."""
    return [_vote(contract, voter, *motion) for voter in voters]


def _vote(contract, voter, *motion):
    carried = contract.read("vote", *motion, sender=voter)
    contract.send(voter, "vote", *motion)
    return carried


def refusal(contract, sender, error, *values):
    """What a refused call is to say."""
    assert isinstance(error.encode(*values), bytes)

    def check(function, *args):
        with pytest.raises(Reverted) as caught:
            contract.send(sender, function, *args)
        assert caught.value.data == error.encode(*values)

    return check


def test_it_is_a_contract_with_an_abi() -> None:
    assert issubclass(MembershipContract, NativeContract)
    assert {entry["name"] for entry in MembershipContract.abi()} >= {"vote", "Voted", "NotMember"}
    assert (Topic.VALIDATOR, Topic.SENDER) == (VALIDATOR, SENDER)


def test_more_than_two_thirds_admit_a_validator(begin, people) -> None:
    chain, contract = begin(4)
    new = people[4].address
    assert votes(contract, people[:2], VALIDATOR, new, True) == [False, False]
    assert contract.read("votes", VALIDATOR, new, True) == 2
    assert not contract.read("isMember", new)
    assert votes(contract, people[2:3], VALIDATOR, new, True) == [True]
    assert contract.read("isMember", new)
    assert contract.read("members") == tuple(each.address for each in people[:5])
    assert contract.read("votes", VALIDATOR, new, True) == 0  # the ballot is closed
    names = [event.name for event in contract.events()]
    assert names == ["Voted", "Voted", "Voted", "Admitted"]
    (admitted,) = contract.events("Admitted", who=new)
    assert admitted.args == {"topic": VALIDATOR, "who": new}
    assert chain.height == 3


def test_two_of_three_are_not_enough(begin, people) -> None:
    _, contract = begin(3)
    assert votes(contract, people[:3], VALIDATOR, people[5].address, True) == [False, False, True]


def test_voting_twice_counts_once_and_can_be_taken_back(begin, people) -> None:
    _, contract = begin(4)
    motion = (VALIDATOR, people[4].address, True)
    votes(contract, (people[0], people[0], people[1]), *motion)
    assert contract.read("votes", *motion) == 2
    contract.send(people[0], "unvote", *motion)
    assert contract.read("votes", *motion) == 1
    assert contract.events("Voted")[-1].args["vote"] is False


def test_an_expelled_member_counts_no_more(begin, people) -> None:
    _, contract = begin(4)
    last = people[3]
    contract.send(last, "vote", VALIDATOR, people[5].address, True)
    assert votes(contract, people[:3], VALIDATOR, last.address, False) == [False, False, True]
    assert contract.read("members") == tuple(each.address for each in people[:3])
    assert contract.read("votes", VALIDATOR, people[5].address, True) == 0
    assert contract.events("Expelled")[0].args["who"] == last.address


def test_the_last_one_takes_the_place_of_a_member_that_leaves(begin, people) -> None:
    _, contract = begin(4)
    votes(contract, people[1:4], VALIDATOR, people[0].address, False)
    assert contract.read("members") == tuple(people[index].address for index in (3, 1, 2))
    votes(contract, people[1:4], VALIDATOR, people[3].address, False)
    assert contract.read("members") == tuple(people[index].address for index in (2, 1))


def test_old_votes_do_not_count_in_a_later_ballot(begin, people) -> None:
    _, contract = begin(4)
    who = people[4].address
    votes(contract, people[:3], VALIDATOR, who, True)
    votes(contract, people[:4], VALIDATOR, who, False)
    assert not contract.read("isMember", who)
    assert votes(contract, people[:3], VALIDATOR, who, True) == [False, False, True]


def test_senders_are_admitted_and_expelled_at_once(begin, people) -> None:
    _, contract = begin(4, senders=())
    guest = people[6].address
    assert not contract.read("maySend", guest)
    assert contract.read("maySend", people[0].address)
    votes(contract, people[:3], SENDER, guest, True)
    assert contract.read("maySend", guest)
    assert not contract.read("isMember", guest)
    votes(contract, people[:3], SENDER, guest, False)
    assert not contract.read("maySend", guest)


def test_the_last_member_stays(begin, people) -> None:
    _, contract = begin(1)
    refusal(contract, people[0], MembershipContract.LastMember)("vote", VALIDATOR, people[0].address, False)
    assert contract.read("members") == (people[0].address,)


def test_there_is_no_room_for_more_members_than_a_committee_has_seats(begin, people, monkeypatch) -> None:
    assert limits.MAX_MEMBERS == MAX_MEMBERS
    monkeypatch.setattr(limits, "MAX_MEMBERS", 1)
    _, contract = begin(1)
    refusal(contract, people[0], MembershipContract.TooManyMembers)(
        "vote", VALIDATOR, people[4].address, True
    )
    assert contract.read("members") == (people[0].address,)


@pytest.mark.parametrize("function", ["vote", "unvote"])
def test_what_is_refused(begin, people, function) -> None:
    _, contract = begin(4)
    stranger, member = people[7], people[0]
    errors = MembershipContract
    refusal(contract, stranger, errors.NotMember, stranger.address)(
        function, VALIDATOR, stranger.address, True
    )
    refusal(contract, member, errors.UnknownTopic, UNKNOWN)(function, UNKNOWN, stranger.address, True)
    nothing = errors.NothingToDo
    for motion in (
        (VALIDATOR, member.address, True),
        (VALIDATOR, stranger.address, False),
        (SENDER, stranger.address, False),
    ):
        refusal(contract, member, nothing, *motion[:2])(function, *motion)


def test_a_fixed_membership_is_not_governed(begin, people) -> None:
    _, contract = begin(4, governed=False)
    assert not contract.read("isGoverned")
    refusal(contract, people[0], MembershipContract.NotGoverned)("vote", VALIDATOR, people[4].address, True)


def test_questions(begin, people) -> None:
    chain, contract = begin(2)
    assert contract.read("isGoverned")
    assert contract.read("currentSlot") == 0
    members = tuple(sorted(each.address for each in people[:2]))
    assert [contract.read("committee", slot) for slot in (0, 1, 2)] == [members, members, ()]
    for _ in range(4):
        chain.seal()
    assert contract.read("currentSlot") == 1
    assert contract.read("committee", 2) == members
    with pytest.raises(Reverted):
        contract.read("votes", UNKNOWN, people[0].address, True)
