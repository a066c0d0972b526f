from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.pow import ProofOfWork, WorkRule
from chainstack_sdk.consensus.pow import engine as engine_module
from chainstack_sdk.consensus.retarget import FixedDifficulty, MovingWindow
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.consensus.work import NONCES, DoubleSha256, target_of
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    FetchBlock,
    MessageReceived,
    RequestBlock,
    RequestWork,
    Restored,
    SwitchHead,
    Timeout,
    TimeoutElapsed,
    WorkFound,
)
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing import accounts, payment
from chainstack_sdk.testing.forks import ForkHost, work_host

ALICE, BOB, MINER, RIVAL = accounts(4)
GENESIS = Genesis(
    accounts={one.address: GenesisAccount(balance=10**20) for one in (ALICE, BOB)}, engine="pow"
)
START = GENESIS.timestamp_ms


def node(proposer=MINER, retarget=None, **options) -> ForkHost[ProofOfWork]:
    return work_host(GENESIS, retarget or FixedDifficulty(4), proposer=proposer.address, **options)


def mined(count: int, proposer=MINER, step_ms: int = 1_000, **options) -> list[Block]:
    host = node(proposer, **options)
    return [host.propose(timestamp_ms=START + (at + 1) * step_ms) for at in range(count)]


def message(block: Block) -> MessageReceived:
    return MessageReceived(encode_announcement(block.header, block.seal))


def proposal(height: int, block_hash: bytes) -> BlockProposed:
    return BlockProposed(height, block_hash, own=True)


def bare_engine(chain=None, **options) -> ProofOfWork:
    """An engine without a host, standing at genesis; its host knows the blocks of a chain."""
    chain = node().chain if chain is None else chain
    engine = ProofOfWork(WorkRule(FixedDifficulty(4), chain.header_of), **options)
    engine.process(BlockCommitted(0, chain.ledger.header(0).hash))
    return engine


# Mining


def test_from_a_candidate_to_a_decision() -> None:
    chain = node().chain
    engine = ProofOfWork(WorkRule(FixedDifficulty(4), chain.header_of), mining=True)
    assert engine.name == "pow"
    assert engine.head is None
    assert engine.process(BlockCommitted(0, chain.head.hash)) == (RequestBlock(1),)
    assert engine.head == chain.head
    candidate = chain.build([], timestamp_ms=START + 1, proposer=MINER.address)
    header = candidate.block.header
    work = engine.process(proposal(1, header.hash))
    assert work == (RequestWork(header.hash, target_of(4)),)
    target = target_of(4)
    nonce = DoubleSha256().search(header.hash, 0, NONCES, target, target).nonce
    wrong = next(number for number in range(nonce + 1, NONCES) if not works(header.hash, number))
    for claimed in (wrong, -1, NONCES):
        assert engine.process(WorkFound(header.hash, claimed)) == ()
    assert engine.refused == 3
    seal = nonce.to_bytes(8, "big")
    decision = (Decide(1, header.hash, seal), Broadcast(encode_announcement(header, seal)))
    assert engine.process(WorkFound(header.hash, nonce)) == decision
    assert engine.process(WorkFound(header.hash, nonce)) == ()
    chain.commit(candidate, seal)
    assert engine.process(BlockCommitted(1, header.hash)) == (RequestBlock(2),)
    assert engine.head == header


def works(block_hash: bytes, nonce: int) -> bool:
    return int.from_bytes(DoubleSha256().digest(block_hash, nonce), "big") <= target_of(4)


def test_work_found_too_late_counts_for_nothing() -> None:
    host = node()
    (rival,) = mined(1, RIVAL)
    candidate = host.chain.build([], timestamp_ms=START + 1, proposer=MINER.address).block
    (work,) = host.engine.process(proposal(1, candidate.hash))
    host.announce(rival)
    assert host.chain.head == rival.header
    nonce = DoubleSha256().search(candidate.hash, 0, NONCES, work.target, work.target).nonce
    assert host.engine.process(WorkFound(candidate.hash, nonce)) == ()
    assert host.engine.process(proposal(1, candidate.hash)) == ()
    assert host.engine.refused == 0


def test_only_right_candidates_of_its_own_host_are_worked_on() -> None:
    host = node()
    follower = bare_engine(host.chain)
    good = host.chain.build([], timestamp_ms=START + 1, proposer=MINER.address).block
    assert follower.process(proposal(1, good.hash)) == ()
    assert host.engine.process(BlockProposed(1, good.hash)) == ()  # another's
    assert follower.process(proposal(1, bytes(32))) == ()
    miner = ProofOfWork(WorkRule(FixedDifficulty(5), host.chain.header_of), mining=True)
    assert miner.process(proposal(1, good.hash)) == ()  # before the first block
    assert miner.process(WorkFound(good.hash, 0)) == ()
    miner.process(BlockCommitted(0, host.chain.head.hash))
    assert miner.process(proposal(1, good.hash)) == ()  # of another difficulty
    assert miner.refused == 1


