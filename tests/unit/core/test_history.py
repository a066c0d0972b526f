"""The history's mountain range: shape, works, proofs, and what a chain does with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.core.history import MountainRange, MountainRangeProof, verify_history_proof
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

BLOCKS = [(keccak256(b"block %d" % height), 1000 + height) for height in range(11)]


def history(size: int) -> MountainRange:
    made = MountainRange()
    for block_hash, work in BLOCKS[:size]:
        made.append(block_hash, work)
    return made


def u256(number: int) -> bytes:
    return number.to_bytes(32, "big")


def leaf(height: int) -> bytes:
    block_hash, work = BLOCKS[height]
    return keccak256(b"\x02" + block_hash + u256(work)) + u256(work)


def node(left: bytes, right: bytes) -> bytes:
    work = int.from_bytes(left[32:], "big") + int.from_bytes(right[32:], "big")
    return keccak256(b"\x03" + left + right) + u256(work)


def root(size: int, top: bytes) -> bytes:
    return keccak256(b"\x04" + size.to_bytes(8, "big") + top)


def test_no_blocks() -> None:
    empty = MountainRange()
    assert (empty.size, empty.total_work, empty.peaks) == (0, 0, ())
    assert empty.root == root(0, bytes(64))


def test_one_block() -> None:
    assert history(1).root == root(1, leaf(0))
    assert history(1).prove(0) == MountainRangeProof(0, 1, ())


def test_seven_blocks_written_out() -> None:
    seven = history(7)
    pairs = [node(leaf(0), leaf(1)), node(leaf(2), leaf(3)), node(leaf(4), leaf(5))]
    peak = node(pairs[0], pairs[1])
    top = node(peak, node(pairs[2], leaf(6)))
    assert seven.root == root(7, top)
    assert seven.total_work == sum(work for _, work in BLOCKS[:7]) == int.from_bytes(top[32:], "big")
    packed = [peak_hash + u256(work) for peak_hash, work in seven.peaks]
    assert packed == [peak, pairs[2], leaf(6)]
    beside = [sibling_hash + u256(work) for sibling_hash, work in seven.prove(4).siblings]
    assert beside == [leaf(5), leaf(6), peak]


def test_equal_blocks_with_other_work_have_another_root() -> None:
    first, second = history(4), history(4)
    first.append(bytes(32), 1)
    second.append(bytes(32), 2)
    assert first.root != second.root


def test_work_cannot_move_between_neighbours() -> None:
    moved = MountainRange()
    for (block_hash, work), shift in zip(BLOCKS[:4], (1, -1, 0, 0), strict=True):
        moved.append(block_hash, work + shift)
    assert moved.total_work == history(4).total_work
    assert moved.root != history(4).root


@pytest.mark.parametrize("index", [-1, 7, 8])
def test_only_known_blocks_are_proven(index: int) -> None:
    with pytest.raises(UsageError, match="not in this range") as caught:
        history(7).prove(index)
    assert (caught.value.first, caught.value.size) == (0, 7)


def test_a_proof_names_its_place_size_and_work() -> None:
    seven = history(7)
    proof, block = seven.prove(2), BLOCKS[2]
    verify_history_proof(seven.root, block, proof)
    wrong: list[tuple[tuple[bytes, int], MountainRangeProof]] = [
        (BLOCKS[3], proof),
        ((block[0], block[1] + 1), proof),
        (block, replace(proof, index=3)),
        (block, replace(proof, size=8)),
        (block, replace(proof, siblings=((proof.siblings[0][0], 0), *proof.siblings[1:]))),
    ]
    for changed_block, changed in wrong:
        with pytest.raises(InvalidInput, match="another root"):
            verify_history_proof(seven.root, changed_block, changed)


def test_an_inner_node_is_no_block() -> None:
    seven = history(7)
    siblings = seven.prove(0).siblings
    inner = node(leaf(0), leaf(1))
    with pytest.raises(InvalidInput, match="wrong length"):
        MountainRangeProof(0, 7, siblings[1:])
    shorter = MountainRangeProof(0, 4, siblings[1:])
    with pytest.raises(InvalidInput, match="another root"):
        verify_history_proof(seven.root, (inner[:32], int.from_bytes(inner[32:], "big")), shorter)


@pytest.mark.parametrize(
    ("block_hash", "work", "message"),
    [(bytes(31), 1, "32 bytes"), (bytes(32), -1, "negative"), (bytes(32), 2**256 - 1000, "256 bits")],
)
def test_append_refuses_and_stays_as_it_was(block_hash: bytes, work: int, message: str) -> None:
    made = history(3)
    before = (made.root, made.size, made.total_work)
    with pytest.raises(InvalidInput, match=message):
        made.append(block_hash, work)
    assert (made.root, made.size, made.total_work) == before


def test_the_largest_total_work() -> None:
    made = MountainRange()
    made.append(bytes(32), 2**256 - 2)
    made.append(bytes(32), 1)
    assert made.total_work == 2**256 - 1
    verify_history_proof(made.root, (bytes(32), 1), made.prove(1))
    with pytest.raises(InvalidInput, match="256 bits"):
        made.append(bytes(32), 1)


@pytest.mark.parametrize(
    "leaf_shown",
    [(bytes(31), 1), (bytes(33), 1), (bytes(32), -1), (bytes(32), 2**256 - 1), (bytes(32), 2**300)],
)
def test_impossible_leaves(leaf_shown: tuple[bytes, int]) -> None:
    with pytest.raises(InvalidInput):
        verify_history_proof(history(7).root, leaf_shown, history(7).prove(0))


@pytest.mark.parametrize(
    ("index", "size", "siblings"),
    [
        (0, 0, ()),
        (-1, 1, ()),
        (1, 1, ()),
        (0, 2**63, ((bytes(32), 0),) * 63),
        (0, 2, ()),
        (0, 2, ((bytes(32), 0),) * 2),
        (0, 2, ((bytes(31), 0),)),
        (0, 2, ((bytes(32), -1),)),
        (0, 2, ((bytes(32), 2**256),)),
        (0, 4, ((bytes(32), 2**255), (bytes(32), 2**255))),
    ],
)
def test_impossible_proofs(index: int, size: int, siblings: tuple[tuple[bytes, int], ...]) -> None:
    with pytest.raises(InvalidInput):
        MountainRangeProof(index, size, siblings)


def test_encoding_written_out() -> None:
    proof = MountainRangeProof(2, 3, ((b"\xaa" * 32, 258),))
    data = bytes.fromhex("0000000000000002" + "0000000000000003" + "aa" * 32 + "00" * 30 + "0102")
    assert proof.to_bytes() == data
    assert MountainRangeProof.from_bytes(data) == proof


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(15),
        bytes(16),
        bytes(15) + b"\x01" + bytes(64),
        bytes(15) + b"\x02" + bytes(63),
        bytes(15) + b"\x02" + bytes(128),
        b"\xff" * 16,
        bytes(15) + b"\x04" + b"\xff" * 128,
    ],
)
def test_malformed_encodings(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        MountainRangeProof.from_bytes(data)


def test_a_copy_goes_its_own_way() -> None:
    first = history(5)
    second = first.copy()
    second.append(*BLOCKS[5])
    assert first.root == history(5).root
    assert second.root == history(6).root


def test_cutting_back() -> None:
    made = history(11)
    made.truncate(6)
    assert (made.root, made.total_work) == (history(6).root, history(6).total_work)
    made.append(*BLOCKS[6])
    assert made.root == history(7).root
    made.truncate(0)
    assert (made.root, made.size, made.total_work) == (MountainRange().root, 0, 0)


@pytest.mark.parametrize("size", [-1, 8])
def test_cutting_where_there_is_nothing(size: int) -> None:
    made = history(7)
    with pytest.raises(UsageError, match="cannot cut"):
        made.truncate(size)
    assert made.root == history(7).root


def test_continuing_from_peaks() -> None:
    later = MountainRange.from_peaks(6, history(6).peaks)
    assert (later.root, later.total_work) == (history(6).root, history(6).total_work)
    for block in BLOCKS[6:]:
        later.append(*block)
    assert later.root == history(11).root
    for index in range(6, 11):
        assert later.prove(index) == history(11).prove(index)
    for index in range(6):
        with pytest.raises(UsageError):
            later.prove(index)
    later.truncate(6)
    assert later.root == history(6).root
    with pytest.raises(UsageError):
        later.truncate(5)


@pytest.mark.parametrize(
    ("size", "peaks"),
    [
        (-1, ()),
        (2**63, ((bytes(32), 0),)),
        (3, ((bytes(32), 0),)),
        (4, ((bytes(32), 0),) * 2),
        (1, ((bytes(31), 0),)),
        (1, ((bytes(32), -1),)),
        (3, ((bytes(32), 2**255), (bytes(32), 2**255))),
    ],
)
def test_impossible_peaks(size: int, peaks: tuple[tuple[bytes, int], ...]) -> None:
    with pytest.raises(InvalidInput):
        MountainRange.from_peaks(size, peaks)
