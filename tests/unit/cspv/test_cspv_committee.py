"""Anchors of committee chains: what they verify, how they follow the committees, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import UsageError, ether
from chainstack_sdk.consensus.bft.certificate import Certificate
from chainstack_sdk.consensus.bft.messages import Vote, VoteKind
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.membership import MEMBERSHIP_ADDRESS
from chainstack_sdk.consensus.seals import CommitteeSeal
from chainstack_sdk.consensus.staking import SlotSchedule, StakingParameters, genesis_committees
from chainstack_sdk.cspv.committee import ANCHOR_BYTES, CommitteeAnchor
from chainstack_sdk.cspv.committee_prover import CommitteeFinality, bare_certificate
from chainstack_sdk.cspv.committee_update import Certified, Skip, Step, decode_update
from chainstack_sdk.cspv.prover import prove_account, prove_receipt
from chainstack_sdk.cspv.schemes import anchor_from_bytes
from chainstack_sdk.cspv.verify.format import Proof, evidence_finality
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.bare import payment
from chainstack_sdk.testing.committee import CommitteeBench

SLOT_BLOCKS = 3
BOB = b"\xb0" * 20


@pytest.fixture(scope="module")
def bench():
    """Nine validators for four seats, slots of three blocks: committees change. Eight slots; read only."""
    bench = CommitteeBench(9, parameters=StakingParameters(SLOT_BLOCKS, 4, ether(1)))
    for _ in range(8 * SLOT_BLOCKS):
        bench.extend(payment(bench.chain, bench.accounts[0], BOB, 5))
    return bench


@pytest.fixture(scope="module")
def steady():
    """Four validators for four seats: the committee stays the same. Eight slots; read only."""
    bench = CommitteeBench(4, parameters=StakingParameters(SLOT_BLOCKS, 4, ether(1)))
    bench.to_slot(8)
    return bench


def finality_of(bench):
    return CommitteeFinality(bench.chain, bench.parameters.schedule)


def from_genesis(bench):
    """The anchor of somebody who has the genesis and nothing else."""
    committees = genesis_committees(bench.genesis)
    hashes = (committees[0].hash, committees[1].hash)
    return CommitteeAnchor(bench.genesis.chain_id, bench.parameters.schedule.blocks, 0, hashes)


def receipt_proof(bench, height):
    return prove_receipt(bench.chain, finality_of(bench), height, 0)


def certified(bench, height, signers=None):
    """A header with its certificate, or with the precommits of accounts by their numbers."""
    block = bench.chain.ledger.block(height)
    if signers is None:
        return Certified(block.header, CommitteeSeal.decode(block.seal).certificate)
    digest = Vote(VoteKind.PRECOMMIT, height, 0, block.hash).digest(bench.genesis.chain_id)
    signatures = tuple((at, bench.accounts[number].sign(digest)) for at, number in enumerate(signers))
    return Certified(block.header, Certificate(0, signatures).encode())


def committee(bench, slot):
    with bench.chain.state_at(min(slot * SLOT_BLOCKS + 1, bench.chain.height)):
        return bench.committees.at(slot)


# Proofs --------------------------------------------------------------------------------------------------


def test_the_genesis_verifies_the_first_two_slots(bench):
    anchor = from_genesis(bench)
    for height in range(1, 2 * SLOT_BLOCKS + 1):
        proof = receipt_proof(bench, height)
        proven = anchor.verify(proof.to_bytes())
        assert proven == anchor.verify(proof)
        assert proven.succeeded
        assert proven.height == height
        assert proven.block_hash == bench.chain.ledger.header(height).hash
    account = anchor.verify(prove_account(bench.chain, finality_of(bench), BOB, 4))
    assert account.balance == 4 * 5


def test_a_slot_that_the_anchor_does_not_know_is_told(bench):
    proof = receipt_proof(bench, 2 * SLOT_BLOCKS + 1)
    with pytest.raises(InvalidInput, match="does not know the committee") as refused:
        from_genesis(bench).verify(proof)
    assert refused.value.slot == 2
    early = receipt_proof(bench, 1)
    with pytest.raises(InvalidInput, match="does not know the committee") as refused:
        finality_of(bench).anchor(3).verify(early)
    assert refused.value.slot == 0


def test_the_anchor_of_a_node_is_of_its_newest_slot(bench):
    anchor = finality_of(bench).anchor()
    assert anchor.slot == 7
    assert anchor.verify(receipt_proof(bench, bench.chain.height)).succeeded


def test_a_proof_for_another_chain_or_with_another_slot_is_refused(bench):
    anchor, proof = from_genesis(bench), receipt_proof(bench, 2)
    with pytest.raises(InvalidInput, match="not its validator's"):
        replace(anchor, chain_id=anchor.chain_id + 1).verify(proof)
    with pytest.raises(InvalidInput, match="wrong slot"):
        anchor.verify(replace(proof, slot=1))
    with pytest.raises(InvalidInput, match="not its validator's"):
        anchor.verify(replace(proof, height=3))
    with pytest.raises(InvalidInput, match="another committee"):
        replace(anchor, committees=anchor.committees[::-1]).verify(proof)


def test_evidence_needs_more_than_two_thirds(bench):
    anchor, proof = from_genesis(bench), receipt_proof(bench, 2)
    encoded, good = rlp_decode(proof.finality[4:])
    certificate = Certificate.decode(good)
    few = Certificate(0, certificate.signatures[:2]).encode()
    enough = Certificate(0, certificate.signatures[:3]).encode()
    assert anchor.verify(with_evidence(proof, rlp_encode([encoded, enough]))).succeeded
    for evidence, why in (
        (rlp_encode([encoded, few]), "more than 2/3"),
        (rlp_encode([encoded, good, b""]), "a list of committee and certificate"),
        (rlp_encode([encoded, [good]]), "a list of committee and certificate"),
        (rlp_encode([committee(bench, 1).encode(), good]), "another committee"),
        (rlp_encode([encoded, b""]), "bitmap"),
        (b"", "RLP"),
    ):
        with pytest.raises(InvalidInput, match=why):
            anchor.verify(with_evidence(proof, evidence))


def with_evidence(proof, evidence):
    return replace(proof, finality=evidence_finality(evidence))


def test_nobody_certifies_genesis(bench):
    with pytest.raises(UsageError, match="nobody certifies genesis"):
        finality_of(bench).evidence(bench.chain.ledger.header(0))


def test_every_byte_of_a_proof_counts(bench):
    """Each byte is changed in one way, the way by its place: the soundness test goes on from there."""
    anchor, proof = from_genesis(bench), receipt_proof(bench, 2).to_bytes()
    changes = (1, 0x80, 0xFF)
    for at in range(0, len(proof), 7):
        wrong = bytearray(proof)
        wrong[at] ^= changes[at % 3]
        with pytest.raises(InvalidInput):
            anchor.verify(bytes(wrong))


@pytest.mark.long
def test_every_change_of_every_byte_of_a_proof_is_refused(bench):
    anchor, proof = from_genesis(bench), receipt_proof(bench, 2).to_bytes()
    for at in range(len(proof)):
        for change in (1, 0x80, 0xFF):
            wrong = bytearray(proof)
            wrong[at] ^= change
            with pytest.raises(InvalidInput):
                anchor.verify(bytes(wrong))


# Anchors as bytes ------------------------------------------------------------------------------------------


def test_an_anchor_is_90_bytes(bench):
    anchor = finality_of(bench).anchor(2)
    data = anchor.to_bytes()
    assert len(data) == ANCHOR_BYTES
    assert anchor_from_bytes(data) == CommitteeAnchor.from_bytes(data) == anchor
    for wrong in (data[:-1], data + b"\0", b"\2" + data[1:], data[:1] + b"\3" + data[2:]):
        with pytest.raises(InvalidInput):
            CommitteeAnchor.from_bytes(wrong)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"chain_id": 1 << 64}, "64 bits"),
        ({"slot": -1}, "64 bits"),
        ({"blocks_per_slot": 0}, "at least one block"),
        ({"committees": (b"\1" * 32, bytes(32))}, "hash of 32 bytes"),
        ({"committees": (b"\1" * 31, b"\1" * 32)}, "hash of 32 bytes"),
    ],
)
def test_an_anchor_of_nothing_is_refused(bench, changes, why):
    with pytest.raises(InvalidInput, match=why):
        replace(from_genesis(bench), **changes)


# Steps ---------------------------------------------------------------------------------------------------


def test_an_anchor_steps_from_slot_to_slot(bench):
    finality, anchor = finality_of(bench), from_genesis(bench)
    for slot in range(1, 8):
        anchor = anchor.advance(finality.step(anchor))
        assert anchor == finality.anchor(slot)
        assert anchor.verify(receipt_proof(bench, slot * SLOT_BLOCKS + 2)).succeeded


def test_an_anchor_learns_from_any_block_of_the_next_slot_but_its_last(bench):
    anchor = from_genesis(bench)
    second = committee(bench, 1).encode()
    for height in (SLOT_BLOCKS + 1, SLOT_BLOCKS + 2):
        assert anchor.advance(Step(certified(bench, height), second).encode()) == finality_of(bench).anchor(1)
    for height, names in ((1, 0), (2, 0), (2 * SLOT_BLOCKS, 1)):
        with pytest.raises(InvalidInput, match="an anchor learns from"):
            anchor.advance(Step(certified(bench, height), committee(bench, names).encode()).encode())


def test_an_anchor_steps_where_slots_have_one_block():
    bench = CommitteeBench(6, parameters=StakingParameters(1, 4, ether(1)))
    for _ in range(5):
        bench.extend()
    finality, anchor = finality_of(bench), from_genesis(bench)
    for slot in range(1, 5):
        anchor = anchor.advance(finality.step(anchor))
        assert anchor == finality.anchor(slot)
    with pytest.raises(UsageError, match="several blocks"):
        finality.skip(from_genesis(bench), 4)


def test_a_step_that_nobody_certified_is_refused(bench):
    anchor, first = from_genesis(bench), committee(bench, 0).encode()
    good = certified(bench, SLOT_BLOCKS)
    lying = replace(good.header, next_committee_hash=b"\1" * 32)
    second = committee(bench, 1).encode()
    few = Certificate(0, Certificate.decode(good.certificate).signatures[:2]).encode()
    for step, why in (
        (Step(replace(good, header=lying), first), "not its validator's"),
        (Step(replace(good, header=replace(good.header, chain_id=1)), first), "another chain"),
        (Step(replace(good, header=replace(good.header, slot=1)), first), "wrong slot"),
        (Step(good, second), "another committee"),
        (Step(replace(good, certificate=few), first), "more than 2/3"),
        (
            Step(certified(bench, 3 * SLOT_BLOCKS), committee(bench, 2).encode()),
            "does not know the committee",
        ),
    ):
        with pytest.raises(InvalidInput, match=why):
            anchor.advance(step.encode())
    assert anchor == from_genesis(bench)


def test_a_header_that_names_no_committee_teaches_nothing(bench):
    """Signed by all the same: a chain without elections, say."""
    signers = [number for number, one in enumerate(bench.accounts) if one.address in committee(bench, 0)]
    signers.sort(key=lambda number: bench.accounts[number].address)
    header = replace(bench.chain.ledger.header(SLOT_BLOCKS), next_committee_hash=bytes(32))
    digest = Vote(VoteKind.PRECOMMIT, header.height, 0, header.hash).digest(header.chain_id)
    signatures = tuple((at, bench.accounts[number].sign(digest)) for at, number in enumerate(signers))
    step = Step(Certified(header, Certificate(0, signatures).encode()), committee(bench, 0).encode())
    with pytest.raises(InvalidInput, match="hash of 32 bytes"):
        from_genesis(bench).advance(step.encode())


def test_bytes_that_are_no_update_are_refused(bench):
    step = finality_of(bench).step(from_genesis(bench))
    for wrong in (b"", b"\xc0", step[:-1], step + b"\0", rlp_encode([b""] * 4), rlp_encode([b"", [], b""])):
        with pytest.raises(InvalidInput):
            from_genesis(bench).advance(wrong)
    assert decode_update(step).encode() == step


def test_steps_that_the_chain_cannot_give_yet(bench):
    finality = finality_of(bench)
    ahead = replace(from_genesis(bench), slot=8)
    with pytest.raises(UsageError, match="no such block yet"):
        finality.step(ahead)
    with pytest.raises(UsageError, match="no committee of this slot"):
        finality.anchor(9)


# Skips ---------------------------------------------------------------------------------------------------


def test_an_anchor_skips_where_a_third_of_the_old_weight_is_left(steady):
    finality, anchor = finality_of(steady), from_genesis(steady)
    skipped = anchor.advance(finality.skip(anchor, 7))
    assert skipped == finality.anchor(7)
    assert decode_update(finality.skip(anchor, 3)).encode() == finality.skip(anchor, 3)
    for slot in (2, 8):
        with pytest.raises(UsageError, match="three slots" if slot == 2 else "no such block"):
            finality.skip(anchor, slot)


def test_a_skip_needs_more_than_a_third_of_the_trusted_weight(steady):
    """Of four equal members two are enough, one is not, whoever else signs and however often."""
    finality, anchor = finality_of(steady), from_genesis(steady)
    skip = decode_update(finality.skip(anchor, 5))
    height = skip.witness.header.height
    stranger = CommitteeBench(1, name="strangers").accounts[0]
    digest = Vote(VoteKind.PRECOMMIT, height, 0, skip.witness.header.hash).digest(anchor.chain_id)
    mine = steady.accounts[0].sign(digest)
    padded = Certificate(0, ((0, mine), (1, stranger.sign(digest)), (2, mine), (3, bytes(65)))).encode()
    enough = replace(skip, witness=certified(steady, height, signers=(1, 2)))
    assert anchor.advance(enough.encode()) == finality.anchor(5)
    for witness in (certified(steady, height, signers=(0,)), replace(skip.witness, certificate=padded)):
        with pytest.raises(InvalidInput, match="more than 1/3") as refused:
            anchor.advance(replace(skip, witness=witness).encode())
        assert 4 * refused.value.actual == refused.value.expected


def test_a_skip_is_as_good_as_its_parts(steady, bench):
    finality, anchor = finality_of(steady), from_genesis(steady)
    skip = decode_update(finality.skip(anchor, 5))
    first, second = skip.witness.header.height, skip.certified.header.height
    other = ValidatorSet([Validator(one.address, 1) for one in steady.accounts])
    few = certified(steady, second, signers=(0, 1))
    lying = replace(skip.witness.header, next_committee_hash=other.hash)
    for wrong, why in (
        (replace(skip, trusted=other.encode()), "that this anchor knows"),
        (replace(skip, committee=other.encode()), "another committee"),
        (replace(skip, certified=few), "more than 2/3|not its validator's"),
        (replace(skip, witness=replace(skip.witness, header=lying)), "more than 1/3"),
        (replace(skip, witness=certified(steady, first + 2)), "last block of a slot"),
        (replace(skip, certified=certified(steady, second + 2)), "last block of a slot"),
        (replace(skip, certified=certified(steady, second + SLOT_BLOCKS)), "over a slot at least"),
        (replace(skip, witness=certified(steady, SLOT_BLOCKS + 1)), "over a slot at least"),
        (replace(skip, witness=certified(steady, 1)), "over a slot at least"),
        (
            Skip(skip.trusted, certified(steady, 4), skip.committee, certified(steady, 7)),
            "over a slot at least",
        ),
    ):
        with pytest.raises(InvalidInput, match=why):
            anchor.advance(wrong.encode())
    foreign = replace(skip.witness.header, chain_id=5)
    with pytest.raises(InvalidInput, match="another chain"):
        anchor.advance(replace(skip, witness=replace(skip.witness, header=foreign)).encode())


def test_without_the_old_members_only_steps_are_left():
    """Members of slot 2 and later share nobody with those of slots 0 and 1."""
    bench = CommitteeBench(
        8, registered=4, parameters=StakingParameters(SLOT_BLOCKS, 4, ether(1)), name="exodus"
    )
    bench.extend(
        *[
            bench.order(number, "register", *bench.proven_key(number), value=ether(1_000) // 2)
            for number in range(4, 8)
        ]
    )
    bench.extend(*[bench.order(number, "unregister") for number in range(4)])
    while not (slot := bench.parameters.schedule.slot_of(bench.chain.height)) or any(
        one.address in {account.address for account in bench.accounts[:4]}
        for one in bench.committees.at(slot)
    ):
        bench.extend()
    bench.to_slot(slot + 1)
    bench.extend()
    finality, anchor = finality_of(bench), from_genesis(bench)
    with pytest.raises(UsageError, match="too little of the trusted weight"):
        finality.skip(anchor, slot + 1)
    while anchor.slot < slot:
        anchor = anchor.advance(finality.step(anchor))
    assert anchor == finality.anchor(slot)


def test_a_skip_goes_by_the_first_committee_where_the_second_is_gone(bench):
    """Whichever of the two the update names, the anchor decides by that one."""
    finality = finality_of(bench)
    tried = {}
    for start in range(5):
        anchor = finality.anchor(start)
        for slot in range(start + 3, 8):
            try:
                update = finality.skip(anchor, slot)
            except UsageError:
                continue
            assert anchor.advance(update) == finality.anchor(slot)
            tried[anchor.committees.index(ValidatorSet.decode(decode_update(update).trusted).hash)] = True
    assert tried


# A chain of members ----------------------------------------------------------------------------------------


def test_a_chain_of_members_has_its_certificates_bare():
    from chainstack_sdk import Chain

    alice, bob = accounts(2)
    consensus = local_consensus("pbft", members=local_members(4, "ours"), blocks_per_slot=2)
    chain = Chain.in_memory({alice: ether(1)}, consensus=consensus, auto_seal=True)
    for _ in range(7):
        chain.transfer(alice, bob, 1)
    finality = CommitteeFinality(
        chain.blockchain, SlotSchedule(2), contract=MEMBERSHIP_ADDRESS, certificate=bare_certificate
    )
    assert isinstance(consensus.kind, PbftChain)
    anchor = finality.anchor(0)
    skipped = anchor.advance(finality.skip(anchor, 3))
    for _ in range(3):
        anchor = anchor.advance(finality.step(anchor))
    assert anchor == skipped
    proof = prove_receipt(chain.blockchain, finality, 7, 0)
    assert anchor.verify(Proof.from_bytes(proof.to_bytes())).succeeded