def test_several_candidates_may_be_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "MAX_CANDIDATES", 2)
    chain = node().chain
    known = {}
    engine = ProofOfWork(WorkRule(FixedDifficulty(1), known.get), mining=True)
    known[chain.head.hash] = chain.head
    engine.process(BlockCommitted(0, chain.head.hash))
    easy = work_host(GENESIS, FixedDifficulty(1)).chain
    hashes = []
    for late in range(3):
        header = easy.build([], timestamp_ms=START + 1 + late, proposer=MINER.address).block.header
        known[header.hash] = header
        hashes.append(header.hash)
        assert len(engine.process(proposal(1, header.hash))) == 1
    assert engine.process(WorkFound(hashes[0], 0)) == ()  # forgotten for the newer ones
    assert engine.process(WorkFound(hashes[1], 0))[0] == Decide(1, hashes[1], bytes(8))


# Following


def test_the_heavier_branch_wins_and_not_the_longer() -> None:
    retarget = MovingWindow(1_000, 2, 64)
    heavy = mined(5, MINER, 50, retarget=retarget)
    long = mined(7, RIVAL, 30_000, retarget=retarget)
    host = node(retarget=retarget)
    host.announce(*long)
    assert host.chain.head == long[-1].header
    host.announce(*heavy)
    assert host.chain.head == heavy[-1].header
    assert host.chain.height < len(long)
    host.announce(*long)
    assert host.chain.head == heavy[-1].header


def test_of_equal_branches_the_first_stays() -> None:
    (mine, _), (other, more) = mined(2), mined(2, RIVAL)
    host = node()
    host.announce(mine, other)
    assert host.chain.head == mine.header
    host.announce(more)
    assert host.chain.head == more.header
    last = host.reorganisations[-1]
    assert (last.ancestor_height, last.removed, last.added) == (0, (mine,), (other, more))


def test_missing_parents_are_asked_for() -> None:
    blocks = mined(4)
    host = node()
    host.announce(blocks[3])
    host.announce(blocks[2])
    assert host.outputs[-2:] == [FetchBlock(3, blocks[2].hash), FetchBlock(2, blocks[1].hash)]
    assert host.chain.height == 0
    host.announce(blocks[0])
    assert host.chain.height == 1
    host.announce(blocks[1])
    assert host.chain.height == 4
    assert host.engine.refused == 0
    late = node(shelf=dict(host.shelf))
    late.announce(blocks[3])
    assert late.chain.head == blocks[3].header


def test_every_tip_is_asked_for_once_and_again_when_the_head_has_moved() -> None:
    chain = node().chain
    engine = bare_engine(chain)
    blocks = mined(3)
    assert engine.process(message(blocks[0])) == (SwitchHead(1, blocks[0].hash),)
    assert engine.process(message(blocks[0])) == ()
    assert engine.process(message(blocks[2])) == (FetchBlock(2, blocks[1].hash),)
    assert engine.process(message(blocks[1])) == (SwitchHead(3, blocks[2].hash),)
    assert [one.header for one in engine.branch(blocks[2].hash)] == [block.header for block in blocks]
    chain.append(blocks[0])
    assert engine.process(BlockCommitted(1, blocks[0].hash)) == (SwitchHead(3, blocks[2].hash),)
    assert engine.process(BlockCommitted(1, blocks[0].hash)) == ()
    assert [one.seal for one in engine.branch(blocks[2].hash)] == [block.seal for block in blocks[1:]]
    with pytest.raises(UsageError):
        engine.branch(bytes(32))
    with pytest.raises(UsageError, match="no block"):
        ProofOfWork(WorkRule(FixedDifficulty(4), chain.header_of)).branch(bytes(32))


def test_an_invalid_branch_is_left_for_the_next_best() -> None:
    host = node()
    good, spoilt = mined(2), mined(4, RIVAL)
    wrong = replace(spoilt[1].header, state_root=bytes(32))
    target = target_of(4)
    nonce = DoubleSha256().search(wrong.hash, 0, NONCES, target, target).nonce
    bad = replace(spoilt[1], header=wrong, seal=nonce.to_bytes(8, "big"))
    host.announce(good[0], spoilt[0], bad)
    assert BlockRefused(2, bad.hash) not in host.outputs
    assert host.chain.head == good[0].header
    before = host.engine.refused
    host.announce(bad)
    assert host.engine.refused == before + 1
    host.announce(good[1])
    assert host.chain.head == good[1].header
    assert host.engine.process(BlockRefused(2, good[1].hash)) == ()  # the chain stands on it
    assert host.engine.process(BlockRefused(9, b"\7" * 32)) == ()
    assert host.engine.head == good[1].header


def test_after_a_refusal_the_valid_part_of_the_branch_still_counts() -> None:
    host = node()
    other = mined(3, RIVAL)
    (own,) = mined(1)
    wrong = replace(other[2].header, receipts_root=bytes(32))
    target = target_of(4)
    nonce = DoubleSha256().search(wrong.hash, 0, NONCES, target, target).nonce
    bad = replace(other[2], header=wrong, seal=nonce.to_bytes(8, "big"))
    host.announce(own)
    host.receive(*(encode_announcement(one.header, one.seal) for one in (other[1], bad, other[0])))
    assert host.chain.head == own.header  # it has none of their content yet
    host.shelf.update({one.hash: one for one in (*other[:2], bad)})
    host.receive(*(encode_announcement(one.header, one.seal) for one in mined(5, RIVAL)[3:]))
    assert host.chain.head == own.header
    switch = host.engine.process(BlockRefused(3, bad.hash))
    assert switch == (SwitchHead(2, other[1].hash),)


