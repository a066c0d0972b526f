"""The end of a block: seeds, rewards, coin, and every way in which a block can claim too much."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from chainstack_sdk.consensus.beacon import first_seed
from chainstack_sdk.consensus.certified import CommitteeRule
from chainstack_sdk.consensus.payouts import Payouts, split
from chainstack_sdk.consensus.retarget import FixedDifficulty
from chainstack_sdk.consensus.rewards import SharedRewards
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import (
    STAKING_ADDRESS,
    StakingParameters,
    StakingRules,
    StateCommittees,
)
from chainstack_sdk.consensus.staking.mining import CommitteeWork
from chainstack_sdk.consensus.terms import CommitteeTerms
from chainstack_sdk.core.blocks import certificate_hash
from chainstack_sdk.core.closing import Closing, extras_of
from chainstack_sdk.core.queries import find_receipt
from chainstack_sdk.core.state import State
from chainstack_sdk.core.validation import context_of
from chainstack_sdk.primitives import InvalidInput, InvariantBroken, UsageError, ether, keccak256
from chainstack_sdk.testing.bare import PROPOSER, bare_chain, payment
from chainstack_sdk.testing.committee import FUNDS, CommitteeBench

REWARD = ether(2)


def balances(bench):
    return [bench.chain.state.balance(one.address) for one in bench.accounts]


def books(bench):
    """Genesis supply plus minted minus burnt, which is to be the sum of all balances."""
    genesis = sum(account.balance for account in bench.genesis.accounts.values())
    return genesis + bench.ask("minted") - bench.ask("burnt")


# Headers


def test_what_headers_carry():
    bench = CommitteeBench(4)
    blocks = [bench.extend() for _ in range(9)]
    genesis = bench.chain.ledger.header(0)
    assert blocks[0].header.seed == first_seed(genesis.seed)
    assert blocks[0].header.seed_proof == blocks[0].parent_certificate == b""
    for parent, child in pairwise(blocks):
        assert child.parent_certificate == parent.seal
        assert child.header.parent_certificate_hash == certificate_hash(parent.seal)
        proof = CommitteeSeal.decode(parent.seal).seed_proof
        assert child.header.seed_proof[2:] == proof
        proposer = bench.membership.proposer(parent.height, 0)
        index = bench.membership.validators(parent.height).index_of(proposer)
        assert int.from_bytes(child.header.seed_proof[:2], "big") == index
    assert [block.header.slot for block in blocks] == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert len({block.header.seed for block in blocks}) == 9


def test_headers_commit_to_the_newest_committee():
    bench = CommitteeBench(9, parameters=StakingParameters(3, 4, ether(1)))
    for _ in range(10):
        header = bench.extend().header
        newest = bench.parameters.schedule.newest_fixed(header.height)
        assert header.next_committee_hash == bench.committees.at(newest).hash


def test_two_nodes_agree_on_everything():
    bench = CommitteeBench(5)
    other = bench.new_chain()
    for number in range(9):
        sender = bench.accounts[number % 5]
        other.append(bench.extend(payment(bench.chain, sender, PROPOSER, 3), round=number % 3))
    assert other.head == bench.chain.head


def test_a_chain_goes_back_and_comes_again_to_the_same():
    bench = CommitteeBench(4)
    blocks = [bench.extend() for _ in range(10)]
    for _ in range(10):
        bench.chain.undo()
    for block in blocks:
        bench.chain.append(block)
    assert bench.chain.head == blocks[-1].header


# Coin


def test_a_block_pays_its_proposer_and_the_committee_of_its_parent():
    bench = CommitteeBench(4, rewards=SharedRewards(block_reward=800))
    committee = bench.membership.validators(1)
    proposer = bench.membership.proposer(1, 0)
    absent = next(member.address for member in committee if member.address != proposer)
    bench.extend(absent=[absent])
    assert bench.chain.state.balance(PROPOSER) == 696  # 87 % of 800
    assert balances(bench) == [FUNDS] * 4  # nobody certified genesis
    bench.extend(proposer=b"\x31" * 20)
    assert bench.chain.state.balance(b"\x31" * 20) == 696
    part, quarters = 104, 4 + 2 + 4 + 4 + 1
    earned = {one.address: bench.chain.state.balance(one.address) - FUNDS for one in bench.accounts}
    assert earned.pop(absent) == part // quarters
    assert earned.pop(proposer) == part - part // quarters - 2 * (part * 4 // quarters)
    assert set(earned.values()) == {part * 4 // quarters}
    assert bench.ask("minted") == 696 + 800
    assert bench.ask("burnt") == 0


def test_the_deciding_rounds_proposer_has_the_extra():
    bench = CommitteeBench(4, rewards=SharedRewards(block_reward=1_800, miner_percent=0))
    bench.extend(round=3)
    bench.extend()
    leader = bench.membership.proposer(1, 3)
    earned = {one.address: bench.chain.state.balance(one.address) - FUNDS for one in bench.accounts}
    assert earned.pop(leader) == 600
    assert set(earned.values()) == {400}


def test_fees_are_divided_with_the_reward():
    bench = CommitteeBench(4, rewards=SharedRewards(block_reward=0))
    bench.extend()
    transaction = payment(bench.chain, bench.accounts[0], b"\x31" * 20, 1)
    bench.extend(transaction)
    receipt = find_receipt(bench.chain, transaction.hash)
    fee = receipt.gas_used * receipt.effective_gas_price
    assert bench.chain.state.balance(PROPOSER) == fee * 87 // 100
    assert (bench.ask("minted"), bench.ask("burnt")) == (0, 0)
    assert sum(balances(bench)) == 4 * FUNDS - 1 - fee * 87 // 100


def test_what_the_first_block_cannot_pay_is_burnt_or_not_minted():
    """Block 1 has no verifiers: of the fees their part is burnt, of the reward it is never made."""
    bench = CommitteeBench(4, rewards=SharedRewards(block_reward=0))
    transaction = payment(bench.chain, bench.accounts[0], b"\x31" * 20, 1)
    bench.extend(transaction)
    receipt = find_receipt(bench.chain, transaction.hash)
    fee = receipt.gas_used * receipt.effective_gas_price
    assert (bench.ask("minted"), bench.ask("burnt")) == (0, fee - fee * 87 // 100)
    assert bench.chain.state.supply() == books(bench)


def test_base_fees_can_be_burnt():
    bench = CommitteeBench(4, burn_base_fee=True)
    bench.extend()
    base_fee = bench.chain.next_base_fee
    bench.extend(payment(bench.chain, bench.accounts[0], b"\x31" * 20, 1))
    assert bench.ask("burnt") == 21_000 * base_fee > 0
    # the tip is paid out with the reward: what was minted is the whole reward
    assert bench.ask("minted") == REWARD * 87 // 100 + REWARD
    assert bench.chain.state.supply() == books(bench)


class Greedy(SharedRewards):
    """Pays the verifiers the miners' part once more."""

    def divide(self, reward_and_fees):
        return reward_and_fees, reward_and_fees


