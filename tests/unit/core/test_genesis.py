"""The genesis: its limits, its encoding, block 0, and state roots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.core.genesis import Genesis, GenesisAccount, state_root
from chainstack_sdk.core.history import MountainRange
from chainstack_sdk.core.merkle import binary_root
from chainstack_sdk.core.state import State
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import EMPTY_HASH, EMPTY_ROOT, keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import naive_root

ALICE, TOKEN = b"\x0a" * 20, b"\x0c" * 20
ACCOUNTS = {
    TOKEN: GenesisAccount(nonce=1, code=b"\xef\x43code", storage={7: 70, 3: 30, 5: 0}),
    ALICE: GenesisAccount(balance=10**24),
}
FULL = Genesis(
    chain_id=7,
    accounts=ACCOUNTS,
    timestamp_ms=1_000,
    gas_limit=30_000_000,
    base_fee=9,
    engine="other",
    engine_parameters=b"terms",
    extra_data=b"extra",
    burn_base_fee=True,
)
LAST64, LAST256 = (1 << 64) - 1, (1 << 256) - 1


@pytest.mark.parametrize("genesis", [FULL, Genesis(), Genesis(accounts={ALICE: GenesisAccount()})])
def test_a_genesis_comes_back(genesis: Genesis) -> None:
    decoded = Genesis.decode(genesis.encode())
    assert decoded.encode() == genesis.encode()
    assert replace(decoded, accounts={}) == replace(genesis, accounts={})
    assert {who: one.slots() for who, one in decoded.accounts.items()} == {
        who: one.slots() for who, one in genesis.accounts.items()
    }


def test_the_order_of_accounts_does_not_matter() -> None:
    turned = dict(reversed(ACCOUNTS.items()))
    assert list(turned) != list(ACCOUNTS)
    assert replace(FULL, accounts=turned).encode() == FULL.encode()


def test_slots_are_sorted_and_without_zeros() -> None:
    slots = ACCOUNTS[TOKEN].slots()
    assert list(slots.items()) == [((3).to_bytes(32, "big"), 30), ((7).to_bytes(32, "big"), 70)]


def test_limits_fit() -> None:
    account = GenesisAccount(nonce=LAST64, balance=LAST256, storage={LAST256: LAST256})
    Genesis(2**63 - 37, {ALICE: account}, LAST64, LAST64, LAST256, extra_data=bytes(32))
    Genesis(1, {}, 0, 21_000, 0)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("a negative chain id", {"chain_id": -1}),
        ("no chain id", {"chain_id": 0}),
        ("a chain id too long for a signature", {"chain_id": 2**63 - 36}),
        ("a negative time", {"timestamp_ms": -1}),
        ("a time above 64 bits", {"timestamp_ms": 1 << 64}),
        ("a gas limit above 64 bits", {"gas_limit": 1 << 64}),
        ("no room for a transaction", {"gas_limit": 20_999}),
        ("a negative base fee", {"base_fee": -1}),
        ("a base fee above 256 bits", {"base_fee": 1 << 256}),
        ("extra data of 33 bytes", {"extra_data": bytes(33)}),
        ("an address of 19 bytes", {"accounts": {ALICE[1:]: GenesisAccount()}}),
        ("an address in text", {"accounts": {"0x" + "0a" * 20: GenesisAccount()}}),
        ("a negative nonce", {"accounts": {ALICE: GenesisAccount(nonce=-1)}}),
        ("a nonce above 64 bits", {"accounts": {ALICE: GenesisAccount(nonce=1 << 64)}}),
        ("a negative balance", {"accounts": {ALICE: GenesisAccount(balance=-1)}}),
        ("a balance above 256 bits", {"accounts": {ALICE: GenesisAccount(balance=1 << 256)}}),
        (
            "balances above 256 bits together",
            {"accounts": {ALICE: GenesisAccount(balance=LAST256), TOKEN: GenesisAccount(balance=1)}},
        ),
        ("a negative slot", {"accounts": {ALICE: GenesisAccount(storage={-1: 1})}}),
        ("a slot above 256 bits", {"accounts": {ALICE: GenesisAccount(storage={1 << 256: 1})}}),
        ("a negative value", {"accounts": {ALICE: GenesisAccount(storage={1: -1})}}),
        ("a value above 256 bits", {"accounts": {ALICE: GenesisAccount(storage={1: 1 << 256})}}),
    ],
)
def test_what_does_not_fit_is_refused(name: str, change: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        replace(FULL, **change)  # type: ignore[arg-type]


PARTS = rlp_decode(FULL.encode())
SLOT = (3).to_bytes(32, "big")


def with_part(at: int, value: object) -> list[object]:
    return [*PARTS[:at], value, *PARTS[at + 1 :]]


def with_account(*fields: object) -> list[object]:
    return with_part(8, [list(fields)])


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("a string", b"genesis"),
        ("eight parts", PARTS[:8]),
        ("ten parts", [*PARTS, b""]),
        ("another format", with_part(0, b"\x02")),
        ("a chain id above 64 bits", with_part(1, b"\x01" * 9)),
        ("a leading zero", with_part(2, b"\x00\x01")),
        ("a gas limit too low", with_part(3, b"\x01")),
        ("a list as base fee", with_part(4, [])),
        ("a name as engine", with_part(5, b"other")),
        ("an engine that is no text", with_part(5, [b"\xff", b""])),
        ("an engine without parameters", with_part(5, [b"other"])),
        ("a list as parameters", with_part(5, [b"other", []])),
        ("an engine of three parts", with_part(5, [b"other", b"", b""])),
        ("extra data of 33 bytes", with_part(6, bytes(33))),
        ("a list as extra data", with_part(6, [])),
        ("a burn flag of two", with_part(7, b"\x02")),
        ("a string as accounts", with_part(8, b"accounts")),
        ("a string as account", with_part(8, [b"account"])),
        ("an account of four parts", with_account(ALICE, b"", b"", b"")),
        ("a short address", with_account(ALICE[1:], b"", b"", b"", [])),
        ("a string as storage", with_account(ALICE, b"", b"", b"", b"storage")),
        ("a string as slot", with_account(ALICE, b"", b"", b"", [b"slot"])),
        ("a short slot", with_account(ALICE, b"", b"", b"", [[SLOT[1:], b"\x01"]])),
        ("a value of 33 bytes", with_account(ALICE, b"", b"", b"", [[SLOT, b"\x01" * 33]])),
        ("a slot of value zero", with_account(ALICE, b"", b"", b"", [[SLOT, b""]])),
        ("a slot twice", with_account(ALICE, b"", b"", b"", [[SLOT, b"\x01"], [SLOT, b"\x02"]])),
        ("accounts out of order", with_part(8, PARTS[8][::-1])),
        ("an account twice", with_part(8, [PARTS[8][0], PARTS[8][0]])),
    ],
)
def test_malformed_bytes_are_refused(name: str, item: object) -> None:
    with pytest.raises(InvalidInput):
        Genesis.decode(rlp_encode(item))  # type: ignore[arg-type]


def test_block_0() -> None:
    state = State()
    FULL.fill(state)
    state.commit()
    assert state.root == state_root(ACCOUNTS)
    header = FULL.header(state.root)
    assert header.seed == keccak256(FULL.encode())
    assert (header.chain_id, header.height, header.timestamp_ms, header.slot) == (7, 0, 1_000, 0)
    assert (header.gas_limit, header.gas_used, header.base_fee) == (30_000_000, 0, 9)
    assert (header.parent_hash, header.proposer, header.logs_bloom) == (bytes(32), bytes(20), bytes(256))
    assert header.transactions_root == header.receipts_root == header.messages_root == binary_root(())
    assert header.history_root == MountainRange().root
    assert header.extra_data == b"extra"


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 8},
        {"engine": "x"},
        {"engine_parameters": b""},
        {"burn_base_fee": False},
        {"accounts": {}},
        {"extra_data": b""},
    ],
)
def test_block_0_commits_to_every_parameter(change: dict[str, object]) -> None:
    other = replace(FULL, **change)  # type: ignore[arg-type]
    assert other.header(bytes(32)).hash != FULL.header(bytes(32)).hash


def test_state_root_by_the_book() -> None:
    leaves = {}
    for address, account in {**ACCOUNTS, bytes(20): GenesisAccount()}.items():
        slots = {keccak256(slot): rlp_encode(value) for slot, value in account.slots().items()}
        leaf = [account.nonce, account.balance, naive_root(slots), keccak256(account.code)]
        leaves[keccak256(address)] = rlp_encode(leaf)
    assert state_root({**ACCOUNTS, bytes(20): GenesisAccount()}) == naive_root(leaves)
    assert state_root({}) == EMPTY_ROOT
    assert GenesisAccount().code == b""
    assert keccak256(b"") == EMPTY_HASH


@pytest.mark.parametrize(
    "accounts",
    [{b"": GenesisAccount()}, {ALICE: GenesisAccount(nonce=-1)}, {ALICE: GenesisAccount(balance=-1)}],
)
def test_state_root_refuses_what_does_not_fit(accounts: dict[bytes, GenesisAccount]) -> None:
    with pytest.raises(UsageError):
        state_root(accounts)
