"""Whole chains as files: they come back the same, and nothing damaged does."""

from __future__ import annotations

from io import BytesIO

import pytest

from chainstack_sdk.core import chainfile
from chainstack_sdk.core.chain import Blockchain
from chainstack_sdk.core.chainfile import MAGIC, MAX_ENTRY, ChainReader, export_chain, import_chain
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing import accounts, bare_chain, extend, payment

ALICE, BOB = accounts(2)
FUNDS = {ALICE: 10**20}


def make(blocks: int) -> Blockchain:
    chain = bare_chain(FUNDS)
    for _ in range(blocks):
        extend(chain, payment(chain, ALICE, BOB, 5))
    return chain


def exported(chain: Blockchain) -> bytes:
    file = BytesIO()
    export_chain(chain, file)
    return file.getvalue()


def imported(data: bytes) -> Blockchain:
    reader = ChainReader(BytesIO(data))
    chain = Blockchain(
        reader.genesis,
        runtime=SOURCE.runtime,
        header_rule=SOURCE.header_rule,
        fees=SOURCE.fees,
    )
    import_chain(chain, reader)
    return chain


SOURCE = make(2)
FILE = exported(SOURCE)
SMALL = exported(make(1))


@pytest.mark.parametrize("blocks", [0, 1, 3])
def test_a_chain_comes_back(blocks: int) -> None:
    source = make(blocks)
    copy = imported(exported(source))
    assert (copy.head, copy.state.root, copy.height) == (source.head, source.state.root, blocks)
    assert exported(copy) == exported(source)


def test_the_format_is_as_documented() -> None:
    def entry(payload: bytes) -> bytes:
        return len(payload).to_bytes(4, "big") + payload

    start = b"chainstack\x01" + (2).to_bytes(8, "big")
    entries = [entry(SOURCE.genesis.encode())]
    entries += [entry(SOURCE.ledger.block(height).encode()) for height in (1, 2)]
    check = keccak256(start)
    for one in entries:
        check = keccak256(check + one)
    assert start + b"".join(entries) + check == FILE


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    file = BytesIO()
    export_chain(SOURCE, file, lambda done, all_: told.append((done, all_)))
    assert told == [(1, 2), (2, 2)]
    reader = ChainReader(BytesIO(FILE))
    import_chain(bare_chain(FUNDS), reader, lambda done, all_: told.append((done, all_)))
    assert told == [(1, 2), (2, 2)] * 2


def test_reading_step_by_step() -> None:
    reader = ChainReader(BytesIO(FILE))
    assert reader.height == 2
    assert reader.genesis.encode() == SOURCE.genesis.encode()
    assert reader.next_block() == SOURCE.ledger.block(1)
    assert reader.next_block() == SOURCE.ledger.block(2)
    assert reader.next_block() is None
    assert reader.next_block() is None


def test_large_entries_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chainfile, "_PIECE", 10)
    assert imported(FILE).head == SOURCE.head


def test_every_cut_is_noticed() -> None:
    for size in range(len(SMALL)):
        with pytest.raises(InvalidInput):
            imported(SMALL[:size])


def test_every_changed_byte_is_noticed() -> None:
    for at in range(len(SMALL)):
        damaged = SMALL[:at] + bytes([SMALL[at] ^ 1 << at % 8]) + SMALL[at + 1 :]
        with pytest.raises(InvalidInput):
            imported(damaged)


def test_bytes_behind_the_end_are_noticed() -> None:
    with pytest.raises(InvalidInput, match="goes on"):
        imported(FILE + b"\x00")


def rechecked(start: bytes, *payloads: bytes) -> bytes:
    """An export whose check fits, whatever is in it."""
    data, check = start, keccak256(start)
    for payload in payloads:
        entry = len(payload).to_bytes(4, "big") + payload
        data, check = data + entry, keccak256(check + entry)
    return data + check


BLOCKS = [SOURCE.ledger.block(height).encode() for height in (1, 2)]
START = MAGIC + (2).to_bytes(8, "big")


def test_an_export_may_be_written_by_others() -> None:
    assert rechecked(START, SOURCE.genesis.encode(), *BLOCKS) == FILE


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("another version", rechecked(b"chainstack\x02" + bytes(8), SOURCE.genesis.encode())),
        ("blocks out of order", rechecked(START, SOURCE.genesis.encode(), *BLOCKS[::-1])),
        ("a block twice", rechecked(START, SOURCE.genesis.encode(), BLOCKS[0], BLOCKS[0])),
        ("a block too few", rechecked(START, SOURCE.genesis.encode(), BLOCKS[0])),
        ("a block too many", rechecked(START, SOURCE.genesis.encode(), *BLOCKS, BLOCKS[0])),
        ("a genesis that is none", rechecked(START, b"\xc0", *BLOCKS)),
        ("a block that is none", rechecked(START, SOURCE.genesis.encode(), b"\xc0", BLOCKS[1])),
        ("blocks of another chain", rechecked(START, Genesis().encode(), *BLOCKS)),
        ("an entry larger than any", START + (MAX_ENTRY + 1).to_bytes(4, "big")),
        ("an entry larger than the file", START + MAX_ENTRY.to_bytes(4, "big") + bytes(100)),
    ],
)
def test_what_is_no_chain_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        imported(data)


def test_the_genesis_must_be_the_same() -> None:
    with pytest.raises(InvalidInput, match="another genesis"):
        import_chain(bare_chain({BOB: 1}), ChainReader(BytesIO(FILE)))


def test_blocks_before_a_bad_one_stay() -> None:
    reader = ChainReader(BytesIO(rechecked(START, SOURCE.genesis.encode(), BLOCKS[0], BLOCKS[0])))
    chain = bare_chain(FUNDS)
    with pytest.raises(InvalidInput, match="height"):
        import_chain(chain, reader)
    assert chain.height == 1
    assert chain.head == SOURCE.ledger.header(1)
