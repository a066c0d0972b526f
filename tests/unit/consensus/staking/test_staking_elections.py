"""What happens when slots turn: elections, serving on, performance."""

from __future__ import annotations

import pytest

from chainstack_sdk.consensus.election import Candidate, elect
from chainstack_sdk.consensus.reputation import (
    INITIAL_PERFORMANCE,
    StakePerformanceActivity,
    next_performance,
)
from chainstack_sdk.consensus.staking import StakingParameters
from chainstack_sdk.consensus.staking.elections import elect_committee
from chainstack_sdk.consensus.staking.frozen import FrozenWeight, read_frozen
from chainstack_sdk.consensus.staking.storage import StateStorage
from chainstack_sdk.core.queries import find_receipt
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives import InvariantBroken, ether
from chainstack_sdk.testing.bare import payment
from chainstack_sdk.testing.committee import CommitteeBench

MINIMUM = ether(1)


def addresses(bench, *numbers):
    return tuple(sorted(bench.accounts[number].address for number in numbers))


def performance(bench, number):
    return bench.ask("validator", bench.accounts[number].address)[2]


def test_all_candidates_are_elected_while_seats_last():
    bench = CommitteeBench(3)
    bench.to_slot(2)
    assert bench.ask("committee", 2) == addresses(bench, 0, 1, 2)
    assert bench.ask("committee", 3) == addresses(bench, 0, 1, 2)


@pytest.mark.parametrize("height", [4, 5, 8])
def test_who_registers_stands_from_the_next_slot_on(height):
    """At height 4, the last of slot 0, or at 8, the last of slot 1: neither counts at once."""
    bench = CommitteeBench(4, registered=3)
    while bench.chain.height < height - 1:
        bench.extend()
    newcomer = bench.accounts[3].address
    bench.extend(bench.order(3, "register", *bench.proven_key(3), value=MINIMUM))
    bench.to_slot(5)
    first_seat = {4: 3, 5: 4, 8: 4}[height]
    assert [newcomer in bench.ask("committee", slot) for slot in (2, 3, 4)] == [
        slot >= first_seat for slot in (2, 3, 4)
    ]


def test_who_unregisters_serves_out_its_time():
    bench = CommitteeBench(4)
    bench.to_slot(1)
    bench.extend(bench.order(1, "unregister"))
    bench.to_slot(3)
    assert bench.ask("committee", 2) == addresses(bench, 0, 1, 2, 3)
    assert bench.ask("committee", 3) == bench.ask("committee", 4) == addresses(bench, 0, 2, 3)


def test_who_is_slashed_is_not_elected_any_more():
    bench = CommitteeBench(4)
    culprit = bench.accounts[1].address
    bench.extend(bench.order(0, "report", bench.double_vote(culprit, 1)))
    bench.to_slot(2)
    assert culprit in bench.ask("committee", 1)
    assert bench.ask("committee", 2) == addresses(bench, 0, 2, 3)
    assert performance(bench, 1) == INITIAL_PERFORMANCE  # no longer followed


