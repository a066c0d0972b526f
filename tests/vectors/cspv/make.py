"""Makes `valid.json` and `invalid.json`, beside this file or in another folder: `python make.py [FOLDER]`.

Everything follows from fixed seeds, so that each run gives the same bytes. Headers, receipts and tries are
made with the core of the library, curve points that no library gives out with py_ecc.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from forgeries import invalid_cases
from scene import (
    ALICE,
    ANCHOR,
    BOB,
    SECRETS,
    SLOTS,
    TOKEN,
    Case,
    absent_at_branch,
    account_nodes,
    deeper,
    heavy_voters,
    linked,
    make_header,
    make_item,
    make_items,
    make_link,
    prove,
    prove_account,
    prove_item,
    prove_slot,
    raw_transaction,
    second_link,
    slot_key,
    state_header,
    transfer_log,
)

from chainstack_sdk.core.merkle import BinaryMerkleTree
from chainstack_sdk.core.receipts import Log
from chainstack_sdk.cspv.verify.facts import Proven, ProvenLog
from chainstack_sdk.cspv.verify.format import Kind
from chainstack_sdk.cspv.verify.paths import AccountPath, ItemPath, StoragePath


def valid_cases() -> list[Case]:
    """Proofs that hold, with what they prove."""
    transactions = [raw_transaction(nonce) for nonce in range(5)]
    messages = [b"", b"to chain 7: hello"]
    many = (transfer_log(ALICE, BOB, 1), Log(BOB.address, (), b""), transfer_log(BOB, ALICE, 2**256 - 1))
    few = make_items(4)
    proofs = {
        "receipt, the only one of its block": prove_item(Kind.RECEIPT, make_items(1), 0),
        "receipt, tree of depth 3": prove_item(Kind.RECEIPT, make_items(8), 5),
        "receipt, first of 10,000": prove_item(Kind.RECEIPT, make_items(10_000), 0),
        "receipt, last of 10,000": prove_item(Kind.RECEIPT, make_items(10_000), 9_999),
        "receipt of a failed transaction": prove_item(Kind.RECEIPT, make_items(11), 10),
        "receipt with several logs": prove_item(Kind.RECEIPT, [*few, make_item(4, many)], 4),
        "receipt with 300 bytes of data": prove_item(
            Kind.RECEIPT, [*few, make_item(4, (Log(TOKEN, (bytes(32),) * 4, b"\x80" * 300),))], 4
        ),
        "receipt at height 0": prove(
            make_header(0, receipts_root=BinaryMerkleTree(make_items(1)).root),
            Kind.RECEIPT,
            ItemPath(0, (), make_items(1)[0]),
        ),
        "receipt at height 2^64 - 1": prove(
            make_header(2**64 - 1, receipts_root=BinaryMerkleTree(make_items(1)).root),
            Kind.RECEIPT,
            ItemPath(0, (), make_items(1)[0]),
        ),
        "transaction": prove_item(Kind.TRANSACTION, transactions, 3),
        "message": prove_item(Kind.MESSAGE, messages, 1),
        "message without bytes": prove_item(Kind.MESSAGE, messages, 0),
        "account": prove_account(BOB.address),
        "account of a contract": prove_account(TOKEN),
        "absent account, at an empty place of a branch": prove_account(absent_at_branch()),
        "absent account, beside another's leaf": prove_account(deeper(BOB.address, 2)),
        "absent account, in an empty state": prove(make_header(), Kind.ACCOUNT, AccountPath(BOB.address, ())),
        **{f"storage, slot {number}": prove_slot(number) for number in SLOTS},
        "absent storage": prove_slot(99),
        "absent storage of an account without any": prove(
            state_header(),
            Kind.STORAGE,
            StoragePath(BOB.address, slot_key(3), account_nodes(BOB.address), ()),
        ),
        "absent storage of an absent account": prove(
            state_header(),
            Kind.STORAGE,
            StoragePath(absent_at_branch(), slot_key(3), account_nodes(absent_at_branch()), ()),
        ),
        "receipt, with one link": linked(make_link(heavy_voters()).encode()),
        "receipt, with a link that all voted for": linked(make_link((0, 1, 2, 3)).encode()),
        "receipt, with two links": linked(
            make_link().encode(), secret=SECRETS[2], more=(second_link().encode(),)
        ),
        "account, with one link": prove_account(
            BOB.address, secret=SECRETS[1], links=(make_link().encode(),)
        ),
    }
    anchor = ANCHOR.to_bytes()
    return [
        Case(name, anchor, proof.to_bytes(), facts=ANCHOR.verify(proof)) for name, proof in proofs.items()
    ]


# Files -----------------------------------------------------------------------------------------------------


def as_json(value: object) -> object:
    """Facts as JSON: numbers in decimal and bytes in hexadecimal, as text."""
    match value:
        case bool():
            return value
        case int():
            return str(value)
        case bytes():
            return "0x" + value.hex()
        case tuple():
            return [as_json(one) for one in value]
        case Proven() | ProvenLog():
            return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(value)


def documents() -> dict[str, str]:
    """The text of each file."""

    def text(cases: Sequence[Case], rest: Callable[[Case], dict[str, object]]) -> str:
        listed = [
            {"name": case.name, "anchor": as_json(case.anchor), "proof": as_json(case.proof), **rest(case)}
            for case in cases
        ]
        return json.dumps(listed, indent=1) + "\n"

    def told(case: Case) -> dict[str, object]:
        kind = Kind(case.proof[2]).name.lower()
        return {"kind": kind, "facts": as_json(case.facts)}

    return {
        "valid.json": text(valid_cases(), told),
        "invalid.json": text(invalid_cases(), lambda case: {"reason": case.reason}),
    }


if __name__ == "__main__":
    target = Path(*sys.argv[1:] or [Path(__file__).parent])
    for name, content in documents().items():
        (target / name).write_text(content, encoding="utf-8")
