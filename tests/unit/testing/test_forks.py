"""The hosts that tests of branches are written with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.dpos import DelegationParameters, with_delegation
from chainstack_sdk.consensus.retarget import FixedDifficulty
from chainstack_sdk.consensus.sealed import encode_announcement
from chainstack_sdk.consensus.work import Found
from chainstack_sdk.core.engine import (
    BlockProposed,
    Broadcast,
    Decide,
    EngineInput,
    EngineOutput,
    FetchBlock,
    RequestWork,
    Sign,
    SwitchHead,
)
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.primitives.errors import InvariantBroken
from chainstack_sdk.testing import accounts, bare_chain
from chainstack_sdk.testing.forks import ForkHost, delegate_host, work_host

(ALICE,) = accounts(1)
GENESIS = Genesis(engine="pow")


def test_a_mined_block_is_on_the_chain_the_shelf_and_in_the_outbox() -> None:
    ledger = MemoryLedger()
    host = work_host(GENESIS, FixedDifficulty(3), proposer=ALICE.address, ledger=ledger)
    block = host.propose(timestamp_ms=GENESIS.timestamp_ms + 5)
    assert block is not None
    assert host.chain.head == block.header
    assert host.shelf == {block.hash: block}
    assert ledger.block(1) == block
    (message,) = host.outbox
    other = work_host(GENESIS, FixedDifficulty(3), shelf=host.shelf)
    other.receive(message)
    assert other.chain.head == block.header
    assert other.reorganisations[0].added == (block,)


def test_blocks_are_fetched_from_the_shelf_and_judged() -> None:
    maker = work_host(GENESIS, FixedDifficulty(1))
    one, two, three = (maker.propose(timestamp_ms=GENESIS.timestamp_ms + at) for at in (1, 2, 3))
    host = work_host(GENESIS, FixedDifficulty(1), shelf={one.hash: one})
    host.receive(encode_announcement(two.header, two.seal))  # its parent is fetched, itself it is not there
    assert host.chain.height == 0
    host.announce(two)
    assert host.chain.height == 0  # the engine has asked for it once
    wrong = replace(three.header, state_root=bytes(32))
    host.announce(replace(three, header=wrong))
    assert host.chain.head == two.header
    host.announce(three)
    assert host.chain.head == three.header


def test_a_delegate_keeps_its_record() -> None:
    parameters = DelegationParameters(blocks_per_epoch=2, seats=1, minimum_deposit=1, interval_ms=10)
    genesis = with_delegation(Genesis(engine="dpos"), [ALICE.address], parameters)
    host = delegate_host(genesis, signer=ALICE)
    assert host.record is None
    assert host.propose(timestamp_ms=genesis.timestamp_ms + 10) is not None
    again = delegate_host(genesis, signer=ALICE, record=host.record)
    assert again.propose(timestamp_ms=genesis.timestamp_ms + 10) is not None
    assert again.chain.head == host.chain.head


class Wanting:
    """An engine that wants what a test says."""

    def __init__(self, *outputs: EngineOutput) -> None:
        self.told: list[EngineInput] = []
        self._outputs = outputs

    def process(self, event: EngineInput) -> tuple[EngineOutput, ...]:
        self.told.append(event)
        return self._outputs if isinstance(event, BlockProposed) else ()

    def branch(self, tip_hash: bytes):
        raise AssertionError("not asked")


def test_what_cannot_be_done_is_left() -> None:
    chain = bare_chain()
    head = SwitchHead(0, chain.head.hash)
    engine = Wanting(FetchBlock(7, bytes(32)), RequestWork(bytes(32), 1), Sign(b"payload"), head)
    host = ForkHost(chain, engine)
    assert host.propose(timestamp_ms=GENESIS.timestamp_ms + 1) is None
    assert len(engine.told) == 2
    assert len(host.outputs) == 4


def test_decisions_and_messages_of_any_engine_are_carried_out() -> None:
    host = ForkHost(bare_chain(), engine := Wanting())
    header = host.chain.build([], timestamp_ms=GENESIS.timestamp_ms + 1, proposer=ALICE.address).block.header
    engine._outputs = (Decide(1, header.hash, b"seal"), Broadcast(b"done"))
    host = ForkHost(host.chain, engine, proposer=ALICE.address)
    block = host.propose(timestamp_ms=GENESIS.timestamp_ms + 1)
    assert block is not None
    assert block.seal == b"seal"
    assert host.outbox == [b"done"]


def test_work_that_nobody_finds_is_a_bug_of_the_test() -> None:
    class Hopeless:
        name = "hopeless"

        def digest(self, block_hash: bytes, nonce: int) -> bytes:
            return b"\xff" * 32

        def search(self, block_hash: bytes, start: int, count: int, target: int, share_target: int) -> Found:
            return Found(None, count)

    chain = bare_chain()
    header = chain.build([], timestamp_ms=GENESIS.timestamp_ms + 1, proposer=bytes(20)).block.header
    host = ForkHost(chain, Wanting(RequestWork(header.hash, 1)), work_hash=Hopeless())
    with pytest.raises(InvariantBroken, match="no nonce"):
        host.propose(timestamp_ms=GENESIS.timestamp_ms + 1)