class Backward(SharedRewards):
    """Takes from verifiers."""

    def verifier_shares(self, part, members, signers, proposer):
        return [(members[0], -1)]


@pytest.mark.parametrize("policy", [Greedy(), Backward()])
def test_a_policy_that_pays_more_than_there_is_or_less_than_nothing_is_stopped(policy):
    bench = CommitteeBench(4, rewards=policy)
    bench.extend()
    with pytest.raises(InvariantBroken, match="pays more"):
        bench.extend()
    assert bench.chain.height == 1


# Blocks that claim too much


def candidate_after_two(bench):
    """Return an encoded third block and a chain that holds the first two."""
    other = bench.new_chain()
    for _ in range(2):
        other.append(bench.extend())
    return other, bench.extend()


def resealed(bench, block, header, **changes):
    """Return the block with another header, certified by everybody all the same."""
    bench.chain.undo()
    seal = bench.seal(header)
    return replace(block, header=header, seal=seal, **changes)


def test_a_parent_certificate_that_proves_nothing_is_refused():
    bench = CommitteeBench(4)
    other, block = candidate_after_two(bench)
    good = CommitteeSeal.decode(block.parent_certificate)
    other_round = bench.chain.ledger.block(1).seal
    for certificate in (
        b"",
        other_round,
        replace(good, seed_proof=bytes(80)).encode(),
        replace(good, certificate=good.certificate[:-65]).encode(),
    ):
        header = replace(block.header, parent_certificate_hash=certificate_hash(certificate))
        forged = resealed(bench, block, header, parent_certificate=certificate)
        bench.chain.append(block)
        root = other.state.root
        with pytest.raises(InvalidInput):
            other.append(forged)
        assert (other.height, other.state.root) == (2, root)
    other.append(block)


