from __future__ import annotations

import pytest

from chainstack_sdk.apps.jsonrpc import filters
from chainstack_sdk.testing.reorganisation import reorganise


def text(value: bytes) -> str:
    return "0x" + value.hex()


@pytest.fixture
def changes(ask):
    """What is new: amounts of transfers, negative when they are removed, or hashes of blocks."""

    def changes(name):
        found = ask("eth_getFilterChanges", name)
        return [
            entry if isinstance(entry, str) else int(entry["data"], 16) * (-1 if entry["removed"] else 1)
            for entry in found
        ]

    return changes


def test_new_logs_are_told_once(town, ask, changes) -> None:
    token, alice, bob = town.token, town.alice, town.bob
    name = ask("eth_newFilter", {"address": text(token.address)})
    assert changes(name) == []
    token.transfer(alice, bob, 1)
    token.transfer(alice, bob, 2)
    assert changes(name) == [1, 2]
    assert changes(name) == []
    token.transfer(alice, bob, 3)
    assert changes(name) == [3]


def test_criteria_hold(town, ask, changes) -> None:
    token, alice, bob = town.token, town.alice, town.bob
    other = ask("eth_newFilter", {"address": text(bob.address)})
    past = ask("eth_newFilter", {"fromBlock": "0x0", "toBlock": "0x4"})
    later = ask("eth_newFilter", {"fromBlock": "0x5"})
    block = ask("eth_newFilter", {"blockHash": text(town.chain.head.hash)})
    for amount in (1, 2, 3):
        token.transfer(alice, bob, amount)
    assert changes(other) == []
    assert changes(past) == [1]
    assert changes(later) == [2, 3]
    assert changes(block) == []
    assert len(ask("eth_getFilterLogs", past)) == 5
    assert [log["blockNumber"] for log in ask("eth_getFilterLogs", later)] == ["0x5", "0x6"]
    assert [log["blockNumber"] for log in ask("eth_getFilterLogs", block)] == ["0x3"]


def test_new_blocks(town, ask, changes, refused) -> None:
    name = ask("eth_newBlockFilter")
    hashes = [text(town.chain.seal().hash) for _ in range(3)]
    assert changes(name) == hashes
    assert changes(name) == []
    with refused(-32000, "filter not found"):
        ask("eth_getFilterLogs", name)


def test_names_are_not_reused(ask, refused) -> None:
    first, second = ask("eth_newBlockFilter"), ask("eth_newFilter", {})
    assert first != second
    assert ask("eth_uninstallFilter", first) is True
    assert ask("eth_uninstallFilter", first) is False
    assert ask("eth_newBlockFilter") not in (first, second)
    for method in ("eth_getFilterChanges", "eth_getFilterLogs"):
        with refused(-32000, "filter not found"):
            ask(method, first)
    with refused(-32602):
        ask("eth_getFilterChanges", "first")


def test_after_blocks_are_undone_the_new_ones_are_told(town, ask, changes) -> None:
    token, alice, bob, chain = town.token, town.alice, town.bob, town.chain
    name = ask("eth_newFilter", {})
    token.transfer(alice, bob, 1)
    assert changes(name) == [1]
    there = chain.snapshot()
    token.transfer(alice, bob, 2)
    token.transfer(alice, bob, 3)
    assert changes(name) == [2, 3]
    chain.revert(there)
    assert changes(name) == [-3, -2]
    for amount in (4, 5, 6):
        token.transfer(alice, bob, amount)
    assert changes(name) == [4, 5, 6]


def test_an_undoing_that_was_never_seen(town, ask, changes) -> None:
    token, alice, bob, chain = town.token, town.alice, town.bob, town.chain
    name = ask("eth_newFilter", {})
    there = chain.snapshot()
    token.transfer(alice, bob, 1)
    assert changes(name) == [1]
    chain.revert(there)
    token.transfer(alice, bob, 2)
    assert changes(name) == [-1, 2]


def test_a_removed_log_has_the_place_that_it_had(town, ask) -> None:
    chain = town.chain
    name = ask("eth_newFilter", {"address": text(town.token.address)})
    town.token.transfer(town.alice, town.bob, 9)
    (told,) = ask("eth_getFilterChanges", name)
    reorganise(chain, 1)
    removed, again = ask("eth_getFilterChanges", name)
    assert removed == {**told, "removed": True}
    assert again["transactionHash"] == told["transactionHash"]
    assert again["blockHash"] != told["blockHash"]
    assert again["removed"] is False
    assert ask("eth_getFilterChanges", name) == []


def test_logs_below_a_reorganisation_are_not_told_again(town, ask, changes) -> None:
    name = ask("eth_newFilter", {})
    for amount in (1, 2, 3):
        town.token.transfer(town.alice, town.bob, amount)
    assert changes(name) == [1, 2, 3]
    reorganise(town.chain, 1, transactions=[])
    assert changes(name) == [-3]


def test_what_the_client_was_not_told_is_not_removed(town, ask, changes) -> None:
    name = ask("eth_newFilter", {"address": text(town.bob.address)})
    late = ask("eth_newFilter", {})
    town.token.transfer(town.alice, town.bob, 1)
    assert changes(name) == []
    reorganise(town.chain, 1, transactions=[])
    assert changes(name) == changes(late) == []


def test_only_so_many_logs_are_remembered(town, ask, changes, monkeypatch) -> None:
    monkeypatch.setattr(filters, "MAX_TOLD", 2)
    name = ask("eth_newFilter", {})
    for amount in (1, 2, 3):
        town.token.transfer(town.alice, town.bob, amount)
        assert changes(name) == [amount]
    reorganise(town.chain, 3, transactions=[])
    assert changes(name) == [-3, -2]


def test_when_all_remembered_blocks_are_gone_it_begins_anew(town, ask, changes, monkeypatch) -> None:
    monkeypatch.setattr(filters, "MAX_MARKS", 2)
    chain = town.chain
    there = chain.snapshot()
    name = ask("eth_newBlockFilter")
    for _ in range(3):
        chain.seal()
        assert len(changes(name)) == 1
    chain.revert(there)
    assert changes(name) == [text(chain.block(height).hash) for height in (1, 2, 3)]
    assert changes(name) == []


def test_the_longest_unused_filter_is_dropped(ask, changes, monkeypatch, refused) -> None:
    monkeypatch.setattr(filters, "MAX_FILTERS", 2)
    first, second = ask("eth_newBlockFilter"), ask("eth_newBlockFilter")
    changes(first)
    third = ask("eth_newBlockFilter")
    assert changes(first) == changes(third) == []
    with refused(-32000, "filter not found"):
        ask("eth_getFilterChanges", second)


def test_a_block_filter_whose_block_is_gone(town, ask, refused) -> None:
    there = town.chain.snapshot()
    block = town.chain.seal()
    name = ask("eth_newFilter", {"blockHash": text(block.hash)})
    town.chain.revert(there)
    with refused(-32001, "block not found"):
        ask("eth_getFilterChanges", name)
