"""What JSON-RPC tells of a block whose timers have fired."""

from __future__ import annotations

import pytest

from chainstack_sdk.core.receipts import closing_hash
from chainstack_sdk.machines import DEPLOYER_ADDRESS, Deployer, Machine, State, after

ZERO = "0x" + bytes(20).hex()


class Bell(Machine):
    """Rings at once."""

    waiting = State()
    rung = State(final=True)

    @after(waiting, 0, rung)
    def ring(self) -> None:
        pass


@pytest.fixture
def closing(town) -> str:
    """The hash of the closing receipt of block 4, which has one transaction."""
    Bell.deploy(town.chain, town.alice)
    assert town.chain.height == 4
    return "0x" + closing_hash(4, town.chain.block(3).hash).hex()


def test_its_receipt(ask, closing: str) -> None:
    deployed, closed = ask("eth_getBlockReceipts", "0x4")
    assert ask("eth_getTransactionReceipt", closing) == closed
    assert ask("eth_getTransactionReceipt", deployed["transactionHash"]) == deployed
    places = ("transactionIndex", "gasUsed", "effectiveGasPrice", "status", "type", "from", "to")
    assert [closed[name] for name in places] == ["0x1", "0x0", "0x0", "0x1", "0x0", ZERO, None]
    assert closed["cumulativeGasUsed"] == deployed["gasUsed"]
    (log,) = closed["logs"]
    assert (log["transactionHash"], log["logIndex"]) == (closing, hex(len(deployed["logs"])))


def test_the_block_lists_transactions(ask, closing: str) -> None:
    block = ask("eth_getBlockByNumber", "0x4", False)
    assert len(block["transactions"]) == 1
    assert closing not in block["transactions"]
    assert ask("eth_getBlockTransactionCountByNumber", "0x4") == "0x1"
    assert ask("eth_getTransactionByHash", closing) is None
    assert ask("eth_getTransactionByBlockNumberAndIndex", "0x4", "0x1") is None


def test_its_logs(ask, closing: str) -> None:
    wanted = {"fromBlock": "0x0", "address": "0x" + DEPLOYER_ADDRESS.hex()}
    topic = "0x" + Deployer.TimerFired.topic.hex()
    (log,) = ask("eth_getLogs", {**wanted, "topics": [topic]})
    assert (log["transactionHash"], log["transactionIndex"], log["blockNumber"]) == (closing, "0x1", "0x4")


def test_it_pays_no_tip(ask, closing: str) -> None:
    (rewards,) = ask("eth_feeHistory", "0x1", "0x4", [0, 50, 100])["reward"]
    assert len(set(rewards)) == 1
    assert int(rewards[0], 16) >= 0