def test_the_seed_must_come_of_the_seal_that_the_block_carries():
    """A right header by itself, with a right seal of the parent by itself, of different rounds."""
    bench = CommitteeBench(4)
    twin = CommitteeBench(4)
    other = bench.new_chain()
    other.append(bench.extend(round=0))
    twin.extend(round=1)
    assert twin.chain.head.hash == bench.chain.head.hash
    block = bench.extend()
    later = twin.chain.ledger.block(1).seal
    header = replace(block.header, parent_certificate_hash=certificate_hash(later))
    forged = resealed(bench, block, header, parent_certificate=later)
    with pytest.raises(InvalidInput, match="wrong seed"):
        other.append(forged)
    other.append(block)


def test_a_block_may_carry_any_right_seal_of_its_parent():
    """A node that saw another round decide accepts it, and both go on from one seed."""
    bench, twin = CommitteeBench(4), CommitteeBench(4)
    bench.extend(round=0)
    twin.extend(round=1)
    block = bench.extend()
    twin.chain.append(block)
    assert twin.chain.head == bench.chain.head


def test_attachments_are_refused_where_nobody_mines():
    bench = CommitteeBench(4)
    with pytest.raises(UsageError, match="no attachment"):
        bench.extend(attachment=b"payouts")
    other, block = candidate_after_two(bench)
    with pytest.raises(InvalidInput, match="no attachment"):
        other.append(replace(block, attachment=b"payouts"))
    header = replace(block.header, work_commitment=bytes(64))
    with pytest.raises(InvalidInput, match="work commitment"):
        other.append(resealed(bench, block, header))


def test_genesis_has_no_certificate():
    bench = CommitteeBench(4)
    other = bench.new_chain()
    block = bench.extend()
    certificate = b"certificate"
    header = replace(block.header, parent_certificate_hash=certificate_hash(certificate))
    forged = resealed(bench, block, header, parent_certificate=certificate)
    with pytest.raises(InvalidInput, match="nobody certifies genesis"):
        other.append(forged)
    with pytest.raises(InvalidInput, match="nobody certifies genesis"):
        other.rules.close(closing_of(other, forged))


def closing_of(chain, block, **changes):
    header = replace(block.header, **changes)
    parent = chain.head
    return Closing(chain.state, context_of(header), parent, extras_of(replace(block, header=header)), 0, 0)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("slot", {"slot": 1}),
        ("seed", {"seed": b"\x05" * 32}),
        ("seed proof", {"seed_proof": bytes(82)}),
        ("work commitment", {"work_commitment": bytes(64)}),
    ],
)
def test_the_rules_check_headers_themselves(name, changes):
    """Also under a header rule that accepts all."""
    bench = CommitteeBench(4)
    other, block = candidate_after_two(bench)
    mark = other.state.checkpoint()
    with pytest.raises(InvalidInput, match=f"wrong {name} in a block"):
        other.rules.close(closing_of(other, block, **changes))
    assert other.state.checkpoint() == mark
    closing = closing_of(other, block)
    other.rules.close(closing)
    assert closing.next_committee_hash == block.header.next_committee_hash
    other.state.rollback(mark)


def test_rules_serve_one_chain():
    bench = CommitteeBench(4)
    other, block = candidate_after_two(bench)
    with pytest.raises(UsageError, match="another state"):
        bench.chain.rules.close(closing_of(other, block))


# Work


