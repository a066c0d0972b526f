from __future__ import annotations

from chainstack_sdk.core.transactions import sign_transaction

GWEI = 10**9
BLOCK_FIELDS = {
    "number", "hash", "parentHash", "nonce", "sha3Uncles", "logsBloom", "transactionsRoot", "stateRoot",
    "receiptsRoot", "miner", "difficulty", "totalDifficulty", "extraData", "size", "gasLimit", "gasUsed",
    "timestamp", "baseFeePerGas", "mixHash", "transactions", "uncles",
}  # fmt: skip


def text(value: bytes) -> str:
    return "0x" + value.hex()


def test_a_block(town, ask) -> None:
    block = town.chain.block(3)
    found = ask("eth_getBlockByNumber", "0x3", False)
    assert found.keys() == BLOCK_FIELDS
    assert found["hash"] == text(block.hash)
    assert found["parentHash"] == text(town.chain.block(2).hash)
    assert found["stateRoot"] == text(block.state_root)
    assert found["transactions"] == [text(block.transactions[0].hash)]
    assert found["number"] == "0x3"
    assert found["timestamp"] == hex(block.timestamp_ms // 1000)
    assert found["gasUsed"] == hex(town.chain.receipts(3)[0].gas_used)
    assert found["size"] == hex(len(block.encode()))
    assert found["nonce"] == "0x" + "00" * 8
    assert found["sha3Uncles"] == "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
    assert len(found["logsBloom"]) == 2 + 512
    assert int(found["logsBloom"], 16) != 0
    assert len(found["extraData"]) <= 2 + 64


def test_ways_to_name_a_block(town, ask) -> None:
    head = ask("eth_getBlockByNumber", "0x3", False)
    for tag in ("latest", "safe", "finalized", "pending"):
        assert ask("eth_getBlockByNumber", tag) == head
    assert ask("eth_getBlockByHash", head["hash"], False) == head
    assert ask("eth_getBlockByNumber", "earliest")["number"] == "0x0"
    assert ask("eth_blockNumber") == head["number"]


def test_what_is_not_there(ask) -> None:
    nothing = "0x" + "01" * 32
    assert ask("eth_getBlockByNumber", "0x4", True) is None
    assert ask("eth_getBlockByHash", nothing, True) is None
    assert ask("eth_getBlockTransactionCountByNumber", "0x4") is None
    assert ask("eth_getBlockTransactionCountByHash", nothing) is None
    assert ask("eth_getBlockReceipts", "0x4") is None
    assert ask("eth_getTransactionByHash", nothing) is None
    assert ask("eth_getTransactionReceipt", nothing) is None
    assert ask("eth_getTransactionByBlockNumberAndIndex", "0x3", "0x1") is None
    assert ask("eth_getTransactionByBlockNumberAndIndex", "0x4", "0x0") is None
    assert ask("eth_getTransactionByBlockHashAndIndex", nothing, "0x0") is None


def test_transactions_of_every_type(town, ask) -> None:
    chain, alice, bob = town.chain, town.alice, town.bob
    chain.auto_seal = False
    key = b"\x07" * 32
    common = {"chain_id": 31337, "to": bob, "gas": 50_000, "value": 5}
    legacy, listed, dynamic = transactions = [
        sign_transaction(alice, nonce=3, gas_price=2 * GWEI, **common),
        sign_transaction(alice, nonce=4, gas_price=2 * GWEI, access_list=[(bob, [key])], **common),
        sign_transaction(
            alice, nonce=5, max_fee_per_gas=9 * GWEI, max_priority_fee_per_gas=GWEI, data=b"\1", **common
        ),
    ]
    for transaction in transactions:
        assert ask("eth_sendRawTransaction", text(transaction.raw)) == text(transaction.hash)
    waiting = [ask("eth_getTransactionByHash", text(transaction.hash)) for transaction in transactions]
    for found in waiting:
        assert [found[name] for name in ("blockHash", "blockNumber", "transactionIndex")] == [None] * 3
    assert waiting[2]["gasPrice"] == hex(9 * GWEI)
    block = chain.seal()
    whole = ask("eth_getBlockByHash", text(block.hash), True)["transactions"]
    assert [found["hash"] for found in whole] == [text(transaction.hash) for transaction in transactions]
    base_fee = block.header.base_fee
    for index, (found, transaction) in enumerate(zip(whole, transactions, strict=True)):
        assert found == ask("eth_getTransactionByHash", text(transaction.hash))
        assert found == ask("eth_getTransactionByBlockNumberAndIndex", "0x4", hex(index))
        assert found == ask("eth_getTransactionByBlockHashAndIndex", text(block.hash), hex(index))
        assert (found["blockNumber"], found["blockHash"]) == ("0x4", text(block.hash))
        assert found["transactionIndex"] == hex(index)
        assert found["type"] == hex(transaction.type)
        assert found["from"] == text(alice.address)
        assert found["to"] == text(bob.address)
        assert (found["gas"], found["value"], found["chainId"]) == (hex(50_000), "0x5", hex(31337))
        assert (found["nonce"], found["input"]) == (hex(transaction.nonce), text(transaction.data))
        signature = [found["v"], found["r"], found["s"]]
        assert signature == [hex(transaction.v), hex(transaction.r), hex(transaction.s)]
    first, second, third = whole
    assert "accessList" not in first
    assert "yParity" not in first
    assert second["accessList"] == [{"address": text(bob.address), "storageKeys": [text(key)]}]
    assert third["accessList"] == []
    assert second["yParity"] == second["v"]
    assert first["gasPrice"] == second["gasPrice"] == hex(2 * GWEI)
    assert third["gasPrice"] == hex(base_fee + GWEI)
    assert (third["maxFeePerGas"], third["maxPriorityFeePerGas"]) == (hex(9 * GWEI), hex(GWEI))
    assert "maxFeePerGas" not in second
    assert ask("eth_getBlockTransactionCountByNumber", "0x4") == "0x3"
    assert ask("eth_getBlockTransactionCountByHash", text(block.hash)) == "0x3"
    assert (legacy.type, listed.type, dynamic.type) == (0, 1, 2)


def test_a_receipt(town, ask) -> None:
    transaction = town.chain.block(3).transactions[0]
    receipt = town.chain.receipt(transaction.hash)
    found = ask("eth_getTransactionReceipt", text(transaction.hash))
    block_hash = text(town.chain.block(3).hash)
    (log,) = found.pop("logs")
    assert found == {
        "transactionHash": text(transaction.hash),
        "transactionIndex": "0x0",
        "blockHash": block_hash,
        "blockNumber": "0x3",
        "from": text(town.alice.address),
        "to": text(town.token.address),
        "cumulativeGasUsed": hex(receipt.gas_used),
        "gasUsed": hex(receipt.gas_used),
        "contractAddress": None,
        "logsBloom": text(receipt.bloom.to_bytes(256, "big")),
        "status": "0x1",
        "effectiveGasPrice": hex(receipt.effective_gas_price),
        "type": "0x2",
    }
    assert log == {
        "address": text(town.token.address),
        "topics": [text(topic) for topic in receipt.logs[0].topics],
        "data": text((7).to_bytes(32, "big")),
        "blockNumber": "0x3",
        "blockHash": block_hash,
        "transactionHash": text(transaction.hash),
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    }


def test_a_receipt_names_the_issued_contract(town, ask) -> None:
    (receipt,) = ask("eth_getBlockReceipts", "0x1")
    assert receipt["contractAddress"] == text(town.token.address)


def test_receipts_of_a_block_number_its_logs(town, ask) -> None:
    chain, token, alice, bob = town.chain, town.token, town.alice, town.bob
    chain.auto_seal = False
    pay = [token.contract.abi_function("transfer").encode_call(bob, value) for value in (1, 2_000, 3)]
    for nonce, data in enumerate(pay, 3):
        chain.send(chain.sign(alice, token, data=data, gas=100_000, nonce=nonce))
    block = chain.seal()
    receipts = ask("eth_getBlockReceipts", text(block.hash))
    assert [receipt["status"] for receipt in receipts] == ["0x1", "0x0", "0x1"]
    assert [[log["logIndex"] for log in receipt["logs"]] for receipt in receipts] == [["0x0"], [], ["0x1"]]
    assert receipts[2]["logs"][0]["transactionIndex"] == "0x2"
    assert receipts[2]["cumulativeGasUsed"] == hex(block.header.gas_used)
    for receipt in receipts:
        assert ask("eth_getTransactionReceipt", receipt["transactionHash"]) == receipt
    assert ask("eth_getLogs", {}) == receipts[0]["logs"] + receipts[2]["logs"]