def test_branches_from_too_far_back_are_never_taken() -> None:
    blocks, long = mined(4), mined(8, RIVAL)
    host = node(depth=3)
    host.announce(*blocks)
    assert host.engine.head == blocks[-1].header
    host.announce(*long)
    assert host.chain.head == blocks[-1].header
    host.announce(*reversed(long))
    assert host.chain.head == blocks[-1].header
    deeper = node(depth=4)
    deeper.announce(*blocks, *long)
    assert deeper.chain.head == long[-1].header
    with pytest.raises(UsageError, match="never goes back"):
        node(depth=0)


def test_garbage_is_counted_and_changes_nothing() -> None:
    host = node()
    first, second = mined(2)
    host.announce(first)
    unworked = next(number for number in range(1_000) if not works(second.hash, number))
    wrongs = [
        b"",
        b"\1",
        encode_announcement(second.header, b""),
        encode_announcement(second.header, unworked.to_bytes(8, "big")),
        encode_announcement(replace(second.header, height=3), second.seal),
        encode_announcement(replace(second.header, timestamp_ms=1), second.seal),
    ]
    host.receive(*wrongs)
    assert host.engine.refused == len(wrongs)
    assert host.chain.head == first.header
    host.announce(second)
    assert host.chain.head == second.header
    for event in (TimeoutElapsed(Timeout("turn", 1, 0)), Restored(b"")):
        assert host.engine.process(event) == ()


def test_before_the_first_block_nothing_is_followed() -> None:
    engine = ProofOfWork(WorkRule(FixedDifficulty(4), node().chain.header_of))
    (block,) = mined(1)
    assert engine.process(message(block)) == ()
    assert engine.process(BlockRefused(1, block.hash)) == ()
    with pytest.raises(UsageError, match="does not know the header"):
        engine.process(BlockCommitted(1, block.hash))


# Going back, and chains that move by other means


def test_a_chain_that_goes_back_on_purpose_stays_there() -> None:
    host = node()
    blocks = mined(3)
    host.announce(*blocks)
    host.chain.undo()
    host.chain.undo()
    assert host.engine.process(BlockCommitted(1, blocks[0].hash)) == (RequestBlock(2),)
    assert host.engine.head == blocks[0].header
    host.announce(*blocks)
    assert host.chain.head == blocks[2].header


def test_blocks_that_come_by_other_means_are_followed() -> None:
    host = node()
    blocks = mined(6)
    for block in blocks[:2]:
        host.chain.append(block)
        host.engine.process(BlockCommitted(block.height, block.hash))
    assert host.engine.head == blocks[1].header
    for block in blocks[2:5]:
        host.chain.append(block)
    host.engine.process(BlockCommitted(5, blocks[4].hash))  # its parent was never told of
    assert host.engine.head == blocks[4].header
    host.announce(blocks[5], *mined(8, RIVAL))
    assert host.chain.height == 8


def test_an_engine_begins_anywhere_on_a_chain() -> None:
    host = node()
    host.announce(*mined(6))
    engine = ProofOfWork(WorkRule(FixedDifficulty(4), host.chain.header_of), depth=2)
    engine.process(BlockCommitted(6, host.chain.head.hash))
    assert engine.head == host.chain.head
    assert engine.header_rule is engine.finality_rule
    kept = {host.chain.ledger.header(height).hash for height in (5, 6)}
    light = ProofOfWork(
        WorkRule(FixedDifficulty(4), lambda digest: host.chain.header_of(digest) if digest in kept else None)
    )
    light.process(BlockCommitted(6, host.chain.head.hash))
    assert light.head == host.chain.head


def test_state_is_rolled_back_with_the_branch() -> None:
    host = node()
    rival = node(RIVAL)
    paid = payment(host.chain, ALICE, BOB, 7)
    host.propose([paid], timestamp_ms=START + 1_000)
    assert host.chain.state.balance(BOB.address) == 10**20 + 7
    for at in (1, 2):
        rival.propose(timestamp_ms=START + at * 900)
    host.announce(*rival.shelf.values())
    assert host.chain.state.balance(BOB.address) == 10**20
    assert host.chain.state.root == rival.chain.state.root
    assert host.reorganisations[-1].dropped() == (paid,)


def test_what_is_final() -> None:
    assert bare_engine(node().chain).finalized_height() == 0
    host = node()
    for block in mined(8):
        host.chain.append(block)
    rule = WorkRule(FixedDifficulty(4), host.chain.header_of, confirmations=3)
    engine = ProofOfWork(rule)
    assert engine.finalized_height() == 0
    engine.process(BlockCommitted(host.chain.height, host.chain.head.hash))
    assert engine.finalized_height() == 5
