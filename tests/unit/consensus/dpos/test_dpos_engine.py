from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.dpos import (
    DelegateBook,
    DelegatedProofOfStake,
    DelegateRule,
    DelegationParameters,
    genesis_delegates,
    seal_payload,
    with_delegation,
)
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.core.blocks import Block
from chainstack_sdk.core.engine import (
    BlockCommitted,
    BlockProposed,
    BlockRefused,
    Broadcast,
    Decide,
    MessageReceived,
    Persist,
    RequestBlock,
    Restored,
    ScheduleTimeout,
    Sign,
    Signed,
    SwitchHead,
    Timeout,
    TimeoutElapsed,
    WorkFound,
)
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import accounts, payment
from chainstack_sdk.testing.forks import ForkHost, delegate_host

PEOPLE = sorted(accounts(4), key=lambda account: account.address)
OUTSIDER = accounts(5)[4]
PARAMETERS = DelegationParameters(blocks_per_epoch=6, seats=4, minimum_deposit=1, interval_ms=1_000)
GENESIS = with_delegation(
    Genesis(accounts={OUTSIDER.address: GenesisAccount(balance=10**20)}, engine="dpos"),
    [one.address for one in PEOPLE],
    PARAMETERS,
)
START = GENESIS.timestamp_ms
TURN = START // 1_000


def next_turn(index: int, after: int = TURN) -> int:
    """The number of a delegate's first turn after another."""
    return after + 1 + (index - after - 1) % 4


def node(index: int | None = None, **options) -> ForkHost[DelegatedProofOfStake]:
    return delegate_host(GENESIS, signer=None if index is None else PEOPLE[index], **options)


class Group:
    """Delegates who hear each other at once, with a clock of their own."""

    def __init__(self, *members: int, hosts: dict[int, ForkHost] | None = None, turn: int = TURN) -> None:
        self.hosts = {index: hosts[index] if hosts else node(index) for index in members}
        self.turn = turn
        self.blocks: list[Block] = []

    def run(self, turns: int) -> list[Block]:
        """Let some turns pass; return all blocks so far."""
        for _ in range(turns):
            self.turn += 1
            host = self.hosts.get(self.turn % 4)
            if host is not None:
                timestamp_ms = host.engine.turn_ms(self.turn * 1_000)
                assert timestamp_ms == self.turn * 1_000
                block = host.propose(timestamp_ms=timestamp_ms)
                assert block is not None
                self.blocks.append(block)
                for other in self.hosts.values():
                    if other is not host:
                        other.announce(block)
        return self.blocks


# Time


def test_turns_are_told_to_the_host() -> None:
    host = node(2)
    engine = host.engine
    mine = next_turn(2) * 1_000
    assert engine.next_turn_ms(START) == mine
    assert engine.next_turn_ms(mine - 1) == mine
    assert engine.next_turn_ms(mine) == mine + 4_000
    assert engine.next_turn_ms(0) == mine  # never before the head
    assert engine.turn_ms(mine) == engine.turn_ms(mine + 999) == mine
    assert engine.turn_ms(mine - 1) is None
    assert engine.turn_ms(mine + 1_000) is None
    assert engine.turn_ms(mine - 4_000) is None
    host.propose(timestamp_ms=mine)
    assert engine.turn_ms(mine) is None
    assert engine.next_turn_ms(mine) == mine + 4_000


def test_others_have_no_turns() -> None:
    for signer in (None, OUTSIDER):
        engine = delegate_host(GENESIS, signer=signer).engine
        assert engine.next_turn_ms(START) is None
        assert engine.turn_ms(next_turn(0) * 1_000) is None
    assert ScheduleTimeout(Timeout("turn", 1, 0)) not in delegate_host(GENESIS, signer=OUTSIDER).outputs


def bare_engine(chain=None) -> DelegatedProofOfStake:
    chain = node().chain if chain is None else chain
    first = genesis_delegates(GENESIS)
    rule = DelegateRule(PARAMETERS, first, DelegateBook([first]), chain.header_of)
    return DelegatedProofOfStake(rule, address=PEOPLE[0].address)


def test_before_the_first_block() -> None:
    engine = bare_engine()
    assert engine.name == "dpos"
    assert engine.head is engine.irreversible is None
    assert engine.finalized_height() == 0
    assert engine.next_turn_ms(START) is engine.turn_ms(START) is None
    for event in (
        TimeoutElapsed(Timeout("turn", 1, 0)),
        TimeoutElapsed(Timeout("propose", 1, 0)),
        BlockProposed(1, bytes(32)),
        Signed(b"", b""),
        BlockRefused(1, bytes(32)),
        WorkFound(bytes(32), 0),
    ):
        assert engine.process(event) == ()
    assert engine.header_rule is engine.finality_rule


