"""Anchors of mined chains: what they verify, what forgers try, where samples lie, and how proofs grow."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from chainstack_sdk import Chain, UsageError, ether
from chainstack_sdk.consensus.work import NONCES, DoubleSha256, KeccakWork, target_of, work_commitment
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.fees import next_base_fee
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.cspv.prover import prove_account, prove_receipt
from chainstack_sdk.cspv.schemes import anchor_from_bytes
from chainstack_sdk.cspv.verify.format import FinalityScheme, ItemPath, Kind, Proof, evidence_finality
from chainstack_sdk.cspv.work import ANCHOR_BYTES, WorkAnchor, heavier
from chainstack_sdk.cspv.work_evidence import MinedHeader, WorkEvidence
from chainstack_sdk.cspv.work_policy import POLICY_BYTES, WorkPolicy
from chainstack_sdk.cspv.work_prover import WorkFinality
from chainstack_sdk.cspv.work_sampling import sample_count, sample_positions, scaled_down
from chainstack_sdk.cspv.work_tree import fold, leaf_of, nodes_beside, peaks_before, unpack_nodes, work_before
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import accounts

ALICE, BOB = accounts(2)
POLICY = WorkPolicy(soundness_bits=20, confirmations=8, parts=2)
MINED = 120
IDLE = b"\xff" * 8


class HeaderChain:
    """A chain of headers without blocks in them, mined with any difficulty, or not mined at all.

    It has what a prover needs of a chain. Receipts are empty, so that what is proven is a made-up message.
    """

    def __init__(self, chain_id: int = 31337, work_hash=None) -> None:
        self.history = MountainRange()
        self.blocks: list[Block] = []
        self.ledger = SimpleNamespace(
            header=lambda height: self.blocks[height].header, block=lambda height: self.blocks[height]
        )
        self.work_hash = work_hash or DoubleSha256()
        genesis = Genesis(chain_id=chain_id).header(bytes(32))
        self._append(Block(genesis, ()), 1)

    @property
    def head(self):
        return self.blocks[-1].header

    def branch(self, height: int) -> HeaderChain:
        """The same chain up to a height."""
        twin = HeaderChain(self.head.chain_id, self.work_hash)
        for block in self.blocks[1 : height + 1]:
            twin._append(block, int.from_bytes(block.header.work_commitment[:32], "big"))
        return twin

    def mine(self, difficulty: int, *, idle: bool = False, **changes) -> None:
        """Add a block; an idle one has a nonce that does not do its work."""
        parent = self.head
        fields = {
            "height": parent.height + 1,
            "parent_hash": parent.hash,
            "timestamp_ms": parent.timestamp_ms + 1_000,
            "seed": bytes(32),
            "history_root": self.history.root,
            "messages_root": binary_root([message(parent.height + 1)]),
            "work_commitment": work_commitment(difficulty, bytes(32)),
        }
        if "base_fee" not in changes:
            fields["base_fee"] = next_base_fee(parent.base_fee, parent.gas_used, parent.gas_limit)
        header = replace(parent, **(fields | changes))
        target = target_of(difficulty)
        nonce = 0
        if idle:
            while int.from_bytes(self.work_hash.digest(header.hash, nonce), "big") <= target:
                nonce += 1
        else:
            nonce = self.work_hash.search(header.hash, 0, NONCES, target, target).nonce
        self._append(Block(header, (), nonce.to_bytes(8, "big")), difficulty)

    def undo(self) -> None:
        """Take the newest block away."""
        self.blocks.pop()
        self.history.truncate(len(self.blocks))

    def _append(self, block: Block, work: int) -> None:
        self.blocks.append(block)
        self.history.append(block.hash, work)


def message(height: int) -> bytes:
    return b"message %d" % height


def message_proof(chain: HeaderChain, finality: WorkFinality, height: int) -> Proof:
    header = chain.ledger.header(height)
    hashes = (header.state_root, header.transactions_root, header.receipts_root, header.rest_hash())
    return Proof(
        FinalityScheme.WORK,
        Kind.MESSAGE,
        height,
        header.slot,
        header.timestamp_ms,
        hashes,
        finality.evidence(header),
        ItemPath(0, (), message(height)),
    )


def headers_of(count: int, difficulty=lambda height: 4, **options) -> HeaderChain:
    chain = HeaderChain(**options)
    while chain.head.height < count:
        chain.mine(difficulty(chain.head.height + 1))
    return chain


@pytest.fixture(scope="module")
def chain():
    """A real chain with a payment in each block, mined by its engine. Read only."""
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=local_consensus("pow"), auto_seal=True)
    while chain.blockchain.height < MINED:
        chain.transfer(ALICE, BOB, 1)
    return chain.blockchain


@pytest.fixture(scope="module")
def headers():
    """A header chain of 300 blocks of varying difficulty. Read only."""
    return headers_of(300, lambda height: 3 + height % 5)


@pytest.fixture(scope="module")
def proof(chain):
    return prove_receipt(chain, WorkFinality(chain, POLICY), 40, 0)


def shown(proof: Proof) -> WorkEvidence:
    return WorkEvidence.decode(proof.finality[4:])


def with_shown(proof: Proof, evidence: WorkEvidence | bytes) -> Proof:
    encoded = evidence if isinstance(evidence, bytes) else evidence.encode()
    return replace(proof, finality=evidence_finality(encoded))


# Proofs --------------------------------------------------------------------------------------------------


def test_payments_and_balances_of_a_mined_chain_are_proven(chain, proof):
    finality = WorkFinality(chain, POLICY)
    anchor = anchor_from_bytes(finality.anchor().to_bytes())
    proven = anchor.verify(proof.to_bytes())
    assert proven == anchor.verify(proof)
    assert proven.succeeded
    assert proven.block_hash == chain.ledger.header(40).hash
    assert anchor.verify(prove_account(chain, finality, BOB.address, 77)).balance == 77
    assert anchor.work_of(proof) == chain.history.total_work == 1 + 64 * MINED


def test_any_block_below_the_tail_can_be_proven(headers):
    finality = WorkFinality(headers, POLICY)
    anchor = finality.anchor()
    for height in (1, 64, 255, 292):
        proven = anchor.verify(message_proof(headers, finality, height))
        assert proven.message == message(height)
    with pytest.raises(UsageError, match="too few blocks follow") as refused:
        finality.evidence(headers.ledger.header(293))
    assert refused.value.actual == 7


def test_genesis_is_in_every_history(chain):
    finality = WorkFinality(chain, POLICY)
    assert finality.anchor().verify(prove_account(chain, finality, ALICE.address, 0)).balance == ether(1)


@pytest.mark.parametrize("count", [8, 9, 12, 16, 17, 31])
def test_a_young_chain_is_proven_by_its_tail(count):
    """Where the tail holds the share c of all work, it is proof enough; samples begin beyond that."""
    young = headers_of(count)
    finality = WorkFinality(young, POLICY)
    proof = message_proof(young, finality, count - 8) if count > 8 else None
    evidence = finality.evidence(young.ledger.header(0))
    assert finality.anchor().check(evidence[4:], 0, young.ledger.header(0).hash) == 1 + 4 * count
    if proof is not None:
        assert finality.anchor().verify(proof).message == message(count - 8)
    assert (len(WorkEvidence.decode(evidence[4:]).samples) > 0) == (count > 15)


def test_the_hash_of_work_is_the_chains():
    other = headers_of(20, work_hash=KeccakWork())
    finality = WorkFinality(other, POLICY, KeccakWork())
    proof = message_proof(other, finality, 5)
    assert finality.anchor().verify(proof).height == 5
    with pytest.raises(InvalidInput, match="does not do the work"):
        replace(finality.anchor(), work_hash=0).verify(proof)
    with pytest.raises(UsageError, match="do not know this hash"):
        WorkFinality(other, POLICY, SimpleNamespace(name="scrypt"))


def test_headers_with_logs_payouts_and_extra_data_are_shown_whole():
    rich = HeaderChain()
    for number in range(20):
        rich.mine(4, logs_bloom=b"\1" * 256, extra_data=b"%d" % number)
    finality = WorkFinality(rich, POLICY)
    assert finality.anchor().verify(message_proof(rich, finality, 5)).height == 5
    header = replace(rich.head, work_commitment=work_commitment(9, b"\7" * 32))
    mined = MinedHeader.of(header, IDLE)
    again = MinedHeader.from_fields(rlp_decode(rlp_encode(mined.fields())))
    assert again.at(header.chain_id, header.height, header.history_root) == header
    assert again == mined


# Growth --------------------------------------------------------------------------------------------------


def test_proofs_grow_as_the_logarithm_of_the_chain():
    """Each time the chain is four times as long, the proof gets longer by about as much as before."""
    chain = HeaderChain()
    sizes, samples = [], []
    for count in (50, 200, 800):
        while chain.head.height < count:
            chain.mine(1)
        finality = WorkFinality(chain, POLICY)
        proof = message_proof(chain, finality, count // 2)
        finality.anchor().verify(proof)
        sizes.append(len(proof.to_bytes()))
        samples.append(len(shown(proof).samples))
    assert sizes[2] < 30_000
    draws = [sample_count(1 + count, 8, 20, (1, 2)) for count in (50, 200, 800)]
    steps = [after - before for before, after in pairwise(draws)]
    assert max(steps) - min(steps) <= 2
    assert all(shown_ <= draw + 1 for shown_, draw in zip(samples, draws, strict=True))


# Forgeries -----------------------------------------------------------------------------------------------


def test_another_genesis_chain_or_policy_is_refused(chain, proof):
    anchor = WorkFinality(chain, POLICY).anchor()
    for wrong in (
        replace(anchor, genesis_hash=b"\1" * 32),
        replace(anchor, chain_id=1),
        replace(anchor, policy=replace(POLICY, confirmations=9)),
        replace(anchor, policy=replace(POLICY, confirmations=7)),
        replace(anchor, policy=replace(POLICY, soundness_bits=60)),
        replace(anchor, work_hash=1),
    ):
        with pytest.raises(InvalidInput):
            wrong.verify(proof)


def test_less_work_than_demanded_is_refused(chain, proof):
    anchor = WorkFinality(chain, POLICY).anchor()
    work = anchor.work_of(proof)
    assert replace(anchor, policy=replace(POLICY, minimum_work=work)).verify(proof).succeeded
    demanding = replace(POLICY, minimum_work=work + 1)
    with pytest.raises(InvalidInput, match="too little work"):
        replace(anchor, policy=demanding).verify(proof)
    with pytest.raises(UsageError, match="cannot be proven now: there is too little work"):
        WorkFinality(chain, demanding).evidence(chain.ledger.header(1))


def test_too_few_confirmations_are_refused(chain):
    """A block of the tail, with the evidence of one below it."""
    finality = WorkFinality(chain, POLICY)
    proof = prove_receipt(chain, finality, MINED - 8, 0)
    other = WorkFinality(chain, replace(POLICY, confirmations=4))
    late = prove_receipt(chain, other, MINED - 4, 0)
    assert finality.anchor().verify(proof).succeeded
    with pytest.raises(InvalidInput, match="too few blocks follow") as refused:
        finality.anchor().verify(replace(late, finality=proof.finality))
    assert (refused.value.actual, refused.value.expected) == (4, 8)


def test_a_block_that_is_not_in_the_history_is_refused(chain, proof):
    anchor = WorkFinality(chain, POLICY).anchor()
    evidence = proof.finality[4:]
    sampled = {height for height, _ in shown(proof).samples}
    missing = next(height for height in range(1, 100) if height not in sampled)
    for height, block_hash in (
        (40, b"\1" * 32),
        (41, chain.ledger.header(40).hash),
        (0, chain.ledger.header(40).hash),
        (missing, chain.ledger.header(missing).hash),
    ):
        with pytest.raises(InvalidInput, match="not in this history"):
            anchor.check(evidence, height, block_hash)


def test_altered_headers_are_refused(chain, proof):
    anchor, good = WorkFinality(chain, POLICY).anchor(), shown(proof)
    height, sample = good.samples[3]
    for change in (
        {"timestamp_ms": sample.timestamp_ms + 1},
        {"proposer": b"\1" * 20},
        {"difficulty": sample.difficulty + 1},
        {"nonce": IDLE},
        {"hashes": sample.hashes[::-1]},
        {"gas": (1, 1, 1)},
    ):
        samples = (*good.samples[:3], (height, replace(sample, **change)), *good.samples[4:])
        with pytest.raises(InvalidInput):
            anchor.verify(with_shown(proof, replace(good, samples=samples)))
        for place in (0, 4, 7):
            tail = list(good.tail)
            tail[place] = replace(
                tail[place], **{name: value for name, value in change.items() if name != "gas"}
            )
            if tail[place] == good.tail[place]:
                continue
            with pytest.raises(InvalidInput):
                anchor.verify(with_shown(proof, replace(good, tail=tuple(tail))))


def test_samples_are_those_that_the_newest_block_asks_for(chain, proof):
    anchor, good = WorkFinality(chain, POLICY).anchor(), shown(proof)
    finality = WorkFinality(chain, POLICY)
    other = shown(prove_receipt(chain, finality, 41, 0))
    assert anchor.check(other.encode(), 41, chain.ledger.header(41).hash)
    heights = {height for height, _ in good.samples}
    assert 41 not in heights or 40 not in {height for height, _ in other.samples}

    def choose(chosen):
        chosen = sorted(chosen)
        block = chain.ledger.block
        return WorkEvidence(
            MINED,
            tuple((at, MinedHeader.of(block(at).header, block(at).seal)) for at in chosen),
            tuple(nodes_beside(chain.history, MINED - 7, [0, *chosen])),
            good.tail,
        )

    assert choose(heights) == good
    more = next(height for height in range(1, 100) if height not in heights)
    with pytest.raises(InvalidInput, match="nothing asks for"):
        anchor.verify(with_shown(proof, choose(heights | {more})))
    fewer = next(height for height in sorted(heights) if height != 40)
    with pytest.raises(InvalidInput, match="a sampled block is missing"):
        anchor.verify(with_shown(proof, choose(heights - {fewer})))
    with pytest.raises(InvalidInput, match="in the tail"):
        anchor.verify(with_shown(proof, replace(good, samples=(*good.samples, (MINED - 7, good.tail[0])))))
    with pytest.raises(InvalidInput, match="missing"):
        anchor.verify(with_shown(proof, replace(good, nodes=good.nodes[:-1])))
    with pytest.raises(InvalidInput, match="more nodes"):
        anchor.verify(with_shown(proof, replace(good, nodes=(*good.nodes, good.nodes[0]))))
    with pytest.raises(InvalidInput, match="another length"):
        anchor.verify(with_shown(proof, replace(good, tail=good.tail[:-1])))
    with pytest.raises(InvalidInput):
        anchor.verify(with_shown(proof, replace(good, newest=MINED + 1)))


def test_blocks_of_the_chain_itself_cannot_be_moved(headers):
    """A forger without hash power doubles what others have mined: every block knows what was before it."""
    forged = headers.branch(100)
    for block in headers.blocks[61:101]:
        forged._append(block, int.from_bytes(block.header.work_commitment[:32], "big"))
    assert forged.history.total_work > headers.branch(100).history.total_work
    evidence = forge(forged, 50)
    with pytest.raises(InvalidInput):
        WorkFinality(headers, POLICY).anchor().check(evidence, 50, headers.ledger.header(50).hash)


def test_work_in_the_history_that_no_header_commits_to_is_refused(headers):
    """A forger gives an old block more weight than it has, to have its fork sampled less."""
    forged = HeaderChain()
    for block in headers.blocks[1:50]:
        forged._append(block, int.from_bytes(block.header.work_commitment[:32], "big"))
    forged._append(headers.blocks[50], 10_000)
    while forged.head.height < 100:
        forged.mine(4)
    evidence = forge(forged, 20)
    with pytest.raises(InvalidInput):
        WorkFinality(headers, POLICY).anchor().check(evidence, 20, headers.ledger.header(20).hash)


def forge(chain, height, policy=POLICY):
    """The best evidence that there is for a chain, whether it is right or not."""
    return WorkFinality(chain, policy)._shown(height, chain.head.height).encode()


def test_a_few_hard_blocks_are_no_replacement_for_many():
    """Miners may bend the difficulty; a block that holds much of a fork is refused all the same."""
    policy = WorkPolicy(soundness_bits=20, confirmations=8, parts=4)
    chain = headers_of(60)
    anchor = WorkFinality(chain, policy).anchor()
    fork = chain.branch(40)
    fork.mine(2_000)
    for _ in range(12):
        fork.mine(4)
    assert fork.history.total_work > chain.history.total_work
    block = fork.ledger.header(41)
    with pytest.raises(InvalidInput, match="too hard for its place"):
        anchor.check(forge(fork, 41, policy), 41, block.hash)
    with pytest.raises(UsageError, match="too hard for its place"):
        WorkFinality(fork, policy).evidence(block)


@pytest.mark.parametrize("difficulties", [[4] * 7 + [1_000], [1_000] + [4] * 7, [400] * 7 + [1]])
def test_the_last_blocks_are_about_as_hard_as_each_other(difficulties):
    policy = WorkPolicy(soundness_bits=20, confirmations=8, parts=4)
    chain = headers_of(40)
    for difficulty in difficulties:
        chain.mine(difficulty)
    with pytest.raises(UsageError, match="too far apart"):
        WorkFinality(chain, policy).evidence(chain.ledger.header(1))


@pytest.mark.parametrize(
    ("height", "changes", "why"),
    [
        (33, {"gas_used": 1 << 40}, "more gas than it has"),
        (33, {"gas_limit": 1}, "more gas than it has"),
        (36, {"gas_used": 1 << 40}, "more gas than it has"),
        (36, {"gas_limit": 1 << 40}, "wrong gas limit"),
        (36, {"base_fee": (1 << 256) - 1}, "wrong base fee"),
        (36, {"timestamp_ms": 0}, "younger than its parent"),
        (36, {"parent_hash": b"\1" * 32}, "wrong parent hash"),
        (36, {"history_root": b"\1" * 32}, "does not do the work|wrong parent hash"),
    ],
)
def test_the_last_blocks_follow_from_each_other(height, changes, why):
    """All of them with work. The first of the tail, at 33, has no parent beside it, but has to be sane."""
    chain = headers_of(40)
    fork = chain.branch(height - 1)
    fork.mine(4, **changes)
    while fork.head.height < 40:
        fork.mine(4, base_fee=1)
    with pytest.raises(InvalidInput, match=why):
        WorkFinality(chain, POLICY).anchor().check(forge(fork, 10), 10, chain.ledger.header(10).hash)


def test_every_byte_of_a_proof_counts(chain, proof):
    """A changed newest header may do its work by chance, with difficulty 64; not in this run."""
    anchor, data = WorkFinality(chain, POLICY).anchor(), proof.to_bytes()
    draw = random.Random(2019)
    for _ in range(60):
        wrong = bytearray(data)
        at = draw.randrange(len(data))
        wrong[at] ^= draw.choice((1, 0x80, 0xFF))
        with pytest.raises(InvalidInput):
            anchor.verify(bytes(wrong))


def test_of_two_branches_the_one_with_more_work_counts():
    trunk = headers_of(30)
    long, short = trunk.branch(30), trunk.branch(20)
    for _ in range(10):
        long.mine(4)
        short.mine(7)
    one, other = WorkFinality(long, POLICY), WorkFinality(short, POLICY)
    anchor = one.anchor()
    heavy, light = message_proof(long, one, 5), message_proof(short, other, 5)
    assert anchor.work_of(heavy) == 1 + 40 * 4 > anchor.work_of(light) == 1 + 20 * 4 + 10 * 7
    assert heavier(anchor, heavy, light) is heavy
    assert heavier(anchor, light, heavy) is heavy
    broken = replace(light, timestamp_ms=5)
    assert heavier(anchor, light, broken) is light
    assert heavier(anchor, broken, light) is light
    assert heavier(anchor, light, light.to_bytes()) is light
    with pytest.raises(InvalidInput):
        heavier(anchor, broken, broken)


# The chance of a forger ----------------------------------------------------------------------------------


def missed(bits: int, share: tuple[int, int], total: int, tail: int, fork: int, tries: int) -> int:
    """How many of many forgeries no draw hits: of a fork the first part is idle, as that is sampled least."""
    real, whole = share
    stop = total - (total - fork) * real // whole
    count = sample_count(total, tail, bits, share)
    survived = 0
    for attempt in range(tries):
        seed = attempt.to_bytes(40, "big")
        survived += not any(
            fork <= position < stop for position in sample_positions(seed, count, total, tail)
        )
    return survived


@pytest.mark.parametrize(
    ("fork", "bits", "share"),
    [
        *((0, 3, (1, 2)), (900_000, 3, (1, 2))),
        *(
            pytest.param(fork, bits, share, marks=pytest.mark.long)
            for fork in (0, 500_000, 900_000, 980_000)
            for bits, share in ((5, (1, 2)), (3, (3, 4)), (6, (1, 3)))
        ),
    ],
)
def test_a_fork_without_work_is_missed_as_rarely_as_stated(fork, bits, share):
    """By the binomial law: at most tries / 2^bits are missed, and not far fewer, as the bound is tight."""
    tries, chance = 400, 2.0**-bits
    survived = missed(bits, share, 1_000_000, 5_000, fork, tries)
    margin = 4 * math.sqrt(tries * chance * (1 - chance))
    assert survived <= tries * chance + margin, f"{survived} of {tries}"
    assert survived >= tries * chance * 0.4 - margin


def is_caught(anchor, evidence, header) -> bool:
    try:
        anchor.check(evidence, header.height, header.hash)
    except InvalidInput as error:
        return error.message == "the nonce does not do the work"
    return False


def test_a_fake_tail_is_caught():
    """Real proofs of a real fork whose first half has nonces that do no work, against the chance stated."""
    honest = headers_of(40, lambda height: 1)
    caught, attempts, bits = 0, 60, 3
    policy = WorkPolicy(soundness_bits=bits, confirmations=8, parts=2)
    anchor = WorkFinality(honest, policy).anchor()
    fork = honest.branch(40)
    while fork.head.height < 100:
        fork.mine(3, idle=True)
    while fork.head.height < 160:
        fork.mine(3)
    for attempt in range(attempts):
        fork.undo()
        fork.mine(3, extra_data=b"%d" % attempt)
        caught += is_caught(anchor, forge(fork, 20, policy), honest.ledger.header(20))
    chance = 2.0**-bits
    assert attempts - caught <= attempts * chance + 4 * math.sqrt(attempts * chance), f"caught {caught}"
    assert caught > attempts // 2


# Sampling ------------------------------------------------------------------------------------------------


def test_powers_are_those_of_floating_point():
    draw = random.Random(7)
    for _ in range(200):
        value, exponent = draw.getrandbits(draw.randrange(1, 250)), draw.random() * 60
        got = scaled_down(value, int(exponent * (1 << 64)))
        expected = value * 2.0**-exponent
        assert abs(got - expected) <= 1 + expected * 1e-12
    assert scaled_down(12345, 0) == 12345
    assert scaled_down(1 << 200, 3 << 64) == 1 << 197


def test_positions_grow_denser_toward_the_end():
    """Half of the draws lie above the point where the rest of the line is the geometric mean."""
    total, tail = 1 << 40, 1 << 20
    positions = sample_positions(b"s" * 40, 4_000, total, tail)
    assert positions == sample_positions(b"s" * 40, 4_000, total, tail)
    assert all(0 <= position < total - tail for position in positions)
    middle = total - (1 << 30)
    above = sum(position >= middle for position in positions)
    assert abs(above - 2_000) < 4 * math.sqrt(1_000)
    assert sample_positions(b"s" * 40, 50, 3, 2) == (0,) * 50


@pytest.mark.parametrize(
    ("total", "tail", "bits", "share"),
    [
        (1_000, 10, 50, (1, 2)),
        (10**9, 10**5, 50, (1, 2)),
        (10**9, 10**5, 20, (9, 10)),
        (10**30, 7, 80, (1, 3)),
    ],
)
def test_the_number_of_draws_is_that_of_the_paper(total, tail, bits, share):
    k = math.log(total / tail) / math.log(share[1] / share[0])
    expected = bits / math.log2(k / (k - 1))
    assert 0 <= sample_count(total, tail, bits, share) - math.ceil(expected) <= 1


def test_where_the_tail_is_enough_nothing_is_drawn():
    assert sample_count(100, 50, 50, (1, 2)) == 0
    assert sample_count(100, 99, 50, (1, 2)) == 0
    assert 0 < sample_count(100, 49, 50, (1, 2)) < 15
    for total, tail, bits, share in (
        (5, 5, 1, (1, 2)),
        (5, 0, 1, (1, 2)),
        (5, 1, 0, (1, 2)),
        (5, 1, 1, (2, 2)),
    ):
        with pytest.raises(UsageError, match="nothing to sample"):
            sample_count(total, tail, bits, share)


# Histories -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 12, 21])
def test_some_blocks_and_the_nodes_beside_them_are_a_history(size):
    draw = random.Random(size)
    history = MountainRange()
    leaves = [(bytes([at]) * 32, draw.randrange(1, 99)) for at in range(size + draw.randrange(1, 9))]
    for leaf in leaves:
        history.append(*leaf)
    cut = history.copy()
    cut.truncate(size)
    for _ in range(5):
        chosen = sorted(draw.sample(range(size), draw.randrange(1, size + 1)))
        before = {}

        def leaf(at, peaks, before=before):
            before[at] = peaks
            return leaf_of(*leaves[at])

        assert fold(size, chosen, nodes_beside(history, size, chosen), leaf) == cut.peaks
        for at, peaks in before.items():
            assert peaks == peaks_before(history, at)
            assert sum(work for _, work in peaks) == work_before(history, at)
            assert sum(work for _, work in leaves[:at]) == work_before(history, at)
    assert fold(size, [], cut.peaks, leaf) == cut.peaks


def test_works_that_exceed_256_bits_are_refused():
    huge = (b"\1" * 32, (1 << 256) - 1)
    with pytest.raises(InvalidInput, match="256 bits"):
        fold(2, [0], [huge], lambda at, peaks: leaf_of(b"\2" * 32, 1))
    with pytest.raises(InvalidInput, match="64 bytes each"):
        unpack_nodes(bytes(65))


# Bytes ---------------------------------------------------------------------------------------------------


def test_an_anchor_is_87_bytes():
    anchor = WorkAnchor(5, b"\5" * 32, WorkPolicy(50, (1, 2), 100, 25, 1 << 200), 1)
    data = anchor.to_bytes()
    assert len(data) == ANCHOR_BYTES == 43 + POLICY_BYTES
    assert anchor_from_bytes(data) == WorkAnchor.from_bytes(data) == anchor
    senseless = data[:43] + bytes(POLICY_BYTES)
    for wrong in (
        *(data[:-1], data + b"\0", b"\2" + data[1:], data[:1] + b"\2" + data[2:], senseless),
        data[:42] + b"\2" + data[43:],
        data[:43] + b"\xff\xff\xfe\xff" + data[47:],  # asks for 2,000,000,000 draws
    ):
        with pytest.raises(InvalidInput):
            WorkAnchor.from_bytes(wrong)
    for change in ({"chain_id": 1 << 64}, {"genesis_hash": b""}, {"work_hash": 2}):
        with pytest.raises(InvalidInput):
            replace(anchor, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"soundness_bits": 0},
        {"soundness_bits": 1 << 16},
        {"soundness_bits": 371},
        {"share": (254, 255)},
        {"share": (1, 1)},
        {"share": (0, 1)},
        {"share": (1, 256)},
        {"confirmations": 0},
        {"confirmations": 1 << 32},
        {"parts": 0},
        {"parts": 101},
        {"minimum_work": -1},
        {"minimum_work": 1 << 256},
    ],
)
def test_a_policy_without_sense_is_refused(change):
    with pytest.raises(UsageError):
        replace(WorkPolicy(), **change)


def test_evidence_has_one_form(proof):
    good = shown(proof)
    assert WorkEvidence.decode(good.encode()) == good
    newest, samples, nodes, tail = rlp_decode(good.encode())
    first = samples[0]

    def changed(place, value):
        fields = list(first)
        fields[place] = value
        return [fields, *samples[1:]]

    assert len(first) == 16
    for items, why in (
        ([newest, samples, nodes], "a list of a height"),
        ([newest, samples, nodes, nodes], "a list of a height"),
        ([b"\0" + newest, samples, nodes, tail], "leading zero"),
        ([newest, [b"", *samples], nodes, tail], "begins with a height"),
        ([newest, [[], *samples], nodes, tail], "begins with a height"),
        ([newest, [samples[1], samples[0]], nodes, tail], "ascending order"),
        ([newest, [samples[0], samples[0]], nodes, tail], "ascending order"),
        ([newest, changed(0, b""), nodes, tail], "above genesis"),
        ([newest, changed(8, bytes(256)), nodes, tail], "left out"),
        ([newest, changed(13, bytes(32)), nodes, tail], "left out"),
        ([newest, changed(13, b"\1"), nodes, tail], "hash of payouts"),
        ([newest, changed(15, bytes(7)), nodes, tail], "nonce of 8 bytes"),
        ([newest, changed(12, b""), nodes, tail], "at least 1"),
        ([newest, changed(12, b"\1" * 33), nodes, tail], "too long"),
        ([newest, changed(9, b"\1" * 33), nodes, tail], "too long"),
        ([newest, changed(3, []), nodes, tail], "strings"),
        ([newest, [first[:-1]], nodes, tail], "list of its fields"),
        ([newest, samples, nodes[:-1], tail], "64 bytes each"),
        ([newest, samples, nodes, [b""]], "list of its fields"),
    ):
        with pytest.raises(InvalidInput, match=why):
            WorkEvidence.decode(rlp_encode(items))
    bloom_of_one_byte = WorkEvidence.decode(rlp_encode([newest, changed(8, b"\1"), nodes, tail]))
    with pytest.raises(InvalidInput, match="logs_bloom"):
        bloom_of_one_byte.samples[0][1].at(1, 1, bytes(32))


def test_a_header_without_work_is_not_shown(headers):
    with pytest.raises(InvalidInput, match="64 bytes"):
        MinedHeader.of(headers.ledger.header(0), IDLE)
