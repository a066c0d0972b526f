"""What bad input once did, or could have done: each was found by the tests beside this file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fuzzing import samples
from fuzzing.samples import ALICE, BOB

from chainstack_sdk import Account, Chain, ChainConfig, InvalidInput, UsageError
from chainstack_sdk.apps.jsonrpc import handle
from chainstack_sdk.core import Genesis, GenesisAccount, LmdbStore, MemoryStore, SqliteStore, StateDiff
from chainstack_sdk.core.native.code import paradigm_code, parse_paradigm_code
from chainstack_sdk.core.state import DamagedState
from chainstack_sdk.primitives import rlp_decode, rlp_encode

Contents = dict[bytes, bytes]


def number(height: int) -> bytes:
    return height.to_bytes(8, "big")


HEAD = len(samples.blocks()) - 1


def opened(damage: Callable[[Contents], None], *, archive: bool = False) -> Chain:
    contents = dict(samples.stored_story(archive))
    damage(contents)
    store = MemoryStore()
    store.write_batch(contents)
    return Chain.open(store, samples.stored_config(archive))


def test_a_state_diff_has_one_encoding() -> None:
    first, second = bytes(19) + b"\1", bytes(19) + b"\2"
    slots = [[bytes(32), b"\5"], [b"\1" * 32, b"\6"]]
    good = [[[first, b"\1"], [second, b"\2"]], [], [[first, b"code"]], [[first, slots]]]
    assert StateDiff.decode(rlp_encode(good)).encode() == rlp_encode(good)
    for bad in (
        [[[second, b"\2"], [first, b"\1"]], [], [], []],
        [[[first, b"\1"], [first, b"\2"]], [], [], []],
        [[], [[first, b"\1"]] * 2, [], []],
        [[], [], [[first, b"code"]] * 2, []],
        [[], [], [], [[first, slots[::-1]]]],
        [[], [], [], [[second, []], [first, []]]],
    ):
        with pytest.raises(InvalidInput, match="ascending"):
            StateDiff.decode(rlp_encode(bad))


def test_no_instance_has_version_0() -> None:
    code = paradigm_code("erc20", 1, b"config")
    assert parse_paradigm_code(code) == ("erc20", 1, b"config")
    with pytest.raises(InvalidInput):
        parse_paradigm_code(code[:3] + b"\0" + code[4:])


def test_no_account_can_come_to_hold_more_than_a_balance_has_room_for() -> None:
    rich, poor = GenesisAccount(balance=2**256 - 1), GenesisAccount(balance=1)
    assert Genesis(accounts={ALICE.address: rich}).accounts
    with pytest.raises(UsageError, match="together"):
        Genesis(accounts={ALICE.address: rich, BOB.address: poor})


@pytest.mark.parametrize("archive", [False, True])
def test_a_store_that_lost_its_head_is_not_begun_anew(archive: bool) -> None:
    with pytest.raises(InvalidInput, match="no chain"):
        opened(lambda contents: contents.pop(b"m"), archive=archive)


def test_a_store_with_a_lower_head_than_blocks_is_refused() -> None:
    def lower(contents: Contents) -> None:
        *rest, _height = rlp_decode(contents[b"m"])
        contents[b"m"] = rlp_encode([*rest, HEAD - 1])

    with pytest.raises(InvalidInput, match="above its newest"):
        opened(lower, archive=True)


def test_the_newest_header_is_checked_too() -> None:
    def enrich(contents: Contents) -> None:
        fields = rlp_decode(contents[b"h" + number(HEAD)])
        fields[15] = b"\1"  # the base fee, which no other block has committed to yet
        contents[b"h" + number(HEAD)] = rlp_encode(fields)

    with pytest.raises(InvalidInput, match="newest header"):
        opened(enrich)


def test_an_index_that_leads_to_another_block_is_noticed() -> None:
    wanted = samples.story().chain.block(3).hash

    def mislead(contents: Contents) -> None:
        contents[b"i" + wanted] = number(2)

    with opened(mislead) as chain, pytest.raises(InvalidInput, match="index of blocks"):
        chain.block(wanted)


@pytest.mark.parametrize("place", [number(6) + b"\0\0\0\1", number(6) + b"\0\0\0\x09", number(5) + bytes(4)])
def test_a_damaged_index_is_told_to_clients(place: bytes) -> None:
    wanted = samples.story().chain.block(6).transactions[0].hash

    def mislead(contents: Contents) -> None:
        contents[b"t" + wanted] = place

    with opened(mislead) as chain:
        for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
            request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": ["0x" + wanted.hex()]}
            response = handle(chain, request)
            assert "damaged" in response.get("error", response)["message"]


@pytest.mark.parametrize("field", [4, 6, 7])
def test_receipts_that_misstate_their_place_are_noticed(field: int) -> None:
    """Gas of the transaction alone, height, index: the receipts root does not cover them."""
    key = b"r" + number(6)

    def mislead(contents: Contents) -> None:
        receipts = rlp_decode(contents[key])
        receipts[0][field] = b"\x09"
        contents[key] = rlp_encode(receipts)

    with opened(mislead) as chain, pytest.raises(InvalidInput, match="receipts are damaged"):
        chain.receipts(6)


def test_proofs_are_not_made_from_damaged_diffs() -> None:
    def impoverish(contents: Contents) -> None:
        diff = StateDiff.decode(contents[b"d" + number(HEAD)])
        diff.balances[samples.CAROL.address] += 1
        contents[b"d" + number(HEAD)] = diff.encode()

    with opened(impoverish) as chain:
        state_root = chain.blockchain.state.root
        with pytest.raises(InvalidInput, match="reverse diffs"):
            chain.prove_account(ALICE, block=HEAD - 1)
        assert chain.blockchain.state.root == state_root
        chain.prove_account(ALICE).verify(state_root)


def test_a_damaged_archive_is_not_taken_for_a_crashed_contract() -> None:
    def lose_code(contents: Contents) -> None:
        for key in [key for key in contents if key[:1] == b"c"]:
            del contents[key]

    token = samples.story().token
    transfer = token.contract.abi_function("transfer").encode_call(BOB.address, 1)
    with opened(lose_code, archive=True) as chain:
        digest = chain.send(
            samples.sign(ALICE, chain.nonce(ALICE), to=token.address, data=transfer, gas=200_000)
        )
        with pytest.raises(DamagedState, match="code is missing"):
            chain.seal()
        assert digest in chain.pool
        with pytest.raises(DamagedState, match="code is missing"):
            chain.call(token.address, transfer, sender=ALICE)


def test_a_damaged_slot_of_an_archive_is_told() -> None:
    nodes = {key for key in samples.stored_story(True) if key[:1] == b"n"}
    token, told = samples.story().token.address, 0
    for node in sorted(nodes):
        with opened(lambda contents, node=node: contents.pop(node), archive=True) as chain:
            try:
                chain.storage(token, 2)
            except DamagedState:
                told += 1
    assert told >= 3  # at the least the roots of accounts and of the token's storage, and the slot's leaf


@pytest.mark.parametrize("page", [1, 5], ids=["root", "leaf"])
def test_a_damaged_sqlite_file_is_told(page: int, tmp_path: Path) -> None:
    path = tmp_path / "store"
    with SqliteStore(path) as store:
        store.write_batch({number(key): bytes(500) for key in range(100)})
    data = path.read_bytes()
    path.write_bytes(data[: 4096 * page] + b"\xaa" * 4096 + data[4096 * (page + 1) :])
    with SqliteStore(path) as store:
        with pytest.raises(InvalidInput, match="file is damaged"):
            store.get(number(27))
        with pytest.raises(InvalidInput, match="file is damaged"):
            list(store.iterate())
        with pytest.raises(InvalidInput, match="file is damaged"):
            store.write_batch({number(27): b"value"})


def test_a_damaged_schema_is_told(tmp_path: Path) -> None:
    path = tmp_path / "store"
    SqliteStore(path).close()
    path.write_bytes(path.read_bytes().replace(b"value BLOB", b"vague BLOB"))
    with SqliteStore(path) as store:
        with pytest.raises(InvalidInput, match="file is damaged"):
            store.get(b"key")
        with pytest.raises(InvalidInput, match="file is damaged"):
            store.iterate(b"k")
        with pytest.raises(InvalidInput, match="file is damaged"):
            store.iterate()
    for damage in (b"WITHOUT ROWIL", b"WITHOUT ROWI\xff"):  # the second cannot even be quoted in a message
        path.write_bytes(path.read_bytes().replace(b"WITHOUT ROWID", damage))
        with pytest.raises(InvalidInput, match="not a store"):
            SqliteStore(path)
        path.write_bytes(path.read_bytes().replace(damage, b"WITHOUT ROWID"))


@pytest.mark.parametrize("value", ["5", "'text'", "x'00'"])
def test_a_value_of_another_type_is_told(value: str, tmp_path: Path) -> None:
    path = tmp_path / "store"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"INSERT INTO kv VALUES (x'01', {value})")
        connection.commit()
    with SqliteStore(path) as store:
        if value == "5":
            with pytest.raises(InvalidInput, match="file is damaged"):
                store.get(b"\1")
            with pytest.raises(InvalidInput, match="file is damaged"):
                list(store.iterate())
        else:
            assert store.get(b"\1") == (b"text" if "text" in value else b"\0")


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store") as store:
        assert store._connection is not None
        store._connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(UsageError, match="full"):
            store.write_batch({b"key": bytes(100_000)})
        assert store.get(b"key") is None
        store._connection.close()
        with pytest.raises(sqlite3.ProgrammingError):  # nothing that a file can be blamed for
            store.get(b"key")


def test_a_damaged_lmdb_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with LmdbStore(path, map_size=1 << 20) as store:
        store.write_batch({number(key): bytes(500) for key in range(100)})
    page, whole = 4096, bytearray(path.read_bytes())
    for start in range(2 * page, len(whole), page):
        whole[start + 10 : start + 12] = b"\0\0"  # the flags that say what kind of page it is
    path.write_bytes(bytes(whole))
    with LmdbStore(path, map_size=1 << 20) as store:
        with pytest.raises(InvalidInput, match="file is damaged"):
            store.get(number(5))
        with pytest.raises(InvalidInput, match="file is damaged"):
            list(store.iterate())
        with pytest.raises(InvalidInput, match="file is damaged"):
            store.write_batch({number(5): b"value"})


def test_an_lmdb_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    readers = 126  # LMDB's table of readers, which no setting of ours enlarges
    with LmdbStore(tmp_path / "store") as store:
        store.write_batch({b"key": b"value"})
        assert store._environment is not None
        held = [store._environment.begin() for _ in range(readers)]
        with pytest.raises(UsageError, match="cannot be used"):
            store.get(b"key")
        with pytest.raises(UsageError, match="cannot be used"):
            store.iterate()
        del held
        assert store.get(b"key") == b"value"


def test_what_is_undone_leaves_no_zeros_behind() -> None:
    story = samples.tell(Chain.in_memory(config=samples.CONFIG, auto_seal=True))
    chain, state = story.chain, story.chain.blockchain.state
    transfer = story.token.contract.abi_function("transfer")
    sizes = len(list(state.accounts())), len(state.table(story.token.address))
    for person in (bytes([digit]) * 20 for digit in range(1, 9)):
        chain.simulate(story.token.address, transfer.encode_call(person, 1), sender=ALICE)
        chain.simulate(person, sender=ALICE, value=1)
    assert (len(list(state.accounts())), len(state.table(story.token.address))) == sizes


def test_a_call_cannot_bring_negative_coin() -> None:
    with pytest.raises(UsageError, match="negative"):
        samples.story().chain.simulate(BOB, sender=ALICE, value=-1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: Account.from_mnemonic("\ud800 " * 12),
        lambda: Account.from_mnemonic("test " * 12, passphrase="\ud800"),
        lambda: ALICE.sign_message("\ud800"),
        lambda: ChainConfig.load("no\0path"),
        lambda: samples.story().chain.storage(ALICE, -1),
        lambda: samples.story().chain.storage(ALICE, 2**256),
        lambda: samples.story().chain.prove_account(ALICE, [2**256]),
        lambda: Chain.in_memory({ALICE: 0.5}),
        lambda: Genesis(accounts={ALICE.address: GenesisAccount(nonce=0.5)}),
        lambda: Genesis(accounts={ALICE.address: GenesisAccount(storage={0: 0.5})}),
    ],
)
def test_mistakes_of_the_caller_are_named(call: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        call()


def test_errors_do_not_repeat_long_input() -> None:
    assert str(UsageError("bad", actual="x" * 1_000)).count("x") == 1_000
    assert str(UsageError("bad", actual="x" * 5_000)).endswith("xx… (5000 characters))")
    assert len(str(UsageError("bad", actual="x" * 5_000))) < 1_100
