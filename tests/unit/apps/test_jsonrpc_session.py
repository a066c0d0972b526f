from __future__ import annotations

import json

import pytest

from chainstack_sdk import Account, Chain, ChainConfig, ether
from chainstack_sdk.apps.jsonrpc import JsonRpc, handle
from chainstack_sdk.core import SqliteStore
from chainstack_sdk.core.transactions import known

NUMBER = {"jsonrpc": "2.0", "id": 7, "method": "eth_blockNumber", "params": []}
ANSWER = {"jsonrpc": "2.0", "id": 7, "result": "0x3"}


def failure(response, code, number=None):
    assert response.keys() == {"jsonrpc", "id", "error"}
    assert (response["jsonrpc"], response["id"]) == ("2.0", number)
    assert response["error"].keys() == {"code", "message"}
    return response["error"]["code"] == code


@pytest.mark.parametrize("number", [0, -1, 2**70, "", "a", None])
def test_the_id_comes_back(town, number) -> None:
    assert handle(town.chain, {**NUMBER, "id": number}) == {**ANSWER, "id": number}


def test_parameters_may_be_left_out(town) -> None:
    assert handle(town.chain, {"jsonrpc": "2.0", "id": 7, "method": "eth_blockNumber"}) == ANSWER


@pytest.mark.parametrize("value", [None, 1, "eth_blockNumber", True, 1.5, [[]], [[NUMBER]]])
def test_what_is_no_object(town, value) -> None:
    response = handle(town.chain, value)
    if isinstance(value, list):
        (response,) = response
    assert failure(response, -32600)


@pytest.mark.parametrize(
    "changes", [{"jsonrpc": "1.0"}, {"jsonrpc": 2.0}, {"method": 1}, {"method": None}, {"method": ["a"]}]
)
def test_what_is_no_request(town, changes) -> None:
    assert failure(handle(town.chain, {**NUMBER, **changes}), -32600, 7)


@pytest.mark.parametrize("name", ["jsonrpc", "method"])
def test_what_lacks_something(town, name) -> None:
    assert failure(handle(town.chain, {key: NUMBER[key] for key in NUMBER if key != name}), -32600, 7)


@pytest.mark.parametrize("number", [True, 1.0, [], {}, {"a": 1}])
def test_what_is_no_id(town, number) -> None:
    assert failure(handle(town.chain, {**NUMBER, "id": number}), -32600)


def test_unknown_methods(town) -> None:
    assert failure(handle(town.chain, {**NUMBER, "method": "eth_nothing"}), -32601, 7)


@pytest.mark.parametrize("params", [{}, {"a": 1}, "0x1", 1, None, [1], ["0x1"]])
def test_wrong_parameters(town, params) -> None:
    assert failure(handle(town.chain, {**NUMBER, "params": params}), -32602, 7)


def test_how_many_parameters(ask, refused, town) -> None:
    who = "0x" + town.alice.address.hex()
    assert ask("eth_getTransactionCount", who) == ask("eth_getTransactionCount", who, None) == "0x3"
    with refused(-32602, "takes 1 to 2 parameters, not 0"):
        ask("eth_getTransactionCount")
    with refused(-32602, "takes 1 to 2 parameters, not 3"):
        ask("eth_getTransactionCount", who, "latest", None)
    with refused(-32602, "parameter 2: "):
        ask("eth_getTransactionCount", who, "newest")
    with refused(-32602, "parameter 1: "):
        ask("eth_getTransactionCount", None)


def test_batches_keep_their_order(town) -> None:
    batch = [NUMBER, 1, {**NUMBER, "id": 8, "method": "eth_chainId"}, {**NUMBER, "id": 7}]
    first, second, third, fourth = handle(town.chain, batch)
    assert first == fourth == ANSWER
    assert failure(second, -32600)
    assert third["result"] == hex(31337)
    assert failure(handle(town.chain, []), -32600)


