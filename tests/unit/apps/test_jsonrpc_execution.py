from __future__ import annotations

import pytest

from chainstack_sdk.primitives.abi import decode_revert


def text(value: bytes) -> str:
    return "0x" + value.hex()


@pytest.fixture
def transfer(town):
    """Alice's call of the token's transfer, as JSON."""

    def transfer(value: int) -> dict:
        data = town.token.contract.abi_function("transfer").encode_call(town.bob, value)
        return {"from": text(town.alice.address), "to": text(town.token.address), "data": text(data)}

    return transfer


@pytest.fixture
def balance(town):
    data = town.token.contract.abi_function("balanceOf").encode_call(town.bob)
    return {"to": text(town.token.address), "input": text(data)}


def test_calls_at_any_block(ask, balance) -> None:
    for which, value in (("0x1", 0), ("0x2", 5), ("0x3", 12), ("latest", 12), ("pending", 12)):
        assert ask("eth_call", balance, which) == text(value.to_bytes(32, "big"))
    assert ask("eth_call", balance) == ask("eth_call", {**balance, "data": balance["input"]}, "latest")


def test_calls_change_nothing(town, ask, transfer) -> None:
    root = town.chain.blockchain.state.root
    assert ask("eth_call", transfer(12)) == text((1).to_bytes(32, "big"))
    assert town.token.balance_of(town.bob) == 12
    assert town.chain.blockchain.state.root == root


def test_a_call_at_the_head_is_in_the_next_block(town, ask) -> None:
    """A permit that expires with the head block is too late for whatever comes next."""
    chain, token, alice, bob = town.chain, town.token, town.alice, town.bob
    deadline = chain.head.timestamp_ms // 1000
    signature = token.sign_permit(alice, bob, 5, deadline=deadline)
    parts = signature[64], signature[:32], signature[32:64]
    data = token.contract.abi_function("permit").encode_call(alice, bob, 5, deadline, *parts)
    request = {"to": text(token.address), "data": text(data)}
    assert ask("eth_call", request, "0x3") == "0x"
    with pytest.raises(Exception, match="ERC2612ExpiredSignature"):
        ask("eth_call", request, "latest")


def test_a_refusal_carries_its_data(town, ask, transfer, refused) -> None:
    for method in ("eth_call", "eth_estimateGas"):
        with refused(3, "execution reverted: ") as caught:
            ask(method, transfer(2_000))
        data = bytes.fromhex(caught.value.data[2:])
        assert "ERC20InsufficientBalance" in decode_revert(data, town.token.contract.abi_errors)


def test_estimates_suffice_and_nothing_less_does(town, ask, transfer, refused) -> None:
    estimate = int(ask("eth_estimateGas", transfer(1)), 16)
    assert int(ask("eth_estimateGas", {**transfer(1), "gas": hex(estimate)}), 16) == estimate
    with refused(-32000, "out of gas"):
        ask("eth_estimateGas", {**transfer(1), "gas": hex(estimate - 1)})
    with refused(-32000, "intrinsic gas too low"):
        ask("eth_estimateGas", {**transfer(1), "gas": hex(21_000)})
    data = bytes.fromhex(transfer(1)["data"][2:])
    sent = town.chain.sign(town.alice, town.token, data=data, gas=estimate)
    assert town.chain.receipt(town.chain.send(sent)).succeeded


def test_estimates_count_the_access_list(town, ask, transfer, refused) -> None:
    plain = int(ask("eth_estimateGas", transfer(1)), 16)
    listed = {**transfer(1), "accessList": [{"address": text(bytes(20)), "storageKeys": [text(bytes(32))]}]}
    assert int(ask("eth_estimateGas", listed), 16) == plain + 2_400 + 1_900
    with refused(-32000, "out of gas"):
        ask("eth_estimateGas", {**listed, "gas": hex(plain)})


def test_value(town, ask, refused) -> None:
    request = {"to": text(town.bob.address), "value": hex(10**30), "from": text(town.alice.address)}
    with refused(-32000, "insufficient funds"):
        ask("eth_call", request)
    assert ask("eth_estimateGas", {**request, "value": "0x1"}) == hex(21_000)


def test_there_are_no_creations(town, ask, refused) -> None:
    for request in ({}, {"to": None, "data": "0x60"}):
        with refused(-32000, "contracts are issued through the factory"):
            ask("eth_estimateGas", request)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "0x"},
        {"to": 1},
        {"from": "bob"},
        {"value": "0x00"},
        {"value": 1},
        {"gas": "0x1" + "0" * 16},
        {"data": "0x1"},
        {"input": "0x12"},
        {"accessList": {}},
        {"accessList": [[]]},
        {"accessList": [{"address": "0x", "storageKeys": []}]},
        {"accessList": [{"address": "0x" + "00" * 20}]},
        {"accessList": [{"address": "0x" + "00" * 20, "storageKeys": ["0x0"]}]},
    ],
    ids=str,
)
def test_malformed_calls(ask, refused, transfer, changes) -> None:
    with refused(-32602, "parameter 1: "):
        ask("eth_call", {**transfer(1), **changes})


def test_what_is_no_call(ask, refused, transfer) -> None:
    with refused(-32602, "not a transaction object"):
        ask("eth_call", "0x")
    with refused(-32602, "takes 1 to 2 parameters"):
        ask("eth_call", transfer(1), "latest", {})
    with refused(-32001, "block not found"):
        ask("eth_call", transfer(1), "0x4")


def test_malformed_transactions(town, ask, refused) -> None:
    raw = town.chain.sign(town.alice, town.bob, value=1).raw
    root = town.chain.head.state_root
    for broken in (b"", raw[:-1], raw + b"\0", b"\3" + raw[1:], raw[:-32] + bytes(32)):
        with refused(-32000):
            ask("eth_sendRawTransaction", text(broken))
    with refused(-32602):
        ask("eth_sendRawTransaction", raw.hex())
    assert (town.chain.height, town.chain.head.state_root) == (3, root)
    ask("eth_sendRawTransaction", text(raw))
    assert town.chain.height == 4


def test_refusals_have_the_words_that_clients_look_for(town, ask, refused) -> None:
    chain = town.chain
    chain.auto_seal = False
    sent = chain.sign(town.alice, town.bob, value=1)
    ask("eth_sendRawTransaction", text(sent.raw))
    with refused(-32000, "already known: "):
        ask("eth_sendRawTransaction", text(sent.raw))
    with refused(-32000, "replacement transaction underpriced: "):
        ask("eth_sendRawTransaction", text(chain.sign(town.alice, town.bob, value=2, nonce=3).raw))
    with refused(-32000, "nonce too low: "):
        ask("eth_sendRawTransaction", text(chain.sign(town.alice, town.bob, nonce=2).raw))
    with refused(-32000, "insufficient funds for gas . price . value: "):
        ask("eth_sendRawTransaction", text(chain.sign(town.bob, town.alice, nonce=0).raw))
