"""What a chain with members does at the end of a block: fees, committees, permission to send."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import InvalidInput, Rejected, UsageError, ether
from chainstack_sdk.consensus.membership import Topic
from chainstack_sdk.consensus.membership.rules import committee_of
from chainstack_sdk.consensus.staking.committees import KEPT_SLOTS

PROPOSER = b"\x07" * 20


def admit(contract, voters, who) -> None:
    for voter in voters:
        contract.send(voter, "vote", Topic.VALIDATOR, who, True)


def test_the_proposer_has_all_fees_and_no_coin_is_made(begin, people) -> None:
    chain, _ = begin(4)
    supply = chain.supply()
    receipt = chain.transfer(people[0], people[1], 5)
    assert chain.balance(chain.head.header.proposer) == receipt.gas_used * receipt.effective_gas_price
    chain.seal()
    assert chain.supply() == supply


def test_who_is_a_member_at_a_slots_end_validates_two_slots_later(begin, people) -> None:
    chain, contract = begin(4)
    before = committee_of([each.address for each in people[:4]])
    after = committee_of([each.address for each in people[:5]])
    admit(contract, people[:3], people[4].address)
    assert (chain.height, chain.head.header.slot) == (3, 0)
    assert chain.head.header.next_committee_hash == before.hash  # of slot 1
    chain.seal()  # the last of slot 0 fixes slot 2
    assert chain.head.header.next_committee_hash == after.hash
    chain.seal()
    assert (chain.head.header.slot, chain.head.header.next_committee_hash) == (1, after.hash)
    assert [len(contract.read("committee", slot)) for slot in (1, 2, 3)] == [4, 5, 0]


def test_old_committees_are_forgotten(begin) -> None:
    chain, contract = begin(1, blocks_per_slot=1)
    for _ in range(6):
        chain.seal()
    newest = 7  # the last block of slot 5 fixes that of slot 7
    kept = [slot for slot in range(10) if contract.read("committee", slot)]
    assert kept == list(range(newest - KEPT_SLOTS + 1, newest + 1))


def test_a_private_chain_refuses_other_senders(begin, people) -> None:
    chain, contract = begin(1, senders=[people[1].address])
    for sender in people[:2]:
        chain.transfer(sender, people[2], 1)
    stranger = chain.sign(people[2], people[0], value=1)
    with pytest.raises(Rejected) as caught:
        chain.send(stranger)
    assert caught.value.code == "not_permitted"
    contract.send(people[0], "vote", Topic.SENDER, people[2].address, True)
    assert chain.receipt(chain.send(stranger)).succeeded


def test_a_public_chain_lets_everybody_send(begin, people) -> None:
    chain, _ = begin(1)
    assert chain.transfer(people[7], people[0], ether("0.5")).succeeded


def test_blocks_have_no_attachment(begin) -> None:
    chain, _ = begin(1)
    core = chain.blockchain
    built = {"timestamp_ms": core.head.timestamp_ms + 1, "proposer": PROPOSER}
    with pytest.raises(UsageError, match="attachment"):
        core.build([], **built, attachment=b"something")
    block = core.build([], **built).block
    with pytest.raises(InvalidInput, match="attachment"):
        core.append(replace(block, attachment=b"something"))
    assert core.append(block) == ()
