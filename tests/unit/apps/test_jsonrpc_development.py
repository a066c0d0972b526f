from __future__ import annotations

from chainstack_sdk import Chain, SystemClock
from chainstack_sdk.apps.jsonrpc import JsonRpc
from chainstack_sdk.testing import ScriptedEngine


def test_snapshots_nest_and_are_used_up(town, ask) -> None:
    chain = town.chain
    first = ask("evm_snapshot")
    chain.seal()
    second = ask("evm_snapshot")
    chain.seal()
    third = ask("evm_snapshot")
    assert len({first, second, third}) == 3
    assert ask("evm_revert", second) is True
    assert chain.height == 4
    assert ask("evm_revert", third) is False
    assert ask("evm_revert", second) is False
    assert ask("evm_revert", int(first, 16)) is True
    assert chain.height == 3
    assert ask("evm_snapshot") not in (first, second, third)


def test_a_snapshot_of_another_past(town, ask, refused) -> None:
    chain = town.chain
    there = chain.snapshot()
    chain.seal()
    number = ask("evm_snapshot")
    chain.revert(there)
    with refused(-32000, "not in this chain's past"):
        ask("evm_revert", number)


def test_blocks_on_demand(town, ask, refused) -> None:
    assert ask("evm_mine") == "0x0"
    assert ask("evm_mine", 2) == ask("evm_mine", "0x2") == "0x0"
    assert town.chain.height == 8
    for count in (0, 1_025, -1, "0x", True):
        with refused(-32602):
            ask("evm_mine", count)
    assert town.chain.height == 8


def test_what_waits_is_sealed(town, ask) -> None:
    chain = town.chain
    chain.auto_seal = False
    digest = chain.send(chain.sign(town.alice, town.bob, value=1))
    ask("evm_mine")
    assert chain.receipt(digest).height == 4


def test_an_engine_that_needs_a_host() -> None:
    chain = Chain.in_memory(engine=ScriptedEngine())
    request = {"jsonrpc": "2.0", "id": 1, "method": "evm_mine"}
    answer = JsonRpc(chain, development=True).handle(request)
    assert answer["error"]["code"] == -32000
    assert "needs a host" in answer["error"]["message"]
    assert chain.height == 0


def test_time(town, ask, refused) -> None:
    chain = town.chain
    before = chain.clock.now_ms()
    assert ask("evm_increaseTime", 3_600) == 3_600
    assert ask("evm_increaseTime", "0x1") == 1
    assert chain.clock.now_ms() == before + 3_601_000
    ask("evm_mine")
    assert chain.head.timestamp_ms == before + 3_601_000
    for seconds in (-1, 2**63, 1.5):
        with refused(-32602):
            ask("evm_increaseTime", seconds)
    ask("evm_mine")


def test_a_clock_that_cannot_be_moved() -> None:
    rpc = JsonRpc(Chain.in_memory(clock=SystemClock()), development=True)
    answer = rpc.handle({"jsonrpc": "2.0", "id": 1, "method": "evm_increaseTime", "params": [1]})
    assert answer["error"] == {"code": -32000, "message": "the chain's clock cannot be moved"}
