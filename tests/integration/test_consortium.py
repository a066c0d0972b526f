"""A consortium over several slots: members admit one, expel one, and decide who may send."""

from __future__ import annotations

import pytest

from chainstack_sdk import Chain, InvalidInput, Rejected, Reverted, UsageError, ether
from chainstack_sdk.consensus.bft import Certificate
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS, MembershipContract, Topic
from chainstack_sdk.network.hosting import FollowedConsensus, HostedConsensus, local_members
from chainstack_sdk.testing import accounts

PER_SLOT = 4
OLD, NEW = local_members(4), local_members(5)[4]
GUEST, STRANGER = accounts(2)
FUNDS = {each.account: ether(10) for each in (*OLD, NEW)} | {GUEST: ether(10), STRANGER: ether(10)}


def kind(**settings) -> PbftChain:
    return PbftChain([member.address for member in OLD], blocks_per_slot=PER_SLOT, **settings)


def begin(members=(*OLD, NEW), **settings) -> Chain:
    consensus = HostedConsensus(kind(**settings), list(members))
    return Chain.in_memory(FUNDS, consensus=consensus, auto_seal=True)


def contract_of(chain: Chain):
    return chain.contract(MEMBERSHIP_ADDRESS, MembershipContract)


def carry(chain: Chain, voters, *motion) -> None:
    for voter in voters:
        contract_of(chain).send(voter.account, "vote", *motion)


def to_slot(chain: Chain, slot: int) -> None:
    """Seal until a block of a slot is the head."""
    while chain.head.header.slot < slot:
        chain.seal()


def signers(chain: Chain, height: int) -> set[bytes]:
    """Who signed the certificate of a block: a certificate numbers the members of its committee."""
    committee = contract_of(chain).read("committee", chain.block(height).header.slot)
    return {committee[index] for index, _ in Certificate.decode(chain.block(height).seal).signatures}


def follow(chain: Chain, **settings) -> Chain:
    follower = Chain.in_memory(FUNDS, consensus=FollowedConsensus(kind(**settings)))
    for height in range(1, chain.height + 1):
        follower.append(chain.block(height))
    return follower


def test_a_member_is_admitted_and_validates_two_slots_later() -> None:
    chain = begin()
    old = {member.address for member in OLD}
    carry(chain, OLD[:3], Topic.VALIDATOR, NEW.address, True)
    assert contract_of(chain).read("isMember", NEW.address)
    to_slot(chain, 2)
    assert chain.height == 2 * PER_SLOT + 1
    for height in range(1, 2 * PER_SLOT + 1):
        assert signers(chain, height) == old
    assert signers(chain, chain.height) == old | {NEW.address}
    assert follow(chain).head.hash == chain.head.hash


def test_a_member_is_expelled_and_leaves_two_slots_later() -> None:
    chain = begin()
    gone = OLD[3]
    carry(chain, OLD[:3], Topic.VALIDATOR, gone.address, False)
    with pytest.raises(Reverted, match="NotMember"):
        contract_of(chain).send(gone.account, "vote", Topic.VALIDATOR, NEW.address, True)
    to_slot(chain, 2)
    assert gone.address in signers(chain, 2 * PER_SLOT)
    assert signers(chain, chain.height) == {member.address for member in OLD[:3]}
    assert follow(chain).head.hash == chain.head.hash


def test_all_members_change() -> None:
    """Afterwards the old ones are not needed any more, nor do they suffice."""
    newer = local_members(4, "newer")
    funds = FUNDS | {member.account: ether(1) for member in newer}

    def hosted(members, **options) -> Chain:
        return Chain.in_memory(funds, consensus=HostedConsensus(kind(), members), **options)

    chain = hosted([*OLD, *newer], auto_seal=True)
    for member in newer:
        voters = [*OLD, *newer[: newer.index(member)]]
        carry(chain, voters[: len(voters) * 2 // 3 + 1], Topic.VALIDATOR, member.address, True)
    staying = [*newer, *OLD]
    for member in OLD:
        needed = len(staying) * 2 // 3 + 1
        voters = [voter for voter in staying if voter is not member][:needed]
        carry(chain, voters, Topic.VALIDATOR, member.address, False)
        staying.remove(member)
    to_slot(chain, chain.head.header.slot + 2)
    assert signers(chain, chain.height) == {member.address for member in newer}

    for members, go_on in ((newer, True), (OLD, False)):
        host = hosted(members)
        for height in range(1, chain.height + 1):
            host.append(chain.block(height))
        if go_on:
            assert host.seal().height == chain.height + 1
        else:
            with pytest.raises(UsageError, match="does not agree"):
                host.seal()


def test_a_fixed_membership_stays() -> None:
    chain = begin(governed=False)
    with pytest.raises(Reverted, match="NotGoverned"):
        carry(chain, OLD[:1], Topic.VALIDATOR, NEW.address, True)
    to_slot(chain, 2)
    assert len(signers(chain, chain.height)) == 4


def test_the_pool_refuses_strangers() -> None:
    chain = begin(senders=[GUEST.address])
    chain.transfer(GUEST, STRANGER, 5)
    chain.transfer(OLD[0].account, STRANGER, 5)
    stranger = chain.sign(STRANGER, GUEST, value=1)
    with pytest.raises(Rejected) as caught:
        chain.send(stranger)
    assert caught.value.code == "not_permitted"
    (outcome,) = chain.send_many([stranger], strict=False)
    assert isinstance(outcome, Rejected)
    assert len(chain.pool) == 0


def test_nobody_takes_a_block_in_which_colluding_members_let_a_stranger_send(monkeypatch) -> None:
    private = {"senders": [GUEST.address]}
    chain, follower = begin(**private), follow(begin(**private), **private)
    chain.auto_seal = False
    stranger = chain.sign(STRANGER, GUEST, value=1)
    with monkeypatch.context() as colluding:
        colluding.setattr(type(chain.blockchain.rules), "admit", lambda self, state, sender: None)
        chain.send(stranger)
        block = chain.seal()
    assert block.transactions == (stranger,)
    with pytest.raises(InvalidInput, match="may not send") as caught:
        follower.append(block)
    assert caught.value.facts["code"] == "not_permitted"
    assert follower.height == 0


def test_a_guest_comes_and_goes() -> None:
    chain = begin(senders=[])
    with pytest.raises(Rejected):
        chain.transfer(GUEST, STRANGER, 1)
    carry(chain, OLD[:3], Topic.SENDER, GUEST.address, True)
    chain.transfer(GUEST, STRANGER, 1)
    waiting = chain.sign(GUEST, STRANGER, value=1)
    chain.auto_seal = False
    for voter in OLD[1:]:
        contract = contract_of(chain)
        chain.send(
            chain.sign(
                voter.account,
                contract.address,
                data=contract.encode("vote", Topic.SENDER, GUEST.address, False),
                gas=500_000,
            )
        )
    chain.seal()
    with pytest.raises(Rejected):
        chain.send(waiting)
    assert follow(chain, senders=[]).head.hash == chain.head.hash