# Producing


def test_from_a_turn_to_a_decision() -> None:
    chain = node().chain
    engine = bare_engine(chain)
    wait = ScheduleTimeout(Timeout("turn", 1, 0))
    assert engine.process(BlockCommitted(0, chain.head.hash)) == (wait,)
    assert engine.process(TimeoutElapsed(Timeout("turn", 2, 0))) == ()
    assert engine.process(TimeoutElapsed(wait.timeout)) == (RequestBlock(1), wait)
    turn = next_turn(0)
    candidate = chain.build([], timestamp_ms=turn * 1_000, proposer=PEOPLE[0].address)
    header = candidate.block.header
    payload = seal_payload(header)
    asked = engine.process(BlockProposed(1, header.hash))
    record = turn.to_bytes(8, "big") + header.hash
    assert asked == (Persist(record, (Sign(payload),)),)
    seal = PEOPLE[0].sign(keccak256(payload))
    assert engine.process(Signed(payload + b"\0", seal)) == ()
    assert engine.process(Signed(payload, PEOPLE[1].sign(keccak256(payload)))) == ()
    assert engine.refused == 1
    announcement = Broadcast(encode_announcement(header, seal))
    assert engine.process(Signed(payload, seal)) == (Decide(1, header.hash, seal), announcement)
    assert engine.process(Signed(payload, seal)) == ()
    chain.commit(candidate, seal)
    assert engine.process(BlockCommitted(1, header.hash)) == (ScheduleTimeout(Timeout("turn", 2, 0)),)


def test_only_own_candidates_on_the_head_are_signed() -> None:
    host = node(0)
    chain, engine = host.chain, host.engine
    mine = next_turn(0)
    theirs = chain.build([], timestamp_ms=next_turn(1) * 1_000, proposer=PEOPLE[1].address).block
    assert engine.process(BlockProposed(1, theirs.hash)) == ()
    assert engine.refused == 0
    out_of_turn = chain.build([], timestamp_ms=(mine + 1) * 1_000, proposer=PEOPLE[0].address).block
    assert engine.process(BlockProposed(1, out_of_turn.hash)) == ()
    assert engine.refused == 1
    late = chain.build([], timestamp_ms=mine * 1_000, proposer=PEOPLE[0].address)
    host.announce(Group(1).run(4)[0])
    assert host.chain.height == 1
    assert engine.process(BlockProposed(1, late.block.hash)) == ()
    assert engine.process(BlockProposed(1, bytes(32))) == ()


def test_a_signature_that_comes_too_late_is_not_used() -> None:
    host = node(0)
    mine = host.chain.build([], timestamp_ms=next_turn(0) * 1_000, proposer=PEOPLE[0].address).block
    (asked,) = host.engine.process(BlockProposed(1, mine.hash))
    host.announce(Group(1).run(4)[0])
    payload = asked.then[0].payload
    assert host.engine.process(Signed(payload, PEOPLE[0].sign(keccak256(payload)))) == ()
    assert host.engine.refused == 0


def test_one_block_a_turn_is_signed_also_after_a_crash() -> None:
    host = node(0)
    turn = next_turn(0) * 1_000
    one = host.chain.build([], timestamp_ms=turn, proposer=PEOPLE[0].address).block
    (asked,) = host.engine.process(BlockProposed(1, one.hash))
    restarted = node(0, record=asked.record)
    for each in (host, restarted):
        assert each.propose([payment(each.chain, OUTSIDER, OUTSIDER)], timestamp_ms=turn) is None
        assert each.engine.refused == 0
    restarted.chain.build([], timestamp_ms=turn, proposer=PEOPLE[0].address)
    assert restarted.engine.process(BlockProposed(1, one.hash)) == (asked,)
    for each in (host, restarted):
        assert each.propose(timestamp_ms=turn + 4_000) is not None


@pytest.mark.parametrize("record", [b"", bytes(39), bytes(41)])
def test_a_damaged_record_is_told(record: bytes) -> None:
    with pytest.raises(InvalidInput, match="not the record"):
        bare_engine().process(Restored(record))


def test_an_older_record_changes_nothing() -> None:
    engine = bare_engine()
    engine.process(Restored((9).to_bytes(8, "big") + bytes(32)))
    engine.process(Restored((8).to_bytes(8, "big") + bytes(32)))
    assert engine._signed == (9, bytes(32))


# Following


