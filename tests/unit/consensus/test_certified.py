"""The rules of committee chains, with a chain and without: what each malformed header or seal breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.beacon import first_seed
from chainstack_sdk.consensus.bft.certificate import Certificate
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.certified import CommitteeRule, KnownCommittees
from chainstack_sdk.consensus.retarget import FixedDifficulty
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import StakingParameters, genesis_committees
from chainstack_sdk.consensus.staking.mining import CommitteeWork
from chainstack_sdk.consensus.terms import drawn_leader
from chainstack_sdk.primitives import InvalidInput, ether
from chainstack_sdk.testing.committee import CommitteeBench

SLOTS_OF_THREE = StakingParameters(3, 4, ether(1))


@pytest.fixture(scope="module")
def bench():
    """Six validators, slots of three blocks, four seats; seven blocks. Not to be changed."""
    bench = CommitteeBench(6, parameters=SLOTS_OF_THREE)
    for _ in range(7):
        bench.extend()
    return bench


def light_client(bench):
    """Return a rule that knows nothing but the genesis."""
    known = KnownCommittees(bench.terms, genesis_committees(bench.genesis))
    return CommitteeRule(bench.terms, known), known


def block(bench, height):
    return bench.chain.ledger.block(height)


def seal(bench, height, **changes):
    """The seal of a block with parts of it replaced."""
    return replace(CommitteeSeal.decode(block(bench, height).seal), **changes).encode()


def test_a_light_client_follows_from_slot_to_slot(bench):
    rule, known = light_client(bench)
    for height in range(1, 8):
        parent, child = block(bench, height - 1).header, block(bench, height)
        rule.validate_header(child.header, child.seal, parent)
        rule.validate_finality(child.header, child.seal)
        if height in (3, 6):
            slot = 2 + height // 3 - 1
            assert known.advance(child.header, child.seal, bench.committees.at(slot)) == slot
    assert known.at(3) == bench.committees.at(3)


def test_a_header_within_a_slot_teaches_the_next_committee(bench):
    terms = bench.terms
    known = KnownCommittees(terms, {0: bench.committees.at(0)})
    first = block(bench, 1)
    assert known.advance(first.header, first.seal, bench.committees.at(1)) == 1
    assert known.at(1) == bench.committees.at(1)


def test_nothing_is_learnt_from_a_header_that_is_not_final_or_names_another_committee(bench):
    rule, known = light_client(bench)
    third = block(bench, 3)
    other = ValidatorSet([Validator(b"\x01" * 20, 1)])
    with pytest.raises(InvalidInput, match="another committee"):
        known.advance(third.header, third.seal, other)
    lying = replace(third.header, next_committee_hash=other.hash)
    with pytest.raises(InvalidInput, match="signature"):
        known.advance(lying, third.seal, other)
    with pytest.raises(InvalidInput, match="not known"):
        known.at(2)
    seventh = block(bench, 7)
    for check in (
        lambda: known.advance(seventh.header, seventh.seal, other),
        lambda: rule.validate_finality(seventh.header, seventh.seal),
        lambda: rule.validate_header(seventh.header, seventh.seal, block(bench, 6).header),
    ):
        with pytest.raises(InvalidInput, match="not known"):
            check()
    assert not rule.is_right(seventh.header, b"\x01" * 20, bytes(80))


def headers(bench):
    """Headers of block 5 with one thing wrong, by what the refusal says; all of them badly sealed too."""
    good = block(bench, 5).header
    index = good.seed_proof[:2]
    return {
        "another chain": replace(good, chain_id=1),
        "wrong slot": replace(good, slot=0),
        "seed does not follow": replace(good, seed=b"\x05" * 32),
        "another length": replace(good, seed_proof=b""),
        "nobody in the committee": replace(good, seed_proof=b"\xff\xff" + good.seed_proof[2:]),
        "not this key's": replace(good, seed_proof=bytes([0, (index[1] + 1) % 4]) + good.seed_proof[2:]),
    }


@pytest.mark.parametrize(
    "what",
    [
        "another chain",
        "wrong slot",
        "seed does not follow",
        "another length",
        "nobody in the committee",
        "not this key's",
    ],
)
def test_a_wrong_header_is_refused(bench, what):
    rule, _ = light_client(bench)
    parent = block(bench, 4).header
    header = headers(bench)[what]
    with pytest.raises(InvalidInput, match=what):
        rule.validate_candidate(header, parent)
    with pytest.raises(InvalidInput, match=what):
        rule.validate_header(header, block(bench, 5).seal, parent)


def test_a_right_header_needs_no_seal_to_be_a_candidate(bench):
    rule, _ = light_client(bench)
    rule.validate_candidate(block(bench, 5).header, block(bench, 4).header)


def test_nobody_certifies_genesis(bench):
    rule, _ = light_client(bench)
    genesis, first = block(bench, 0).header, block(bench, 1).header
    assert first.seed == first_seed(genesis.seed)
    rule.validate_candidate(first, genesis)
    with pytest.raises(InvalidInput, match="does not follow"):
        rule.validate_candidate(replace(first, seed=genesis.seed), genesis)
    for wrong in (
        replace(first, seed_proof=block(bench, 2).header.seed_proof),
        replace(first, parent_certificate_hash=b"\x01" * 32),
    ):
        with pytest.raises(InvalidInput, match=r"nobody (certifies|proves)"):
            rule.validate_candidate(wrong, genesis)


def seals(bench):
    """Seals of block 5 with one thing wrong, and what the refusal says."""
    good = CommitteeSeal.decode(block(bench, 5).seal)
    certificate = Certificate.decode(good.certificate)
    signatures = certificate.signatures

    def signed(round_, *signatures):
        return seal(bench, 5, certificate=Certificate(round_, signatures).encode())

    elsewhere = CommitteeSeal.decode(block(bench, 4).seal).seed_proof
    return {
        "nothing": (b"", "RLP"),
        "no certificate": (seal(bench, 5, certificate=b""), "bitmap"),
        "too few": (signed(0, *signatures[:2]), "more than 2/3"),
        "another round": (signed(1, *signatures), "not its validator's"),
        "one for two": (
            signed(0, signatures[0], (1, signatures[0][1]), *signatures[2:]),
            "not its validator's",
        ),
        "a stranger": (signed(0, *signatures, (4, signatures[0][1])), "not there"),
        "another block's": (block(bench, 4).seal, "not its validator's"),
        "no proof": (seal(bench, 5, seed_proof=b""), "no proof of randomness"),
        "a proof of nothing": (seal(bench, 5, seed_proof=bytes(80)), "not a proof"),
        "another block's proof": (seal(bench, 5, seed_proof=elsewhere), "not this key's"),
        "a nonce": (seal(bench, 5, nonce=0), "nonce"),
    }


CERTIFIED = ("no proof", "a proof of nothing", "another block's proof", "a nonce")


@pytest.mark.parametrize(
    "what",
    [
        *("nothing", "no certificate", "too few", "another round", "one for two", "a stranger"),
        *("another block's", *CERTIFIED),
    ],
)
def test_a_wrong_seal_is_refused(bench, what):
    rule, _ = light_client(bench)
    header, parent = block(bench, 5).header, block(bench, 4).header
    wrong, why = seals(bench)[what]
    with pytest.raises(InvalidInput, match=why):
        rule.validate_header(header, wrong, parent)
    if what in CERTIFIED:  # the committee has certified the block all the same
        rule.validate_finality(header, wrong)
    else:
        with pytest.raises(InvalidInput, match=why):
            rule.validate_finality(header, wrong)


def test_the_committee_of_another_slot_certifies_nothing(bench):
    """Those of slot 0 sign a header of slot 1 that names theirs."""
    rule, _ = light_client(bench)
    header = replace(block(bench, 5).header, slot=0)
    with pytest.raises(InvalidInput, match="wrong slot"):
        rule.validate_finality(header, bench.seal(header))


def test_the_proof_of_another_member_does_not_seal():
    """Only the deciding round's proposer gives the seed, though others sign in that round as well."""
    bench = CommitteeBench(4)
    candidate = bench.chain.build([], timestamp_ms=bench.chain.head.timestamp_ms + 1, proposer=bytes(20))
    header = candidate.block.header
    of_round_0, of_round_1 = (CommitteeSeal.decode(bench.seal(header, round=number)) for number in (0, 1))
    mixed = CommitteeSeal(of_round_0.certificate, of_round_1.seed_proof).encode()
    with pytest.raises(InvalidInput, match="not this key's"):
        bench.chain.commit(candidate, mixed)
    assert bench.chain.height == 0
    bench.chain.commit(candidate, of_round_1.encode())
    assert bench.chain.height == 1


