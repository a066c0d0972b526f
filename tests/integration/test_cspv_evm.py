"""The verifier contract on a development chain: what it proves, refuses, emits and costs.

Needs npm for the chain, `anvil`; skipped only where npm is absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cspv_cases import accepted, forgeries, mutations
from cspv_tools import anvil, arguments, compiled, deploy, judged_by_contract, judged_by_node, wait_for
from cspv_wire import (
    ANCHOR,
    CHAIN_ID,
    KEY,
    PAYER,
    RECEIPT,
    SHOP,
    TOKEN,
    TRANSACTION,
    TRANSFER,
    Head,
    item_proof,
    payment_proof,
    receipt,
    transfer,
)
from eth_abi import decode
from web3.contract import Contract
from web3.exceptions import ContractLogicError
from web3.types import RPCEndpoint

from chainstack_sdk import Account, Chain, ether
from chainstack_sdk.core.receipts import Log
from chainstack_sdk.cspv import OperatorKey, prove
from chainstack_sdk.cspv.evm import evm_key
from chainstack_sdk.cspv.verify.anchor import ChainKeyAnchor
from chainstack_sdk.cspv.verify.facts import ProvenReceipt
from chainstack_sdk.primitives import InvalidInput, keccak256, to_checksum_address

PYTHON = ChainKeyAnchor.from_bytes(ANCHOR)
FORGERIES = forgeries()
GAS_LIMIT = 200_000
VECTORS = Path(__file__).parents[1] / "vectors" / "cspv"


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    with anvil("prague") as chain:
        yield deploy(chain)


def judged_by_python(proof: bytes) -> ProvenReceipt | None:
    try:
        proven = PYTHON.verify(proof)
    except InvalidInput:
        return None
    assert isinstance(proven, ProvenReceipt)
    return proven


# What it proves -----------------------------------------------------------------------------------------


def test_what_holds_is_told_alike_by_python_and_the_contract(contract: Contract) -> None:
    proofs = accepted()
    for (name, proof), answer in zip(
        proofs.items(), judged_by_contract(contract, list(proofs.values())), strict=True
    ):
        proven = judged_by_python(proof)
        assert proven is not None, name
        assert answer is not None, name
        item = proof[209 + 32 * proof[208] :]
        assert decode(["uint64", "uint64", "bytes32", "uint8", "bytes32"], answer) == (
            proven.height,
            proven.timestamp_ms,
            proven.transaction_hash,
            proven.status,
            keccak256(item),
        ), name


def test_it_tells_for_which_chain_it_is(contract: Contract) -> None:
    assert contract.functions.chain_id().call() == CHAIN_ID
    assert contract.functions.group_key().call() == evm_key(KEY)


def test_a_receipt_is_emitted(contract: Contract) -> None:
    proof = payment_proof(3, index=1, status=0, gas=77_000)
    sent = contract.functions.prove_receipt(*arguments(proof)).transact({"from": contract.w3.eth.accounts[1]})
    (event,) = contract.events.ReceiptProven().process_receipt(wait_for(contract.w3, sent))
    assert event["args"] == {
        "transaction_hash": keccak256(b"paid"),
        "height": Head().height,
        "timestamp_ms": Head().timestamp_ms,
        "status": 0,
        "cumulative_gas": 77_000,
    }


def test_a_payment_is_emitted(contract: Contract) -> None:
    other = Log(SHOP, (keccak256(b"Other()"),), b"")
    proof = payment_proof(4, other, transfer(250), transfer(7, SHOP))
    for index, token, value in ((1, TOKEN, 250), (2, SHOP, 7)):
        paid = contract.functions.payment(*arguments(proof), index).call()
        call = contract.functions.prove_payment(*arguments(proof), index)
        sent = call.transact({"from": contract.w3.eth.accounts[1]})
        (event,) = contract.events.PaymentProven().process_receipt(wait_for(contract.w3, sent))
        facts = {
            "token": to_checksum_address(token),
            "sender": to_checksum_address(PAYER),
            "recipient": to_checksum_address(SHOP),
            "value": value,
            "height": Head().height,
            "timestamp_ms": Head().timestamp_ms,
            "transaction_hash": keccak256(b"paid"),
        }
        assert event["args"] == {**facts, "log_index": index}
        assert list(paid) == list(facts.values())


def test_a_transfer_on_a_real_chain(contract: Contract) -> None:
    alice, bob = Account.from_key(1), Account.from_key(2)
    side = Chain.in_memory({alice: ether(1)}, auto_seal=True)
    gold = side.erc20.issue(alice, name="Gold", symbol="GLD", supply=1_000)
    paid = gold.transfer(alice, bob, 25)
    finality = OperatorKey(bytes(32)).finality(side.chain_id)
    proof = prove(side.blockchain, finality, paid).to_bytes()
    there = deploy(contract.w3, finality.anchor().to_bytes())
    told = there.functions.payment(*arguments(proof), 0).call()
    assert list(told) == [
        to_checksum_address(gold.address),
        alice.checksum_address,
        bob.checksum_address,
        25,
        paid.height,
        side.block(paid.height).timestamp_ms,
        paid.transaction_hash,
    ]


# What it refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "logs", "status", "reason"),
    [
        (0, (transfer(),), 0, "failed transaction"),
        (1, (transfer(),), 1, "no such transfer"),
        (2**256 - 1, (transfer(),), 1, "no such transfer"),
        (
            0,
            (Log(TOKEN, (keccak256(b"Approval()"), bytes(32), bytes(32)), bytes(32)),),
            1,
            "no such transfer",
        ),
        (0, (Log(TOKEN, (TRANSFER, bytes(32)), bytes(32)),), 1, "no such transfer"),
        (0, (Log(TOKEN, (TRANSFER, bytes(32), bytes(32), bytes(32)), b""),), 1, "no such transfer"),
        (0, (Log(TOKEN, (TRANSFER, bytes(32), bytes(32)), bytes(31)),), 1, "no such transfer"),
        (0, (Log(TOKEN, (TRANSFER, bytes(32), bytes(32)), bytes(33)),), 1, "no such transfer"),
        (0, (Log(TOKEN, (TRANSFER, b"\1" * 32, bytes(32)), bytes(32)),), 1, None),
        (0, (Log(TOKEN, (TRANSFER, bytes(32), b"\1" * 32), bytes(32)),), 1, None),
    ],
)
def test_what_is_no_payment(
    contract: Contract, index: int, logs: tuple[Log, ...], status: int, reason: str | None
) -> None:
    proof = item_proof(RECEIPT, [receipt(*logs, status=status)], 0)
    contract.functions.verify(*arguments(proof)).call()
    with pytest.raises(ContractLogicError, match=reason):
        contract.functions.payment(*arguments(proof), index).call()
    with pytest.raises(ContractLogicError, match=reason):
        contract.functions.prove_payment(*arguments(proof), index).call()


def test_proofs_for_other_verifiers_are_refused(contract: Contract) -> None:
    too_long = item_proof(RECEIPT, [receipt(Log(TOKEN, (), bytes(4096)))], 0)
    assert judged_by_python(too_long) is not None
    transaction = item_proof(TRANSACTION, [b"\x02raw"], 0)
    PYTHON.verify(transaction)
    assert judged_by_contract(contract, [too_long, transaction]) == [None, None]


def test_only_the_right_y_is_taken(contract: Contract) -> None:
    proof, y = arguments(payment_proof(2, index=1))
    modulus = (
        0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
    )
    number = int.from_bytes(y, "big")
    wrong = [
        (modulus - number).to_bytes(48, "big"),
        (number + modulus).to_bytes(48, "big"),
        (number ^ 1).to_bytes(48, "big"),
        bytes(48),
        y[1:],
        b"",
    ]
    contract.functions.verify(proof, y).call()
    for other in wrong:
        with pytest.raises(ContractLogicError):
            contract.functions.verify(proof, other).call()


def test_forgeries_are_refused_by_all_three_alike(contract: Contract, tmp_path: Path) -> None:
    """Each semantic forgery, and a sample of changed bytes."""
    proof = payment_proof(2, index=1)
    sample = [*mutations(proof, range(3, len(proof), 43))][::5]
    names = [*FORGERIES, *(f"changed {number}" for number in range(len(sample)))]
    _refused_by_all(contract, tmp_path, [*FORGERIES.values(), *sample], names)


@pytest.mark.long
def test_every_changed_byte_is_refused_by_all_three_alike(contract: Contract, tmp_path: Path) -> None:
    proof = payment_proof(2, index=1)
    changed = [*mutations(proof, range(len(proof)))]
    _refused_by_all(contract, tmp_path, changed, [f"position {at // 3}" for at in range(len(changed))])


def _refused_by_all(contract: Contract, folder: Path, proofs: list[bytes], names: list[str]) -> None:
    """Ask all three, and about one proof that holds, so that refusing everything does not pass."""
    asked = [*proofs, payment_proof(2, index=1)]
    by_contract = judged_by_contract(contract, asked)
    by_node = judged_by_node(folder, asked)
    for at, name in enumerate(names):
        verdicts = (judged_by_python(asked[at]), by_contract[at], by_node[at].get("proven"))
        assert verdicts == (None, None, None), name
    assert judged_by_python(asked[-1]) is not None
    assert by_contract[-1] is not None
    assert "proven" in by_node[-1]


def vectors(name: str, anchor: str) -> dict[str, bytes]:
    """Return the published proofs for an anchor."""
    cases = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return {case["name"]: bytes.fromhex(case["proof"][2:]) for case in cases if case["anchor"] == anchor}


@pytest.mark.long
def test_the_published_vectors(contract: Contract) -> None:
    """Of those that hold, the contract takes the receipts without links."""
    anchor = json.loads((VECTORS / "valid.json").read_text(encoding="utf-8"))[0]["anchor"]
    there = deploy(contract.w3, bytes.fromhex(anchor[2:]))
    good, bad = vectors("valid.json", anchor), vectors("invalid.json", anchor)
    taken = judged_by_contract(there, list(good.values()))
    assert [answer is not None for answer in taken] == [
        proof[2] == RECEIPT and proof[203] == 0 for proof in good.values()
    ]
    assert any(answer is not None for answer in taken)
    for name, answer in zip(bad, judged_by_contract(there, list(bad.values())), strict=True):
        assert answer is None, name


# Chains without the precompiles -------------------------------------------------------------------------


def test_it_fails_closed_without_the_precompiles(contract: Contract) -> None:
    """There, calls to their addresses succeed and give nothing; its code is put there as if by a fork."""
    code = contract.w3.eth.get_code(contract.address)
    proofs = [payment_proof(2, index=1), FORGERIES["only zeros"], FORGERIES["somebody else's signature"]]
    assert judged_by_contract(contract, proofs)[0] is not None
    with anvil("cancun") as chain:
        with pytest.raises(ContractLogicError, match="no pairing precompile"):
            deploy(chain)
        chain.provider.make_request(RPCEndpoint("anvil_setCode"), [contract.address, code.to_0x_hex()])
        there = chain.eth.contract(address=contract.address, abi=contract.abi)
        assert there.functions.chain_id().call() == CHAIN_ID
        assert judged_by_contract(there, proofs) == [None] * 3
        for proof in proofs:
            with pytest.raises(ContractLogicError):
                there.functions.prove_payment(*arguments(proof), 0).call()


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (bytes(256), "key is the identity"),
        (evm_key(KEY)[:-1], "key size"),
        (evm_key(KEY)[:-1] + b"\x01", None),  # off the curve
    ],
)
def test_a_wrong_key_is_refused_at_once(contract: Contract, key: bytes, reason: str | None) -> None:
    made = contract.w3.eth.contract(abi=contract.abi, bytecode=compiled()["bytecode"])
    with pytest.raises(ContractLogicError, match=reason):
        made.constructor(CHAIN_ID, key).estimate_gas({"from": contract.w3.eth.accounts[0]})


# Costs --------------------------------------------------------------------------------------------------


def costs(contract: Contract, count: int) -> tuple[int, int, int, int]:
    """Return the bytes of a proof and of the call, and the gas of emitting a receipt and a payment."""
    proof, y = arguments(payment_proof(count))
    sender = {"from": contract.w3.eth.accounts[0], "gas": 1_000_000}
    used = []
    for call in (
        contract.functions.prove_receipt(proof, y),
        contract.functions.prove_payment(proof, y, 0),
    ):
        done = wait_for(contract.w3, call.transact(sender))
        assert done["status"] == 1
        used.append(done["gasUsed"])
    calldata = contract.encode_abi("prove_payment", args=[proof, y, 0])
    return len(proof), (len(calldata) - 2) // 2, used[0], used[1]


@pytest.mark.parametrize(("count", "depth"), [(4, 2), (10_000, 14)])
def test_gas_of_a_payment(contract: Contract, count: int, depth: int) -> None:
    size, calldata, of_receipt, of_payment = costs(contract, count)
    assert size == 209 + 32 * depth + len(receipt(transfer()))
    assert calldata <= size + 270
    assert of_receipt < of_payment < GAS_LIMIT


@pytest.mark.long
def test_gas_under_the_rules_that_came_later() -> None:
    with anvil("osaka") as chain:
        assert max(costs(deploy(chain), 10_000)[2:]) < GAS_LIMIT
