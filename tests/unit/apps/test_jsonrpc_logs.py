from __future__ import annotations

import pytest

from chainstack_sdk.primitives import keccak256

TRANSFER = "0x" + keccak256(b"Transfer(address,address,uint256)").hex()
ISSUED = "0x" + keccak256(b"Issued(address,address,string)").hex()


def text(value: bytes) -> str:
    return "0x" + value.hex()


def topic(address: bytes) -> str:
    return text(address.rjust(32, b"\0"))


@pytest.fixture
def heights(ask):
    """The blocks of the logs that match a filter."""

    def heights(**criteria):
        return [int(log["blockNumber"], 16) for log in ask("eth_getLogs", criteria)]

    return heights


def test_ranges(town, heights) -> None:
    everything = [1, 1, 2, 3]
    assert heights(fromBlock="0x0", toBlock="latest") == everything
    assert heights(fromBlock="earliest") == everything
    assert heights() == [3]
    assert heights(fromBlock="0x2") == [2, 3]
    assert heights(fromBlock="0x0", toBlock="0x1") == [1, 1]
    assert heights(fromBlock="0x1", toBlock="0xffff") == everything
    assert heights(fromBlock="0x4") == []
    assert heights(blockHash=text(town.chain.block(2).hash)) == [2]
    assert heights(fromBlock=None, toBlock=None, blockHash=None, address=None, topics=None) == [3]


def test_addresses(town, heights) -> None:
    token, other = text(town.token.address), text(town.bob.address)
    assert heights(fromBlock="0x0", address=token) == [1, 2, 3]
    assert heights(fromBlock="0x0", address=[token, other]) == [1, 2, 3]
    assert heights(fromBlock="0x0", address=other) == []
    assert heights(fromBlock="0x0", address=[]) == [1, 1, 2, 3]


def test_topics(town, heights) -> None:
    nobody, bob, alice = topic(bytes(20)), topic(town.bob.address), topic(town.alice.address)
    for topics, expected in (
        ([], [1, 1, 2, 3]),
        ([TRANSFER], [1, 2, 3]),
        ([ISSUED], [1]),
        ([[TRANSFER, ISSUED]], [1, 1, 2, 3]),
        ([TRANSFER, nobody], [1]),
        ([None, None, bob], [2, 3]),
        ([TRANSFER, [nobody, alice], [bob, alice]], [1, 2, 3]),
        ([[], [None, bob], bob], [2, 3]),
        ([None, None, None], [1, 1, 2, 3]),
        ([None, None, None, None], []),
        ([bob], []),
    ):
        assert heights(fromBlock="0x0", topics=topics) == expected, topics


@pytest.mark.parametrize(
    "criteria",
    [
        "latest",
        None,
        [],
        {"fromBlock": 1},
        {"fromBlock": "0x01"},
        {"fromBlock": "0x" + "00" * 32},
        {"toBlock": {}},
        {"fromBlock": "0x2", "toBlock": "0x1"},
        {"blockHash": "0x1"},
        {"blockHash": "0x" + "00" * 32, "fromBlock": "0x1"},
        {"blockHash": "0x" + "00" * 32, "toBlock": "latest"},
        {"address": "0x"},
        {"address": [None]},
        {"address": {}},
        {"address": ["0x" + "00" * 20] * 1_001},
        {"topics": TRANSFER},
        {"topics": [None] * 5},
        {"topics": ["0x"]},
        {"topics": [[TRANSFER, 1]]},
        {"topics": [[[TRANSFER]]]},
        {"topics": [[TRANSFER] * 1_001]},
    ],
    ids=lambda criteria: str(criteria)[:60],
)
def test_malformed_filters(ask, refused, criteria) -> None:
    for method in ("eth_getLogs", "eth_newFilter"):
        with refused(-32602, "parameter 1: "):
            ask(method, criteria)


def test_a_block_that_is_not_there(ask, refused) -> None:
    with refused(-32001, "block not found"):
        ask("eth_getLogs", {"blockHash": "0x" + "00" * 32})
