"""Ledgers: the same answers from memory and from a store, whole batches, and damage noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from chainstack_sdk.core.archive import NodeCodec, StoredCommitment
from chainstack_sdk.core.call import Call
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import FlatCodec, MemoryLedger, StoredLedger
from chainstack_sdk.core.ledger import stored as ledgers
from chainstack_sdk.core.queries import find_receipt, find_transaction
from chainstack_sdk.core.receipts import encode_receipt
from chainstack_sdk.core.state import State
from chainstack_sdk.core.store import MemoryStore
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import ScriptedContract, ScriptedRuntime, accounts, bare_chain, extend, payment

if TYPE_CHECKING:
    from chainstack_sdk.core.chain import Blockchain
    from chainstack_sdk.core.environment import Environment
    from chainstack_sdk.core.interfaces import KeyValueStore, Ledger
    from chainstack_sdk.core.receipts import Receipt


def encode_receipts(receipts: list[Receipt]) -> bytes:
    return rlp_encode([rlp_decode(encode_receipt(one)) for one in receipts])


ALICE, BOB = accounts(2)
VAULT = b"\x0c" * 20
CODE = b"\xef\x43vault"
ONE = (1).to_bytes(32, "big")


def toggle(call: Call, data: bytes) -> bytes:
    """Turn slot 1 on and off, so that slots appear and vanish."""
    call.store(ONE, 0 if call.load(ONE) else call.block.height)
    call.log([ONE], data)
    return b""


GENESIS = Genesis(
    accounts={
        ALICE.address: GenesisAccount(balance=10**20),
        VAULT: GenesisAccount(nonce=1, code=CODE, storage={7: 70}),
        b"\x0d" * 20: GenesisAccount(storage={1: 1}),
    }
)
IDENTITY = keccak256(GENESIS.encode())


def ring(env: Environment) -> None:
    """Log something at the end of every second block."""
    if env.block.height % 2 == 0:
        env.gas = 10_000
        Call(env, VAULT, VAULT, 0, 1, False).log([], b"ring")


def make(ledger: Ledger, state: State | None = None) -> Blockchain:
    runtime = ScriptedRuntime({CODE: ScriptedContract({b"": toggle})}, ring)
    return bare_chain(genesis=GENESIS, runtime=runtime, ledger=ledger, state=state)


def flat(store: KeyValueStore, keep_states: int | None = None) -> Blockchain:
    return make(StoredLedger(store, IDENTITY, FlatCodec(), keep_states=keep_states))


def archive(store: KeyValueStore) -> Blockchain:
    commitment = StoredCommitment(store)
    return make(StoredLedger(store, IDENTITY, NodeCodec(commitment)), State(commitment))


def grow(chain: Blockchain, blocks: int = 4) -> None:
    for _ in range(blocks):
        nonce = chain.state.nonce(ALICE.address)
        extend(
            chain,
            payment(chain, ALICE, BOB, 5, nonce=nonce),
            payment(chain, ALICE, VAULT, 1, data=b"x", gas=100_000, nonce=nonce + 1),
        )


def story(chain: Blockchain) -> list[object]:
    """Everything that a ledger answers."""
    ledger = chain.ledger
    told: list[object] = [ledger.height, chain.state.root, chain.history.root]
    for height in range(ledger.height + 1):
        block = ledger.block(height)
        told += [block, ledger.header(height), ledger.receipts(height), ledger.height_of(block.hash)]
        told += [ledger.locate(receipt.transaction_hash) for receipt in ledger.receipts(height)]
    return told


REFERENCE = make(MemoryLedger())
grow(REFERENCE)


def test_the_story_is_not_empty() -> None:
    assert REFERENCE.height == 4
    assert [receipt.status for receipt in REFERENCE.ledger.receipts(4)] == [1, 1, 1]
    for index, receipt in enumerate(REFERENCE.ledger.receipts(4)):
        assert REFERENCE.ledger.locate(receipt.transaction_hash) == (4, index)
    assert len(REFERENCE.ledger.receipts(4)[1].logs) == 1


@pytest.mark.parametrize("open_chain", [flat, archive])
@pytest.mark.parametrize("recent", [64, 1])
def test_a_store_tells_the_same(
    open_chain: Callable[[KeyValueStore], Blockchain], recent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "RECENT_BLOCKS", recent)
    store = MemoryStore()
    chain = open_chain(store)
    grow(chain)
    assert story(chain) == story(REFERENCE)
    reopened = open_chain(store)
    assert story(reopened) == story(REFERENCE)
    grow(reopened, 1)
    grow(chain, 0)
    expected = make(MemoryLedger())
    grow(expected, 5)
    assert story(reopened) == story(expected)


@pytest.mark.parametrize("open_chain", [flat, archive])
def test_popping_undoes_appending(open_chain: Callable[[KeyValueStore], Blockchain]) -> None:
    store = MemoryStore()
    chain = open_chain(store)
    contents, stories = [dict(store.iterate())], [story(chain)]
    for _ in range(3):
        grow(chain, 1)
        contents.append(dict(store.iterate()))
        stories.append(story(chain))
    for height in (2, 1, 0):
        chain = open_chain(store)  # undoing works across a restart
        chain.undo()
        assert story(chain) == stories[height]
        assert story(open_chain(store)) == stories[height]
        kept = {key: value for key, value in store.iterate() if key[:1] not in (b"n", b"c")}
        expected = {key: value for key, value in contents[height].items() if key[:1] not in (b"n", b"c")}
        assert kept == expected


def test_what_was_popped_is_gone_at_once() -> None:
    chain = flat(MemoryStore())
    grow(chain, 2)
    chain.undo()
    for ask in (chain.ledger.block, chain.ledger.header, chain.ledger.receipts):
        with pytest.raises(InvalidInput):
            ask(2)


def test_memory_and_store_give_the_same_undo_diffs() -> None:
    chain = flat(MemoryStore())
    grow(chain)
    for height in range(1, 5):
        assert chain.ledger.undo(height) == REFERENCE.ledger.undo(height)


@pytest.mark.parametrize("kind", ["memory", "store"])
def test_pruning(kind: str) -> None:
    chain = make(MemoryLedger(keep_states=2)) if kind == "memory" else flat(MemoryStore(), keep_states=2)
    grow(chain, 1)
    assert chain.ledger.undo(0) is not None
    grow(chain, 3)
    assert [chain.ledger.undo(height) is None for height in range(5)] == [True, True, True, False, False]


def test_unknown_hashes() -> None:
    for chain in (REFERENCE, flat(MemoryStore())):
        assert chain.ledger.height_of(bytes(32)) is None
        assert chain.ledger.locate(bytes(32)) is None


def test_closing_closes_the_store() -> None:
    store = MemoryStore()
    chain = flat(store)
    chain.ledger.close()
    with pytest.raises(UsageError):
        store.get(b"m")
    REFERENCE.ledger.close()
    assert REFERENCE.ledger.height == 4


# Opening what does not fit -------------------------------------------------------------------------------


FULL = MemoryStore()
grow(flat(FULL))


def full_store() -> MemoryStore:
    store = MemoryStore()
    store.write_batch(dict(FULL.iterate()))
    return store


def test_another_genesis_is_refused() -> None:
    with pytest.raises(UsageError, match="another genesis"):
        StoredLedger(full_store(), bytes(32), FlatCodec())


def test_another_way_to_keep_the_state_is_refused() -> None:
    with pytest.raises(UsageError, match="archive"):
        archive(full_store())
    store = MemoryStore()
    archive(store)
    with pytest.raises(UsageError, match="archive"):
        flat(store)


def number(height: int) -> bytes:
    return height.to_bytes(8, "big")


ALICE_KEY, SLOT_KEY = b"a" + ALICE.address, b"s" + VAULT + (7).to_bytes(32, "big")
HEADER_2 = REFERENCE.ledger.header(2)


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("a head that is no RLP", b"m", b"\xff"),
        ("a head that is no list", b"m", rlp_encode(b"head")),
        ("a head of another format", b"m", rlp_encode([2, b"flat", IDENTITY, 4])),
        ("a head of three parts", b"m", rlp_encode([1, IDENTITY, 4])),
        ("a height with a leading zero", b"m", rlp_encode([1, b"flat", IDENTITY, b"\x00\x04"])),
        ("a height above the head", b"m", rlp_encode([1, b"flat", IDENTITY, 5])),
        ("a height below the head", b"m", rlp_encode([1, b"flat", IDENTITY, 3])),
        ("a missing header", b"h" + number(2), None),
        ("a header that is no header", b"h" + number(2), b"\xc0"),
        ("a header in the wrong place", b"h" + number(2), REFERENCE.ledger.header(1).encode()),
        ("another header", b"h" + number(2), replace(HEADER_2, extra_data=b"x").encode()),
        ("another block 0", b"h" + number(0), replace(REFERENCE.ledger.header(0), slot=1).encode()),
        ("a missing account", ALICE_KEY, None),
        ("another balance", ALICE_KEY, rlp_encode([8, 10**20, keccak256(b"")])),
        ("an account of two parts", ALICE_KEY, rlp_encode([8, 10**20])),
        ("an account that is no RLP", ALICE_KEY, b""),
        ("a nonce above 64 bits", ALICE_KEY, rlp_encode([1 << 64, 1, keccak256(b"")])),
        ("an account too many", b"a" + bytes(20), rlp_encode([1, 1, keccak256(b"")])),
        ("an account of a short address", b"a" + bytes(19), rlp_encode([1, 1, keccak256(b"")])),
        ("a missing slot", SLOT_KEY, None),
        ("another slot value", SLOT_KEY, b"\x01"),
        ("a slot value above 256 bits", SLOT_KEY, b"\x01" * 33),
        ("a slot too many", b"s" + VAULT + bytes(32), b"\x01"),
        ("a slot of a short key", b"s" + VAULT + bytes(31), b"\x01"),
        ("missing code", b"c" + keccak256(CODE), None),
        ("another code", b"c" + keccak256(CODE), b"code"),
    ],
)
def test_damage_is_noticed_when_opening(name: str, key: bytes, value: bytes | None) -> None:
    store = full_store()
    assert value != store.get(key)
    store.write_batch({} if value is None else {key: value}, [key])
    with pytest.raises(InvalidInput):
        flat(store)


PAID = REFERENCE.ledger.block(2).transactions[0].hash
OTHER_BLOCK, OTHER_RECEIPTS = FULL.get(b"b" + number(3)), FULL.get(b"r" + number(3))
MOVED = encode_receipts([one._replace(height=3) for one in REFERENCE.ledger.receipts(2)])
BODY_2 = rlp_decode(FULL.get(b"b" + number(2)) or b"")


@pytest.mark.parametrize("fitting", [False, True], ids=["", "with a fitting check"])
@pytest.mark.parametrize(
    ("name", "key", "value", "ask"),
    [
        ("a missing block", b"b" + number(2), None, lambda chain: chain.ledger.block(2)),
        ("another block", b"b" + number(2), OTHER_BLOCK, lambda chain: chain.ledger.block(2)),
        ("no block", b"b" + number(2), b"\x80", lambda chain: chain.ledger.block(2)),
        (
            "a block without its transactions",
            b"b" + number(2),
            rlp_encode([BODY_2[0], [], b"", b""]),
            lambda chain: chain.ledger.block(2),
        ),
        ("missing receipts", b"r" + number(2), None, lambda chain: chain.ledger.receipts(2)),
        ("other receipts", b"r" + number(2), OTHER_RECEIPTS, lambda chain: chain.ledger.receipts(2)),
        ("receipts of another place", b"r" + number(2), MOVED, lambda chain: chain.ledger.receipts(2)),
        ("no receipts", b"r" + number(2), b"\x80", lambda chain: chain.ledger.receipts(2)),
        ("a diff that is no diff", b"d" + number(4), b"\xc0", lambda chain: chain.undo()),
        ("an empty diff", b"d" + number(4), rlp_encode([[], [], [], []]), lambda chain: chain.undo()),
        ("a hash of a height too high", b"i" + HEADER_2.hash, number(9), lambda chain: by_hash(chain)),
        ("another block's hash", b"i" + HEADER_2.hash, number(3), lambda chain: by_hash(chain)),
        ("a hash of a short height", b"i" + HEADER_2.hash, b"\x02", lambda chain: by_hash(chain)),
        ("a place in no block", b"t" + PAID, number(9) + bytes(4), lambda chain: find_receipt(chain, PAID)),
        ("a short place", b"t" + PAID, b"\x02", lambda chain: find_receipt(chain, PAID)),
        (
            "a place behind the last",
            b"t" + PAID,
            number(2) + b"\x00\x00\x00\x02",
            lambda chain: find_receipt(chain, PAID),
        ),
        (
            "another's place",
            b"t" + PAID,
            number(2) + b"\x00\x00\x00\x01",
            lambda chain: find_receipt(chain, PAID),
        ),
        (
            "a place behind the last transaction",
            b"t" + PAID,
            number(2) + b"\x00\x00\x00\x02",
            lambda chain: find_transaction(chain, PAID),
        ),
        ("a place in genesis", b"t" + PAID, bytes(12), lambda chain: find_transaction(chain, PAID)),
    ],
)
def test_damage_is_noticed_when_asked(
    name: str, key: bytes, value: bytes | None, ask: Callable[[Blockchain], object], fitting: bool
) -> None:
    store = full_store()
    assert value != store.get(key)
    store.write_batch({} if value is None else {key: value}, [key])
    if fitting and key[:1] in b"brd":
        contents = [store.get(kind + key[1:]) or b"" for kind in (b"b", b"r", b"d")]
        checks = [crc32(content).to_bytes(4, "big") for content in contents]
        store.write_batch({b"k" + key[1:]: b"".join(checks)})
    chain = flat(store)
    root = chain.state.root
    with pytest.raises(InvalidInput):
        ask(chain)
    assert (chain.height, chain.state.root) == (4, root)


@pytest.mark.parametrize("change", [b"", b"\x00" * 12, None], ids=["empty", "zeros", "missing"])
def test_damaged_checks_are_noticed(change: bytes | None) -> None:
    store, key = full_store(), b"k" + number(2)
    store.write_batch({} if change is None else {key: change}, [key])
    chain = flat(store)
    for ask in (chain.ledger.block, chain.ledger.receipts, chain.ledger.undo):
        with pytest.raises(InvalidInput):
            ask(2)
        ask(3)


def by_hash(chain: Blockchain) -> object:
    return chain.ledger.height_of(HEADER_2.hash)
