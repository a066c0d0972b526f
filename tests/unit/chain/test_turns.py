"""Engines that say when a block may be made, and by whom."""

from __future__ import annotations

from itertools import repeat

import pytest

from chainstack_sdk import Chain, ChainStack, ManualClock, UsageError, ether
from chainstack_sdk.chain.turns import Producing
from chainstack_sdk.core.genesis import DEFAULT_TIMESTAMP_MS
from chainstack_sdk.network.local import local_consensus
from chainstack_sdk.testing import ScriptedEngine, accounts, decide

ALICE, BOB, CAROL = accounts(3)


class Punctual(ScriptedEngine):
    """Lets BOB make blocks at full minutes."""

    def __init__(self):
        super().__init__(repeat(decide()))
        self.asked: list[int] = []

    def turn(self, timestamp_ms):
        self.asked.append(timestamp_ms)
        return -(-timestamp_ms // 60_000) * 60_000, BOB.address


def test_a_block_has_the_time_and_proposer_that_the_engine_says() -> None:
    engine = Punctual()
    assert isinstance(engine, Producing)
    chain = Chain.in_memory({ALICE: ether(1)}, engine=engine, auto_seal=True)
    assert chain.transfer(ALICE, CAROL, 1).height == 1
    header = chain.head.header
    assert (header.timestamp_ms, header.proposer) == (DEFAULT_TIMESTAMP_MS + 60_000, BOB.address)
    assert chain.balance(BOB) > 0
    assert chain.clock.now_ms() == header.timestamp_ms
    assert set(engine.asked) == {DEFAULT_TIMESTAMP_MS + 1_000}


def test_calls_run_as_in_the_next_block() -> None:
    chain = Chain.in_memory({ALICE: ether(1)}, engine=Punctual())
    context = chain._next_context()
    assert (context.timestamp_ms, context.proposer) == (DEFAULT_TIMESTAMP_MS + 60_000, BOB.address)


def test_naming_a_proposer_where_the_engine_does() -> None:
    with pytest.raises(UsageError, match="says who proposes"):
        Chain.in_memory({ALICE: ether(1)}, engine=Punctual(), proposer=CAROL)
    with pytest.raises(UsageError, match="says who proposes"):
        Chain.in_memory({ALICE: ether(1)}, consensus=local_consensus("dpos"), proposer=CAROL)


@pytest.mark.parametrize("name", ["pbft", "pow"])
def test_naming_a_proposer_where_the_engine_does_not_care(name) -> None:
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=local_consensus(name), proposer=CAROL)
    chain.seal()
    assert chain.head.header.proposer == CAROL.address


def test_a_delegates_turn_after_a_pause() -> None:
    clock = ManualClock()
    chain = Chain.in_memory({ALICE: ether(1)}, consensus=local_consensus("dpos"), clock=clock)
    chain.seal()
    clock.advance(ms=12_345)
    chain.seal()
    header = chain.head.header
    assert header.timestamp_ms % 1_000 == 0
    assert 0 <= header.timestamp_ms - (DEFAULT_TIMESTAMP_MS + 1_000 + 12_345) < 1_000
    assert chain.clock.now_ms() == header.timestamp_ms


@pytest.mark.parametrize(
    ("name", "behind"), [("instant", 0), ("dpow", 0), ("pos", 0), ("pbft", 0), ("pow", 6), ("dpos", 3)]
)
def test_what_is_final(name: str, behind: int) -> None:
    chain = ChainStack.local(consensus=name).main
    assert chain.finalized_height == 0
    for _ in range(10):
        chain.seal()
    assert chain.finalized_height == 10 - behind
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["finalized", False]}
    assert int(chain.rpc(asked)["result"]["number"], 16) == 10 - behind
