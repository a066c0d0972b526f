"""Account proofs: one valid proof of each kind, then everything that must not verify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chainstack_sdk.core.account_proof import AccountProof, SlotProof
from chainstack_sdk.core.genesis import Genesis, GenesisAccount, state_root
from chainstack_sdk.core.queries import prove
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT
from chainstack_sdk.testing import bare_chain

ALICE, TOKEN, NOBODY = b"\x0a" * 20, b"\x0c" * 20, b"\x0d" * 20
ONE, TWO, THREE = ((number).to_bytes(32, "big") for number in (1, 2, 3))
ACCOUNTS = {
    ALICE: GenesisAccount(nonce=3, balance=10**18),
    TOKEN: GenesisAccount(nonce=1, balance=7, code=b"\xef\x43code", storage={1: 11, 2: 22, 9: 99}),
    **{bytes([number]) * 20: GenesisAccount(balance=number) for number in range(20, 40)},
}
ROOT = state_root(ACCOUNTS)
CHAIN = bare_chain(genesis=Genesis(accounts=ACCOUNTS))
PROOF = prove(CHAIN, TOKEN, (ONE, TWO, THREE))


def test_what_a_proof_says() -> None:
    assert CHAIN.head.state_root == ROOT
    assert (PROOF.address, PROOF.nonce, PROOF.balance, PROOF.height) == (TOKEN, 1, 7, 0)
    assert [(slot.slot, slot.value) for slot in PROOF.storage] == [(ONE, 11), (TWO, 22), (THREE, 0)]


@pytest.mark.parametrize(
    "proof",
    [
        PROOF,
        prove(CHAIN, ALICE),
        prove(CHAIN, ALICE, (ONE,)),
        prove(CHAIN, NOBODY),
        prove(CHAIN, NOBODY, (ONE,)),
    ],
    ids=["contract", "plain", "plain with slot", "absent", "absent with slot"],
)
def test_true_proofs_verify(proof: AccountProof) -> None:
    proof.verify(ROOT)


def test_absence_is_told_by_zeros() -> None:
    absent = prove(CHAIN, NOBODY)
    assert (absent.nonce, absent.balance) == (0, 0)
    assert (absent.storage_root, absent.code_hash) == (EMPTY_ROOT, EMPTY_HASH)


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def with_slot(at: int, **changes: object) -> Callable[[AccountProof], AccountProof]:
    def malleate(proof: AccountProof) -> AccountProof:
        slots = list(proof.storage)
        slots[at] = replace(slots[at], **changes)  # type: ignore[arg-type]
        return replace(proof, storage=tuple(slots))

    return malleate


def shifted(proof: AccountProof) -> AccountProof:
    """Move the border between two hashes, so that the encoded leaf could stay the same."""
    joined = proof.storage_root + b"\xa0" + proof.code_hash
    return replace(proof, storage_root=joined[:31], code_hash=joined[32:])


@pytest.mark.parametrize(
    ("name", "malleate"),
    [
        ("another address", lambda proof: replace(proof, address=ALICE)),
        ("an absent address", lambda proof: replace(proof, address=NOBODY)),
        ("an address of 19 bytes", lambda proof: replace(proof, address=TOKEN[1:])),
        ("a higher nonce", lambda proof: replace(proof, nonce=2)),
        ("a negative nonce", lambda proof: replace(proof, nonce=-1)),
        ("a nonce above 64 bits", lambda proof: replace(proof, nonce=1 << 64)),
        ("a higher balance", lambda proof: replace(proof, balance=8)),
        ("a negative balance", lambda proof: replace(proof, balance=-7)),
        ("a balance above 256 bits", lambda proof: replace(proof, balance=1 << 256)),
        ("another storage root", lambda proof: replace(proof, storage_root=flipped(proof.storage_root))),
        ("a short storage root", lambda proof: replace(proof, storage_root=proof.storage_root[:31])),
        ("another code hash", lambda proof: replace(proof, code_hash=flipped(proof.code_hash))),
        ("a short code hash", lambda proof: replace(proof, code_hash=proof.code_hash[:31])),
        ("hashes that share a border", shifted),
        ("no nodes", lambda proof: replace(proof, nodes=())),
        ("a node missing", lambda proof: replace(proof, nodes=proof.nodes[:-1])),
        ("a node too many", lambda proof: replace(proof, nodes=(*proof.nodes, proof.nodes[-1]))),
        ("a changed node", lambda proof: replace(proof, nodes=(flipped(proof.nodes[0]), *proof.nodes[1:]))),
        ("another slot", with_slot(0, slot=TWO)),
        ("a slot of 31 bytes", with_slot(0, slot=ONE[1:])),
        ("another value", with_slot(0, value=12)),
        ("a value in place of absence", with_slot(2, value=1)),
        ("absence in place of a value", with_slot(0, value=0)),
        ("a negative value", with_slot(0, value=-11)),
        ("a value above 256 bits", with_slot(0, value=1 << 256)),
        ("a slot without nodes", with_slot(1, nodes=())),
        ("a slot with another's nodes", with_slot(1, nodes=PROOF.storage[0].nodes)),
        ("claims without a proof", lambda proof: replace(proof, nodes=(b"\x80",))),
    ],
)
def test_false_proofs_do_not_verify(name: str, malleate: Callable[[AccountProof], AccountProof]) -> None:
    with pytest.raises(InvalidInput):
        malleate(PROOF).verify(ROOT)


def test_an_existing_account_is_not_shown_as_absent() -> None:
    absent = replace(PROOF, nonce=0, balance=0, storage_root=EMPTY_ROOT, code_hash=EMPTY_HASH, storage=())
    with pytest.raises(InvalidInput):
        absent.verify(ROOT)


@pytest.mark.parametrize("root", [EMPTY_ROOT, bytes(32), ROOT[:31], b""])
def test_another_root_does_not_verify(root: bytes) -> None:
    with pytest.raises(InvalidInput):
        PROOF.verify(root)


def test_a_slot_of_a_plain_account_has_no_value() -> None:
    proof = prove(CHAIN, ALICE)
    with pytest.raises(InvalidInput):
        replace(proof, storage=(SlotProof(ONE, 5, ()),)).verify(ROOT)