def test_all_delegates_make_one_chain() -> None:
    group = Group(0, 1, 2, 3)
    blocks = group.run(30)
    assert len(blocks) == 30
    late = node()
    late.shelf.update((block.hash, block) for block in blocks)
    late.announce(blocks[-1])
    for host in (*group.hosts.values(), late):
        assert host.chain.head == blocks[-1].header
        assert host.engine.irreversible == blocks[-4].header
        assert host.engine.finalized_height() == blocks[-4].height
        assert host.engine.refused == 0
        assert host.chain.header_rule is host.engine.header_rule


def test_the_longer_chain_wins_while_nothing_is_irreversible() -> None:
    short, long = Group(3), Group(0, 1)
    short.run(12)
    long.run(12)
    host = node()
    host.announce(*short.blocks)
    assert host.chain.height == 3
    assert host.engine.irreversible.height == 0
    host.announce(*long.blocks)
    assert host.chain.head == long.blocks[-1].header
    (left,) = [one for one in host.reorganisations if one.removed]
    assert left.ancestor_height == 0
    assert left.removed == tuple(short.blocks)


def test_nothing_below_an_irreversible_block_is_given_up() -> None:
    majority = Group(0, 1, 2)
    majority.run(5)
    host = node()
    host.announce(*majority.blocks)
    settled = host.engine.irreversible
    assert settled.height > 0
    alone = Group(3)
    alone.run(60)  # one delegate makes as long a chain as it likes, given time
    assert len(alone.blocks) > 3 * len(majority.blocks)
    head = host.chain.head
    host.announce(*alone.blocks)
    assert host.chain.head == head
    assert host.engine.irreversible == settled
    alone.hosts[3].announce(*majority.blocks)
    assert alone.hosts[3].chain.head == alone.blocks[-1].header  # longer, and nothing is settled there


def test_a_branch_that_ceases_to_count_is_not_gone_over_to() -> None:
    """The block that makes an ancestor irreversible also cuts off a longer branch from below it."""
    majority = Group(0, 1, 2)
    blocks = majority.run(8)
    lone = Group(3).run(60)
    host = node()
    host.announce(*blocks[:2])
    engine = host.engine
    before = len(host.reorganisations)
    engine.process(MessageReceived(encode_announcement(lone[0].header, lone[0].seal)))
    for block in lone[1:5]:  # longer, but the host has none of these blocks
        engine.process(MessageReceived(encode_announcement(block.header, block.seal)))
    assert engine.branch(lone[4].hash)[0].header == lone[0].header
    for block in blocks[2:6]:
        host.chain.append(block)
    outputs = engine.process(BlockCommitted(6, blocks[5].hash))
    assert not any(isinstance(output, SwitchHead) for output in outputs)
    assert engine.irreversible.height >= 2
    assert len(host.reorganisations) == before
    with pytest.raises(UsageError):
        engine.branch(lone[4].hash)


def test_invalid_blocks_of_a_delegate_are_left() -> None:
    blocks = Group(0, 1).run(8)
    host = node()
    host.announce(blocks[0])
    wrong = replace(blocks[1].header, state_root=bytes(32))
    signer = next(one for one in PEOPLE if one.address == wrong.proposer)
    bad = replace(blocks[1], header=wrong, seal=signer.sign(keccak256(seal_payload(wrong))))
    host.announce(bad)
    assert host.chain.head == blocks[0].header
    host.announce(blocks[1])
    assert host.chain.head == blocks[1].header
    forged = replace(blocks[2], seal=bytes(65))
    host.announce(forged)
    assert host.engine.refused == 1
    assert host.chain.head == blocks[1].header


def test_an_engine_that_begins_late_knows_no_old_delegates() -> None:
    group = Group(0, 1, 2, 3)
    blocks = group.run(40)
    chain = group.hosts[0].chain
    first = genesis_delegates(GENESIS)
    rule = DelegateRule(PARAMETERS, first, DelegateBook(), chain.header_of)
    engine = DelegatedProofOfStake(rule, address=PEOPLE[0].address)
    assert engine.process(BlockCommitted(40, blocks[-1].hash)) == ()  # it cannot tell whose turn it is
    assert engine.head == blocks[-1].header
    assert engine.irreversible.height == 0
    assert engine.next_turn_ms(START) is None


def test_depth_limits_what_is_given_up_while_too_few_take_part() -> None:
    short, long = Group(3).run(20), Group(0, 1).run(24)
    host = node(depth=2)
    host.announce(*short)
    head = host.chain.head
    assert host.engine.irreversible.height == head.height - 2
    host.announce(*long)
    assert host.chain.head == head