def test_stake_is_the_weight_of_a_vote_where_the_parameters_say_so():
    bench = CommitteeBench(3, parameters=StakingParameters(2, 4, MINIMUM, MINIMUM // 2))
    bench.extend(bench.order(1, "deposit", value=MINIMUM * 2))
    bench.to_slot(2)
    for slot, richer in ((2, 2), (3, 6)):  # that of slot 2 is drawn by the weights of genesis
        weights = {member.address: member.weight for member in bench.committees.at(slot)}
        assert weights == {
            bench.accounts[0].address: 2,
            bench.accounts[1].address: richer,
            bench.accounts[2].address: 2,
        }
    bench.to_slot(5)  # certified by them


class Senders:
    """A reputation that goes by the number of transactions alone."""

    def weight(self, stake_wei, performance, transactions_sent):
        return transactions_sent


def test_transactions_sent_count():
    bench = CommitteeBench(4, reputation=Senders())
    bench.extend(payment(bench.chain, bench.accounts[2], bytes(20)))
    bench.to_slot(2)
    assert bench.ask("committee", 2) == addresses(bench, 0, 1, 2, 3)  # by the weights of genesis
    assert bench.ask("committee", 3) == addresses(bench, 2)


def test_where_nobody_has_weight_the_committee_serves_on():
    bench = CommitteeBench(4, reputation=Senders())
    bench.to_slot(2)
    assert bench.ask("committee", 3) == addresses(bench, 0, 1, 2, 3)
    assert bench.ask("validator", bench.accounts[0].address)[4] == 0


def test_a_committee_without_successors_serves_on_and_stays_liable():
    bench = CommitteeBench(4)
    bench.extend(*[bench.order(number, "unregister") for number in range(4)])
    everybody = addresses(bench, 0, 1, 2, 3)
    assert bench.ask("validator", everybody[0])[4] == 3
    for slot in (1, 2, 3):
        bench.to_slot(slot)
        assert bench.ask("committee", slot + 1) == everybody
        assert bench.ask("committeeHash", slot + 1) == bench.ask("committeeHash", slot)
        # two slots after the last one it serves in, at the earliest
        assert bench.ask("validator", everybody[0])[4] == slot + 3
    early = bench.order(0, "withdraw")
    bench.extend(early)
    assert find_receipt(bench.chain, early.hash).status == 0
    bench.extend(bench.order(2, "report", bench.double_vote(bench.accounts[3].address, bench.chain.height)))
    bench.to_slot(4)
    assert bench.ask("committee", 5) == everybody
    assert bench.ask("validator", bench.accounts[3].address)[::4] == (0, 0)


def test_whoever_registers_relieves_a_committee_that_serves_on():
    bench = CommitteeBench(3, registered=2)
    bench.extend(bench.order(0, "unregister"), bench.order(1, "unregister"))
    bench.to_slot(1)
    bench.extend(bench.order(2, "register", *bench.proven_key(2), value=MINIMUM))
    bench.to_slot(3)
    assert bench.ask("committee", 3) == addresses(bench, 0, 1)
    assert bench.ask("committee", 4) == addresses(bench, 2)
    unlock = bench.ask("validator", bench.accounts[0].address)[4]
    assert unlock == 5  # two slots after slot 3
    bench.to_slot(5)
    leaving = bench.order(0, "withdraw")
    bench.extend(leaving)
    assert find_receipt(bench.chain, leaving.hash).status == 1


def test_performance_follows_the_certificates_of_a_whole_slot():
    bench = CommitteeBench(4)
    lazy = bench.accounts[2].address
    for _ in range(3):
        bench.extend(absent=[lazy])
    bench.extend()  # the last block of slot 0, signed by all
    assert performance(bench, 2) == INITIAL_PERFORMANCE
    bench.extend()  # brings the certificate of the block before
    assert performance(bench, 2) == next_performance(INITIAL_PERFORMANCE, 1, 4)
    assert performance(bench, 1) == next_performance(INITIAL_PERFORMANCE, 4, 4)
    bench.to_slot(2)
    bench.extend()
    assert performance(bench, 2) == next_performance(next_performance(INITIAL_PERFORMANCE, 1, 4), 4, 4)


def test_who_never_signs_is_not_elected_in_the_end():
    bench = CommitteeBench(4, parameters=StakingParameters(1, 4, MINIMUM))
    lazy = bench.accounts[2].address
    for _ in range(45):
        bench.extend(absent=[lazy])
    assert performance(bench, 2) == 0
    assert lazy not in bench.ask("committee", 46)
    assert lazy in bench.ask("validators")


# Frozen weights


class Busy:
    """A reputation by which every transaction outweighs a newcomer tenfold."""

    def weight(self, stake_wei, performance, transactions_sent):
        return 1 + 10 * transactions_sent


def stake_more(bench, loser):
    return [bench.order(loser, "deposit", value=100 * MINIMUM)]


def send_more(bench, loser):
    sender = bench.accounts[loser]
    return [payment(bench.chain, sender, bytes(20), nonce=nonce) for nonce in range(10)]


def drawn_now(bench, reputation, seed, slot):
    """Return who would be drawn by what deposits and transactions are at the head."""
    state = bench.chain.state
    standing = [
        Candidate(one, reputation.weight(*bench.ask("validator", one)[::2][:2], state.nonce(one)))
        for one in bench.ask("validators")
    ]
    return {one.address for one in elect(seed, slot, standing, bench.parameters.committee_size)}


@pytest.mark.parametrize("height", [4, 5, 6])
@pytest.mark.parametrize(
    ("reputation", "weigh_more"), [(StakePerformanceActivity(MINIMUM), stake_more), (Busy(), send_more)]
)
def test_nobody_wins_a_draw_by_what_it_does_once_the_weights_are_frozen(reputation, weigh_more, height):
    """Slot 1 is heights 4 to 6: weights are frozen at 3, and the draw is at 6.

    The seed of block 6 is the same whatever anybody does, and so its builder knows it. By deposits and
    transactions as of block 6 the loser would have won.
    """
    fair, bench = (
        CommitteeBench(8, parameters=StakingParameters(3, 2, MINIMUM), reputation=reputation)
        for _ in range(2)
    )
    fair.to_slot(2)
    loser = next(
        number for number, one in enumerate(bench.accounts) if one.address not in fair.ask("committee", 3)
    )
    while bench.chain.height < height - 1:
        bench.extend()
    bench.extend(*weigh_more(bench, loser))
    bench.to_slot(2)
    seed = bench.chain.head.seed
    assert seed == fair.chain.head.seed
    assert bench.accounts[loser].address not in drawn_now(fair, reputation, seed, 3)
    assert bench.accounts[loser].address in drawn_now(bench, reputation, seed, 3)
    assert bench.committees.at(3) == fair.committees.at(3)
    frozen = {one.address: one.weight for one in read_frozen(StateStorage(bench.chain.state))}
    assert frozen[bench.accounts[loser].address] == max(frozen.values())  # it counts from the next draw on


def test_a_vote_weighs_what_it_did_when_the_weights_were_frozen():
    """Who sees that it will sit cannot put all its stake into that seat."""
    bench = CommitteeBench(2, parameters=StakingParameters(2, 2, MINIMUM, MINIMUM))
    winner = bench.accounts[0].address
    bench.to_slot(1)
    bench.extend()
    bench.extend(bench.order(0, "deposit", value=5 * MINIMUM))  # the last block of slot 1
    assert bench.committees.at(3).weight_of(winner) == 1
    bench.to_slot(3)
    assert bench.committees.at(4).weight_of(winner) == 6


def test_weights_follow_deposits_performance_and_transactions_at_the_end_of_a_slot():
    bench = CommitteeBench(3, registered=2)
    weight = StakePerformanceActivity(MINIMUM).weight
    one, other, newcomer = (account.address for account in bench.accounts)

    def frozen():
        return read_frozen(StateStorage(bench.chain.state))

    genesis = [FrozenWeight(who, weight(MINIMUM, INITIAL_PERFORMANCE, 0), 1) for who in (one, other)]
    assert frozen() == genesis
    bench.extend(
        bench.order(0, "deposit", value=MINIMUM),
        bench.order(2, "register", *bench.proven_key(2), value=MINIMUM),
    )
    bench.extend()
    bench.extend()
    assert frozen() == genesis
    bench.extend(payment(bench.chain, bench.accounts[1], bytes(20)))
    assert frozen() == [
        FrozenWeight(one, weight(2 * MINIMUM, INITIAL_PERFORMANCE, 1), 1),
        FrozenWeight(other, weight(MINIMUM, INITIAL_PERFORMANCE, 1), 1),
        FrozenWeight(newcomer, weight(MINIMUM, INITIAL_PERFORMANCE, 1), 1),
    ]
    bench.to_slot(2)
    seen = next_performance(INITIAL_PERFORMANCE, 4, 4)  # in slot 0, as of the end of slot 1
    assert [one.weight for one in frozen()] == [
        weight(2 * MINIMUM, seen, 1),
        weight(MINIMUM, seen, 1),
        weight(MINIMUM, INITIAL_PERFORMANCE, 1),
    ]


def test_in_slots_of_one_block_performance_is_folded_before_weights_are_frozen():
    bench = CommitteeBench(2, parameters=StakingParameters(1, 2, MINIMUM))
    bench.extend()
    bench.extend()  # brings the certificate of block 1
    seen = next_performance(INITIAL_PERFORMANCE, 1, 1)
    weight = StakePerformanceActivity(MINIMUM).weight(MINIMUM, seen, 0)
    assert [one.weight for one in read_frozen(StateStorage(bench.chain.state))] == [weight, weight]


def test_who_leaves_after_the_weights_are_frozen_makes_room_for_the_next():
    bench, other = (CommitteeBench(6, parameters=StakingParameters(3, 2, MINIMUM)) for _ in range(2))
    other.to_slot(2)
    winners = other.ask("committee", 3)
    leaving = [one.address for one in bench.accounts].index(winners[0])
    bench.to_slot(1)
    bench.extend()
    bench.extend()
    bench.extend(bench.order(leaving, "unregister"))  # the last block of slot 1
    assert winners[0] not in bench.ask("committee", 3)
    assert winners[1] in bench.ask("committee", 3)
    assert len(bench.ask("committee", 3)) == 2


def test_a_state_without_committees_is_a_bug_of_ours():
    state = State()
    StakingParameters().write(StateStorage(state))
    with pytest.raises(InvariantBroken, match="without a committee"):
        elect_committee(state, 2, bytes(32))