def test_a_proposal_may_carry_its_proposers_proof_only(bench):
    rule, _ = light_client(bench)
    header = block(bench, 5).header
    good = CommitteeSeal.decode(block(bench, 5).seal).seed_proof
    proposer = bench.membership.proposer(5, 0)
    assert rule.is_right(header, proposer, good)
    assert not rule.is_right(header, bench.membership.proposer(5, 1), good)
    assert not rule.is_right(header, b"\x01" * 20, good)
    assert not rule.is_right(header, proposer, b"")
    assert not rule.is_right(header, proposer, good[::-1])
    assert not rule.is_right(block(bench, 4).header, proposer, good)


def test_leaders_can_be_drawn_by_the_parents_seed():
    bench = CommitteeBench(6, parameters=SLOTS_OF_THREE, leader=drawn_leader)
    other = bench.new_chain()
    for height in range(1, 9):
        parent_seed = bench.chain.head.seed
        committee = bench.membership.validators(height)
        leader = bench.membership.proposer(height, height % 3)
        assert leader == drawn_leader(committee, parent_seed, height, height % 3)
        other.append(bench.extend(round=height % 3))
    assert other.head.hash == bench.chain.head.hash


def mined_bench():
    looked_up = []

    def headers(block_hash):
        return looked_up[0].chain.header_of(block_hash)

    work = CommitteeWork(FixedDifficulty(64), headers)
    looked_up.append(CommitteeBench(4, work=work))
    return looked_up[0]


