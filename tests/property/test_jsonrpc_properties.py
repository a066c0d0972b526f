"""Whatever JSON comes in: a well-formed response, and no change of the chain that was not asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk import Account, Chain, ChainStack, InvalidInput, ether
from chainstack_sdk.apps.jsonrpc import JsonRpc, handle
from chainstack_sdk.apps.jsonrpc.text import MAX_NESTING, parse_json
from chainstack_sdk.paradigms import Erc20
from chainstack_sdk.primitives import keccak256

ALICE, BOB = (Account.from_key(keccak256(name)) for name in (b"alice", b"bob"))


def new_chain() -> Chain:
    chain = ChainStack.local(funds={ALICE: ether(100)}, consensus="instant").main
    token = chain.erc20.issue(ALICE, name="Gold", symbol="GLD", supply=1_000)
    token.transfer(ALICE, BOB, 5)
    return chain


CHAIN = new_chain()
METHODS = JsonRpc(CHAIN, development=True).methods
SENDING = ("eth_sendRawTransaction", "evm_mine", "evm_revert", "evm_increaseTime", "evm_snapshot")
READING = tuple(name for name in METHODS if name not in SENDING)


def text(value: bytes) -> str:
    return "0x" + value.hex()


WHO, TOKEN = text(ALICE.address), text(CHAIN.receipts(1)[0].contract_address)
BLOCK, TRANSACTION = text(CHAIN.head.hash), text(CHAIN.head.transactions[0].hash)
CALL = {
    "from": WHO,
    "to": TOKEN,
    "data": text(Erc20.abi_function("transfer").encode_call(BOB, 5)),
    "value": "0x0",
    "gas": "0x186a0",
    "accessList": [{"address": TOKEN, "storageKeys": [BLOCK]}],
}
FILTER = {"address": TOKEN, "fromBlock": "0x0", "toBlock": "latest", "topics": [None, [BLOCK], None]}
VALID = {
    "eth_feeHistory": ["0x2", "latest", [10, 90]],
    "eth_getBalance": [WHO, "0x1"],
    "eth_getTransactionCount": [WHO, "pending"],
    "eth_getCode": [TOKEN, {"blockHash": BLOCK, "requireCanonical": True}],
    "eth_getStorageAt": [TOKEN, "0x2", {"blockNumber": "0x1"}],
    "eth_getProof": [TOKEN, ["0x2", BLOCK], "latest"],
    "eth_call": [CALL, "latest"],
    "eth_estimateGas": [CALL, "0x2"],
    "eth_sendRawTransaction": [text(CHAIN.sign(ALICE, BOB, value=1).raw)],
    "eth_getTransactionByHash": [TRANSACTION],
    "eth_getTransactionByBlockNumberAndIndex": ["0x2", "0x0"],
    "eth_getTransactionByBlockHashAndIndex": [BLOCK, "0x0"],
    "eth_getTransactionReceipt": [TRANSACTION],
    "eth_getBlockReceipts": ["latest"],
    "eth_getBlockByNumber": ["0x2", True],
    "eth_getBlockByHash": [BLOCK, False],
    "eth_getBlockTransactionCountByNumber": ["0x1"],
    "eth_getBlockTransactionCountByHash": [BLOCK],
    "eth_getLogs": [FILTER],
    "eth_newFilter": [FILTER],
    "eth_getFilterChanges": ["0x1"],
    "eth_getFilterLogs": ["0x1"],
    "eth_uninstallFilter": ["0x1"],
    "evm_revert": ["0x1"],
    "evm_mine": [2],
    "evm_increaseTime": [60],
}
"""Good parameters of every method that takes any."""

texts = st.sampled_from(["latest", "0x", "0x0", "0x1", "0xffffffffffffffff", WHO, BLOCK]) | st.text(
    max_size=9
)
scalars = texts | st.none() | st.booleans() | st.integers() | st.floats()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=9,
)


def near(valid: Any) -> st.SearchStrategy[Any]:
    """What is valid, with parts that are not, or are not there."""
    if isinstance(valid, list):
        parts = st.tuples(*map(near, valid)).map(list)
        return st.just(valid) | parts | st.lists(st.sampled_from([*valid, None]), max_size=4)
    if isinstance(valid, dict):
        parts = st.fixed_dictionaries({}, optional={name: near(value) for name, value in valid.items()})
        return st.just(valid) | parts | values
    return st.just(valid) | st.just(valid) | values


def request(method: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = {"jsonrpc": st.just("2.0"), "method": st.just(method), "params": near(VALID.get(method, []))}
    return st.fixed_dictionaries(fields, optional={"id": st.integers() | st.text() | st.none()})


requests = st.sampled_from(METHODS).flatmap(request)
anything = values | st.dictionaries(st.sampled_from(["jsonrpc", "id", "method", "params"]), values) | requests


def check(response: Any, request: Any) -> None:
    """The rules of JSON-RPC 2.0 for a response."""
    if response == {}:
        assert "id" not in request
        return
    assert len(response) == 3
    assert response["jsonrpc"] == "2.0"
    assert isinstance(response["id"], int | str | None)
    if "error" in response:
        error = response["error"]
        assert type(error["code"]) is int
        assert isinstance(error["message"], str)
        assert error["message"]
        assert error.keys() <= {"code", "message", "data"}
    else:
        assert "result" in response
        assert response["id"] == request["id"]
    json.dumps(response, allow_nan=False)


@given(anything)
def test_anything_gets_a_response(value: Any) -> None:
    rpc = JsonRpc(CHAIN)
    response = rpc.handle(value)
    if isinstance(value, list) and value:
        assert len(response) <= len(value)
    else:
        check(response, value)


@given(requests, st.integers(min_value=1))
def test_only_some_methods_change_the_chain(request: dict[str, Any], number: int) -> None:
    request["id"] = number
    reading = request["method"] in READING
    chain = CHAIN if reading else new_chain()
    rpc = JsonRpc(chain, development=True)
    rpc.handle(ask("eth_newFilter"))
    rpc.handle(ask("evm_snapshot"))
    before = chain.head.hash, chain.blockchain.state.root, len(chain.pool)
    supply = chain.supply()
    check(rpc.handle(request), request)
    if reading:
        assert (chain.head.hash, chain.blockchain.state.root, len(chain.pool)) == before
    assert chain.supply() == supply
    assert chain.blockchain.state.root == chain.head.state_root


@given(st.lists(requests, max_size=3))
def test_batches_answer_what_has_an_id(batch: list[dict[str, Any]]) -> None:
    chain = new_chain()
    responses = JsonRpc(chain, development=True).handle(batch)
    if not batch:
        check(responses, {})
        return
    asked = [request for request in batch if "id" in request]
    assert [response["id"] for response in responses] == [request["id"] for request in asked]
    for response, request in zip(responses, asked, strict=True):
        check(response, request)


@given(st.binary(max_size=60) | values.map(json.dumps).map(str.encode))
def test_any_bytes_get_json(body: bytes) -> None:
    answer = JsonRpc(CHAIN).handle_bytes(body)
    assert answer == b"" or json.loads(answer)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(st.recursive(st.text('[]{}\\"', max_size=3), st.lists, max_leaves=20), st.integers(0, 40))
def test_nesting_is_counted_right(value: Any, more: int) -> None:
    for _ in range(more):
        value = [value, "[]]"]
    body = json.dumps(value).encode()
    if depth(value) > MAX_NESTING:
        with pytest.raises(InvalidInput, match="nested too deeply"):
            parse_json(body)
    else:
        assert parse_json(body) == value


@given(requests)
def test_without_a_session_the_same_is_answered(request: dict[str, Any]) -> None:
    request["id"] = 1
    response = handle(CHAIN, request)
    if request["method"].startswith("evm_") or "ilter" in request["method"]:
        assert response["error"]["code"] == -32601
    elif request["method"] in READING:
        assert response == JsonRpc(CHAIN).handle(request)


def test_the_examples_are_good() -> None:
    for method in METHODS:
        chain = new_chain()
        rpc = JsonRpc(chain, development=True)
        for preparation in ("evm_snapshot", "eth_newFilter"):
            assert rpc.handle(ask(preparation))
        assert "result" in rpc.handle(ask(method)), method


def ask(method: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": VALID.get(method, [])}