def test_notifications_are_carried_out_and_not_answered(town) -> None:
    rpc = JsonRpc(town.chain, development=True)
    mine = {"jsonrpc": "2.0", "method": "evm_mine"}
    assert rpc.handle(mine) == {}
    assert town.chain.height == 4
    assert rpc.handle({**mine, "method": "eth_nothing"}) == {}
    assert rpc.handle([mine, mine]) == []
    (answer,) = rpc.handle([mine, NUMBER])
    assert answer["result"] == "0x7"
    assert failure(rpc.handle({"jsonrpc": "2.0"}), -32600)


def test_bytes(town) -> None:
    rpc = JsonRpc(town.chain)
    assert json.loads(rpc.handle_bytes(json.dumps(NUMBER).encode())) == ANSWER
    assert json.loads(rpc.handle_bytes(json.dumps([NUMBER]).encode())) == [ANSWER]
    assert rpc.handle_bytes(b'{"jsonrpc": "2.0", "method": "eth_chainId"}') == b""
    assert rpc.handle_bytes(b'[{"jsonrpc": "2.0", "method": "eth_chainId"}]') == b""
    odd = json.loads(rpc.handle_bytes(json.dumps({**NUMBER, "id": "\ud800", "method": "é"}).encode()))
    assert failure(odd, -32601, "\ud800")
    assert failure(json.loads(rpc.handle_bytes(b"{")), -32700)


def test_what_needs_a_session_is_not_there_without(town) -> None:
    public, private = JsonRpc(town.chain).methods, JsonRpc(town.chain, development=True).methods
    assert not any(name.startswith("evm_") for name in public)
    assert set(private) - set(public) == {"evm_snapshot", "evm_revert", "evm_mine", "evm_increaseTime"}
    for name in private:
        if name.startswith("evm_") or "ilter" in name:
            assert failure(handle(town.chain, {**NUMBER, "method": name}), -32601, 7)
    assert failure(JsonRpc(town.chain).handle({**NUMBER, "method": "evm_mine"}), -32601, 7)


def test_sessions_do_not_share_filters(town) -> None:
    request = {**NUMBER, "method": "eth_newBlockFilter"}
    name = JsonRpc(town.chain).handle(request)["result"]
    other = JsonRpc(town.chain).handle({**NUMBER, "method": "eth_uninstallFilter", "params": [name]})
    assert other["result"] is False


def test_the_chain_answers_itself(town) -> None:
    assert town.chain.rpc(NUMBER) == ANSWER


@pytest.mark.parametrize("archive", [False, True])
def test_a_reopened_chain_answers_the_same(tmp_path, archive) -> None:
    alice, bob = (Account.from_key(bytes([number]) * 32) for number in (1, 2))
    config = ChainConfig(funds={alice.checksum_address: ether(1)}, archive=archive)

    def opened() -> Chain:
        return Chain.open(SqliteStore(tmp_path / "chain"), config)

    with opened() as chain:
        chain.send(chain.sign(alice, bob, value=1))
        token = chain.erc20.issue(alice, name="Gold", symbol="GLD", supply=1_000)
        who, contract = ("0x" + address.hex() for address in (alice.address, token.address))
        digest = "0x" + chain.head.transactions[-1].hash.hex()
        requests = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, *params) in enumerate(
                [
                    ("eth_getBlockByNumber", "latest", True),
                    ("eth_getTransactionByHash", digest),
                    ("eth_getTransactionReceipt", digest),
                    ("eth_getBlockReceipts", "0x1"),
                    ("eth_getLogs", {"fromBlock": "0x0", "address": contract}),
                    ("eth_getBalance", who, "0x0"),
                    ("eth_getCode", contract),
                    ("eth_getProof", contract, ["0x2"], "0x1"),
                    ("eth_feeHistory", 3, "latest", [50]),
                ]
            )
        ]
        before = handle(chain, requests)
        assert [response for response in before if "result" not in response] == []
    known.clear()
    with opened() as chain:
        assert handle(chain, requests) == before
