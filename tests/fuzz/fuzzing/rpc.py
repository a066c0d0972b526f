"""Targets: JSON-RPC. Any request has a well-formed response, and a question changes nothing."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from fuzzing import samples
from fuzzing.decoders import same
from fuzzing.entrances import fingerprint
from fuzzing.harness import Target, as_json, as_text

from chainstack_sdk import Chain
from chainstack_sdk.apps.jsonrpc import JsonRpc, handle
from chainstack_sdk.apps.jsonrpc.methods import METHODS
from chainstack_sdk.primitives.errors import ChainStackError

WRITERS = ("eth_sendRawTransaction", "evm_mine", "evm_revert", "evm_increaseTime")


class Refused(ChainStackError):
    """The response is an error."""


@cache
def stage() -> Chain:
    """Return a chain of its own for the requests, each of which is put back."""
    chain = Chain.in_memory(config=samples.CONFIG)
    for block in samples.blocks()[1:]:
        chain.append(block)
    return chain


@cache
def requests() -> tuple[Any, ...]:
    """Return a good request of every method, and a batch."""
    story = samples.story()
    alice, token = samples.ALICE.checksum_address, "0x" + story.token.address.hex()
    block, head = story.chain.block(6), hex(story.chain.height)
    block_hash, tx = "0x" + block.hash.hex(), "0x" + block.transactions[0].hash.hex()
    topic = "0x" + story.token.contract.abi_event("Transfer").topic.hex()
    call = {
        "from": alice,
        "to": token,
        "data": "0x" + story.token.contract.abi_function("balanceOf").encode_call(samples.BOB.address).hex(),
        "value": "0x0",
        "gas": "0xfffff",
        "accessList": [{"address": token, "storageKeys": ["0x" + "00" * 32]}],
    }
    logs = {"address": [token], "topics": [[topic, None], None], "fromBlock": "0x0", "toBlock": head}
    raw = (
        "0x" + samples.sign(samples.ALICE, story.chain.nonce(samples.ALICE), to=samples.BOB.address).raw.hex()
    )
    params: dict[str, list[Any]] = {
        "eth_getBalance": [alice, "latest"],
        "eth_getTransactionCount": [alice, "pending"],
        "eth_getCode": [token, {"blockNumber": head}],
        "eth_getStorageAt": [token, "0x2", {"blockHash": block_hash, "requireCanonical": True}],
        "eth_getProof": [token, ["0x0", "0x2"], "latest"],
        "eth_call": [call, head],
        "eth_estimateGas": [call],
        "eth_sendRawTransaction": [raw],
        "eth_getTransactionByHash": [tx],
        "eth_getTransactionByBlockNumberAndIndex": ["0x6", "0x0"],
        "eth_getTransactionByBlockHashAndIndex": [block_hash, "0x1"],
        "eth_getTransactionReceipt": [tx],
        "eth_getBlockReceipts": ["0x6"],
        "eth_getBlockByNumber": ["0x6", True],
        "eth_getBlockByHash": [block_hash, False],
        "eth_getBlockTransactionCountByNumber": ["0x6"],
        "eth_getBlockTransactionCountByHash": [block_hash],
        "eth_getLogs": [logs],
        "eth_feeHistory": ["0x4", "latest", [0, 25.5, 100]],
        "eth_newFilter": [logs],
        "eth_getFilterChanges": ["0x1"],
        "eth_getFilterLogs": ["0x1"],
        "eth_uninstallFilter": ["0x2"],
        "evm_revert": ["0x1"],
        "evm_mine": [2],
        "evm_increaseTime": [10],
    }
    methods = JsonRpc(stage(), development=True).methods
    if not set(params) <= set(methods):
        raise AssertionError("a method has another name")
    single = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params.get(method, [])}
        for number, method in enumerate(methods)
    ]
    return (*single, single[:3])


def run_request(request: Any) -> None:
    """Ask within a session that has filters and a snapshot, and also without a session."""
    chain = stage()
    start, before = chain.snapshot(), fingerprint(chain)
    rpc = JsonRpc(chain, development=True)
    rpc.handle([{"jsonrpc": "2.0", "id": 0, "method": name, "params": params} for name, params in SETUP])
    try:
        response = rpc.handle(request)
        if not any(writer in json.dumps(request) for writer in WRITERS):
            same(fingerprint(chain), before)
            handle(chain, request)
            same(fingerprint(chain), before)
    finally:
        chain.revert(start)
    same(fingerprint(chain), before)
    check_response(request, response)


SETUP = (("eth_newFilter", [{}]), ("eth_newBlockFilter", []), ("evm_snapshot", []))


def texts() -> list[str]:
    """Return the requests that need no session, as text."""
    return [json.dumps(each) for each in requests() if isinstance(each, dict) and each["method"] in METHODS]


def run_text(text: str) -> None:
    answer = JsonRpc(stage()).handle_bytes(text.encode(errors="surrogatepass"))
    if answer:
        check_response(None, json.loads(answer))


def check_response(request: Any, response: Any) -> None:
    """Check the form; raise Refused when there is an error in it."""
    if json.loads(json.dumps(response)) != response:
        raise AssertionError(f"not JSON: {response}")
    refusal = None
    for each in response if isinstance(response, list) else [response]:
        if not each and isinstance(request, dict):
            same("id" in request, False)
            continue
        same(each["jsonrpc"], "2.0")
        if "error" in each:
            same(set(each), {"jsonrpc", "id", "error"})
            same((type(each["error"]["code"]), type(each["error"]["message"])), (int, str))
            refusal = each["error"]["message"]
        else:
            same(set(each), {"jsonrpc", "id", "result"})
    if refusal is not None:
        raise Refused(refusal)


TARGETS = [
    Target("JSON-RPC requests", requests, run_request, (Refused,), as_json, share=15),
    Target("JSON-RPC text", texts, run_text, (Refused,), as_text),
]
