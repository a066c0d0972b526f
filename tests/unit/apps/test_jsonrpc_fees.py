from __future__ import annotations

import pytest

from chainstack_sdk import Chain, ether

GWEI = 10**9


def test_prices(town, ask) -> None:
    assert ask("eth_maxPriorityFeePerGas") == hex(GWEI)
    assert ask("eth_gasPrice") == hex(town.chain.next_base_fee + GWEI)


def test_base_fees_and_use(town, ask) -> None:
    chain = town.chain
    history = ask("eth_feeHistory", "0x2", "latest")
    assert history == {
        "oldestBlock": "0x2",
        "baseFeePerGas": [hex(chain.block(height).header.base_fee) for height in (2, 3)]
        + [hex(chain.next_base_fee)],
        "gasUsedRatio": [chain.block(height).header.gas_used / 10**9 for height in (2, 3)],
    }
    assert history == ask("eth_feeHistory", 2, "0x3", [])
    older = ask("eth_feeHistory", "0x1", "0x2")
    assert older["baseFeePerGas"] == history["baseFeePerGas"][:2]
    whole = ask("eth_feeHistory", hex(2**64 - 1), "latest")
    assert (whole["oldestBlock"], len(whole["gasUsedRatio"])) == ("0x0", 4)


def test_the_history_is_bounded(town, ask) -> None:
    chain = town.chain
    for _ in range(1_030):
        chain.seal()
    history = ask("eth_feeHistory", "0x1000", "latest")
    assert len(history["gasUsedRatio"]) == 1_024
    assert history["oldestBlock"] == hex(chain.height - 1_023)


def test_rewards_are_weighted_by_gas(town, ask) -> None:
    chain = town.chain
    chain.auto_seal = False
    data = town.token.contract.abi_function("transfer").encode_call(town.bob, 1)
    for nonce, (tip, receiver, call) in enumerate(
        [(3, town.bob, b""), (1, town.token, data), (2, town.bob, b"")], 3
    ):
        chain.send(chain.sign(town.alice, receiver, data=call, gas=100_000, nonce=nonce, tip=tip * GWEI))
    block = chain.seal()
    first = chain.receipt(block.transactions[1].hash).gas_used  # the lowest tip, and the most gas
    share = 100 * first / block.header.gas_used
    assert share > 30
    history = ask("eth_feeHistory", 1, "latest", [0, share - 1, share + 1, 99, 100.0])
    assert history["reward"] == [[hex(tip * GWEI) for tip in (1, 1, 2, 3, 3)]]


def test_empty_blocks_reward_nobody(town, ask) -> None:
    town.chain.seal()
    assert ask("eth_feeHistory", 1, "latest", [10, 90])["reward"] == [["0x0", "0x0"]]


@pytest.mark.parametrize(
    "params",
    [
        (0, "latest"),
        ("0x0", "latest"),
        (-1, "latest"),
        (True, "latest"),
        (1, "0x" + "00" * 32),
        (1, "latest", [50, 10]),
        (1, "latest", [-1]),
        (1, "latest", [100.1]),
        (1, "latest", [float("nan")]),
        (1, "latest", [True]),
        (1, "latest", ["50"]),
        (1, "latest", [1] * 101),
        (1,),
    ],
    ids=str,
)
def test_malformed(ask, refused, params) -> None:
    with refused(-32602):
        ask("eth_feeHistory", *params)


def test_blocks_to_come_have_no_history(ask, refused) -> None:
    with refused(-32001):
        ask("eth_feeHistory", 1, "0x4")


def test_a_chain_without_fees(rpc) -> None:
    chain = Chain.in_memory({b"\1" * 20: ether(1)}, base_fee=0)
    answer = chain.rpc({"jsonrpc": "2.0", "id": 1, "method": "eth_feeHistory", "params": [1, "latest", [50]]})
    assert answer["result"] == {
        "oldestBlock": "0x0",
        "baseFeePerGas": ["0x0", "0x0"],
        "gasUsedRatio": [0.0],
        "reward": [["0x0"]],
    }