def mined_bench(**options):
    """A bench whose blocks need 32 hashes on average."""
    holder = []
    work = CommitteeWork(FixedDifficulty(32), lambda block_hash: holder[0].chain.header_of(block_hash))
    holder.append(CommitteeBench(4, work=work, rewards=SharedRewards(block_reward=1_000), **options))
    return holder[0]


def test_miners_are_paid_by_their_work():
    bench = mined_bench()
    payouts = Payouts(((b"\x11" * 20, 3), (b"\x22" * 20, 1)))
    block = bench.extend(attachment=payouts.encode())
    assert block.header.work_commitment == (32).to_bytes(32, "big") + payouts.hash
    for address, amount in split(870, payouts.entries):
        assert bench.chain.state.balance(address) == amount
    assert bench.chain.state.balance(PROPOSER) == 0
    bench.extend()
    assert bench.chain.state.balance(PROPOSER) == 870


def test_payouts_that_the_header_does_not_commit_to_are_refused():
    bench = mined_bench()
    other = bench.new_chain()
    block = bench.extend(attachment=Payouts(((b"\x11" * 20, 3),)).encode())
    forged = replace(block, attachment=Payouts(((b"\x22" * 20, 3),)).encode())
    with pytest.raises(InvalidInput, match="wrong work commitment"):
        other.append(forged)
    with pytest.raises(InvalidInput, match="36 bytes"):
        other.append(replace(block, attachment=b"x"))
    other.append(block)
    with pytest.raises(UsageError, match="36 bytes"):
        bench.extend(attachment=b"x")


def test_the_parents_seal_must_do_the_work_too():
    bench = mined_bench()
    other, block = candidate_after_two(bench)
    good = CommitteeSeal.decode(block.parent_certificate)
    parent = bench.chain.ledger.header(2)
    idle = next(
        nonce
        for nonce in range(1_000)
        if int.from_bytes(bench.terms.work.work_hash.digest(parent.hash, nonce), "big") > 2**251
    )
    for nonce in (None, idle):
        certificate = replace(good, nonce=nonce).encode()
        header = replace(block.header, parent_certificate_hash=certificate_hash(certificate))
        forged = replace(block, header=header, parent_certificate=certificate)
        with pytest.raises(InvalidInput, match=r"nonce"):
            other.rules.close(closing_of(other, forged))


# Elsewhere


def test_everybody_may_send_and_contracts_of_genesis_are_there():
    bench = CommitteeBench(4)
    assert bench.chain.rules.admit(bench.chain.state, keccak256(b"anybody")[:20]) is None
    assert bench.chain.state.code(STAKING_ADDRESS)


def test_a_genesis_without_the_contract_has_nobody_to_certify_its_blocks():
    bench = CommitteeBench(4)
    state = State()
    chain = bare_chain(
        state=state,
        header_rule=CommitteeRule(bench.terms, StateCommittees(state)),
        rules=StakingRules(
            bench.terms, state, rewards=SharedRewards(), reputation=bench.chain.rules._reputation
        ),
    )
    candidate = chain.build([], timestamp_ms=chain.head.timestamp_ms + 1, proposer=PROPOSER)
    with pytest.raises(InvalidInput, match="no committee"):
        chain.commit(candidate, bench.chain.ledger.block(0).seal)


def test_a_schedule_other_than_that_of_genesis_is_found_out():
    bench = CommitteeBench(4, parameters=StakingParameters(3, 4, ether(1)))
    terms = CommitteeTerms(bench.terms.chain_id, StakingParameters(2).schedule, bench.terms.scheme)
    state = State()
    other = bench.new_chain()
    stray = bare_chain(
        genesis=bench.genesis,
        state=state,
        runtime=bench.chain.runtime,
        header_rule=CommitteeRule(terms, StateCommittees(state)),
        rules=StakingRules(terms, state, rewards=SharedRewards(), reputation=bench.chain.rules._reputation),
    )
    blocks = [bench.extend() for _ in range(4)]
    stray.append(blocks[0])
    with pytest.raises(InvalidInput, match="wrong state root"):
        stray.append(blocks[1])
    for block in blocks:
        other.append(block)
