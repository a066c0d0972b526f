from __future__ import annotations

from chainstack_sdk import Chain, ether
from chainstack_sdk.apps.jsonrpc import handle
from chainstack_sdk.core.account_proof import AccountProof, SlotProof
from chainstack_sdk.primitives import keccak256


def text(value: bytes) -> str:
    return "0x" + value.hex()


def test_reads_at_any_block(town, ask) -> None:
    chain, who = town.chain, text(town.alice.address)
    for height in range(4):
        assert ask("eth_getBalance", who, hex(height)) == hex(chain.balance(town.alice, block=height))
        assert ask("eth_getTransactionCount", who, {"blockNumber": hex(height)}) == hex(height)
        by_hash = {"blockHash": text(chain.block(height).hash)}
        assert ask("eth_getBalance", who, by_hash) == hex(chain.balance(town.alice, block=height))
    assert ask("eth_getBalance", who) == ask("eth_getBalance", who, "0x3")
    assert ask("eth_getCode", text(town.token.address)) == text(chain.code(town.token))
    assert ask("eth_getCode", text(town.token.address), "earliest") == "0x"
    assert ask("eth_getCode", who) == "0x"


def test_storage(town, ask) -> None:
    slot = keccak256(town.bob.address.rjust(32, b"\0") + bytes(32))
    where = text(town.token.address)
    assert ask("eth_getStorageAt", where, text(slot)) == text((12).to_bytes(32, "big"))
    assert ask("eth_getStorageAt", where, text(slot), "0x2") == text((5).to_bytes(32, "big"))
    assert ask("eth_getStorageAt", where, "0x2") == text((1_000).to_bytes(32, "big"))
    assert ask("eth_getStorageAt", where, "0x63") == text(bytes(32))


def test_the_pool_counts_for_the_pending_nonce(town, ask) -> None:
    chain, who = town.chain, text(town.alice.address)
    chain.auto_seal = False
    assert ask("eth_getTransactionCount", who, "pending") == "0x3"
    chain.send(chain.sign(town.alice, town.bob, value=1))
    assert ask("eth_getTransactionCount", who, "pending") == "0x4"
    assert ask("eth_getTransactionCount", who, "latest") == "0x3"


def parsed(found) -> AccountProof:
    """What eth_getProof answers, as the proof that it was made of."""

    def nodes(name, fields):
        return tuple(bytes.fromhex(node[2:]) for node in fields[name])

    return AccountProof(
        address=bytes.fromhex(found["address"][2:]),
        nonce=int(found["nonce"], 16),
        balance=int(found["balance"], 16),
        storage_root=bytes.fromhex(found["storageHash"][2:]),
        code_hash=bytes.fromhex(found["codeHash"][2:]),
        nodes=nodes("accountProof", found),
        storage=tuple(
            SlotProof(bytes.fromhex(slot["key"][2:]), int(slot["value"], 16), nodes("proof", slot))
            for slot in found["storageProof"]
        ),
        height=0,
    )


def test_proofs_verify_against_the_block(town, ask) -> None:
    slot = keccak256(town.bob.address.rjust(32, b"\0") + bytes(32))
    for height, value in ((1, 0), (2, 5), (3, 12)):
        found = ask("eth_getProof", text(town.token.address), [text(slot), "0x2"], hex(height))
        proof = parsed(found)
        proof.verify(bytes.fromhex(ask("eth_getBlockByNumber", hex(height))["stateRoot"][2:]))
        assert [entry.value for entry in proof.storage] == [value, 1_000]
        assert proof.code_hash == keccak256(town.chain.code(town.token))
    absent = parsed(ask("eth_getProof", text(bytes(20)), []))
    absent.verify(town.chain.head.state_root)


def test_blocks_that_are_not_there(town, ask, refused) -> None:
    who = text(town.alice.address)
    for method, *more in (
        ("eth_getBalance",),
        ("eth_getTransactionCount",),
        ("eth_getCode",),
        ("eth_getStorageAt", "0x0"),
        ("eth_getProof", []),
    ):
        for which in ("0x4", text(bytes(32)), {"blockHash": text(bytes(32))}):
            with refused(-32001, "block not found"):
                ask(method, who, *more, which)


def test_states_that_are_not_kept(town) -> None:
    chain = Chain.in_memory({town.alice: ether(1)}, keep_states=2)
    for _ in range(5):
        chain.seal()
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance"}
    answer = handle(chain, {**request, "params": [text(town.alice.address), "0x1"]})
    assert answer["error"]["code"] == -32000
    assert "pruned" in answer["error"]["message"]
    assert handle(chain, {**request, "params": [text(town.alice.address), "0x4"]})["result"] == hex(ether(1))