def test_work_counts_where_a_chain_asks_for_it(bench):
    mined = mined_bench()
    rule, _ = light_client(mined)
    assert rule.work(mined.chain.head) == 1
    child = mined.extend()
    assert rule.work(child.header) == 64
    assert bench.chain.header_rule.work(block(bench, 1).header) == 1


def test_a_mined_header_commits_to_the_difficulty_and_its_seal_does_the_work():
    mined = mined_bench()
    rule, _ = light_client(mined)
    genesis = mined.chain.head
    child = mined.extend()
    rule.validate_header(child.header, child.seal, genesis)
    easier = (63).to_bytes(32, "big") + child.header.work_commitment[32:]
    with pytest.raises(InvalidInput, match="wrong difficulty"):
        rule.validate_candidate(replace(child.header, work_commitment=easier), genesis)
    with pytest.raises(InvalidInput, match="64 bytes"):
        rule.validate_candidate(replace(child.header, work_commitment=b""), genesis)
    decoded = CommitteeSeal.decode(child.seal)
    with pytest.raises(InvalidInput, match="where work is asked for"):
        rule.validate_header(child.header, replace(decoded, nonce=None).encode(), genesis)
    idle = next(
        nonce
        for nonce in range(1_000)
        if int.from_bytes(mined.terms.work.work_hash.digest(child.hash, nonce), "big") > (2**256 - 1) // 64
    )
    with pytest.raises(InvalidInput, match="does not do the work"):
        rule.validate_header(child.header, replace(decoded, nonce=idle).encode(), genesis)
