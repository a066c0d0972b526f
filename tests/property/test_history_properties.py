"""The mountain range against the tree of RFC 6962, and its proofs against damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk.core.history import MountainRange, MountainRangeProof, verify_history_proof
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256

Blocks = list[tuple[bytes, int]]

some_blocks = st.lists(
    st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**128)), min_size=1, max_size=24
)


def defined_root(blocks: Blocks) -> bytes:
    """Return the root by recursion on the largest power of two below the number of blocks."""

    def tree(part: Blocks) -> tuple[bytes, int]:
        if len(part) == 1:
            ((block_hash, work),) = part
            return keccak256(b"\x02" + block_hash + work.to_bytes(32, "big")), work
        half = 1
        while half * 2 < len(part):
            half *= 2
        left, right = tree(part[:half]), tree(part[half:])
        told = b"".join(child + work.to_bytes(32, "big") for child, work in (left, right))
        return keccak256(b"\x03" + told), left[1] + right[1]

    top, work = tree(blocks) if blocks else (bytes(32), 0)
    return keccak256(b"\x04" + len(blocks).to_bytes(8, "big") + top + work.to_bytes(32, "big"))


def grown(blocks: Blocks) -> MountainRange:
    made = MountainRange()
    for block in blocks:
        made.append(*block)
    return made


@given(some_blocks)
def test_every_root_on_the_way_is_as_defined(blocks: Blocks) -> None:
    made = MountainRange()
    for count, block in enumerate(blocks, start=1):
        made.append(*block)
        assert made.root == defined_root(blocks[:count])
        assert (made.size, made.total_work) == (count, sum(work for _, work in blocks[:count]))


@given(some_blocks)
def test_every_block_is_proven(blocks: Blocks) -> None:
    made = grown(blocks)
    for index, block in enumerate(blocks):
        proof = MountainRangeProof.from_bytes(made.prove(index).to_bytes())
        assert (proof.index, proof.size) == (index, len(blocks))
        verify_history_proof(made.root, block, proof)


@given(some_blocks, st.data())
def test_a_flipped_bit_never_passes(blocks: Blocks, data: st.DataObject) -> None:
    made = grown(blocks)
    index = data.draw(st.integers(0, len(blocks) - 1))
    block_hash, work = blocks[index]
    parts = [made.root, block_hash, work.to_bytes(32, "big"), made.prove(index).to_bytes()]
    which = data.draw(st.integers(0, 3))
    damaged = bytearray(parts[which])
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[which] = bytes(damaged)
    with pytest.raises(InvalidInput):
        verify_history_proof(
            parts[0], (parts[1], int.from_bytes(parts[2], "big")), MountainRangeProof.from_bytes(parts[3])
        )


@given(some_blocks, st.data())
def test_cutting_back_equals_building_anew(blocks: Blocks, data: st.DataObject) -> None:
    made = grown(blocks)
    size = data.draw(st.integers(0, len(blocks)))
    made.truncate(size)
    anew = grown(blocks[:size])
    assert (made.root, made.total_work, made.peaks) == (anew.root, anew.total_work, anew.peaks)
    for block in reversed(blocks):
        made.append(*block)
        anew.append(*block)
    assert made.root == anew.root
    assert [made.prove(index) for index in range(made.size)] == [
        anew.prove(index) for index in range(anew.size)
    ]


@given(some_blocks, st.data())
def test_peaks_carry_the_history_on(blocks: Blocks, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(blocks)))
    whole = grown(blocks[:start])
    rest = MountainRange.from_peaks(start, whole.peaks)
    for index, block in enumerate(blocks[start:], start=start):
        whole.append(*block)
        rest.append(*block)
        assert (rest.root, rest.peaks, rest.total_work) == (whole.root, whole.peaks, whole.total_work)
        assert rest.prove(index) == whole.prove(index)
    assert [rest.prove(index) for index in range(start, rest.size)] == [
        whole.prove(index) for index in range(start, whole.size)
    ]
    cut = data.draw(st.integers(start, len(blocks)))
    twin = rest.copy()
    rest.truncate(cut)
    assert rest.root == grown(blocks[:cut]).root
    assert twin.root == whole.root


def some_nodes(count: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=64 * count, max_size=64 * count)


@given(
    st.tuples(st.integers(0, 8), st.integers(0, 9))
    | st.tuples(st.integers(0, 2**64 - 1), st.just(2**64 - 1)),
    st.integers(0, 5).flatmap(some_nodes) | st.binary(max_size=300),
)
def test_any_bytes_decode_or_are_refused(place: tuple[int, int], rest: bytes) -> None:
    data = place[0].to_bytes(8, "big") + place[1].to_bytes(8, "big") + rest
    try:
        proof = MountainRangeProof.from_bytes(data)
    except InvalidInput:
        return
    assert proof.to_bytes() == data
    with pytest.raises(InvalidInput):
        verify_history_proof(bytes(32), (bytes(32), 1), proof)


@given(st.integers(1, 2**63 - 1), st.data())
def test_paths_of_long_histories(size: int, data: st.DataObject) -> None:
    """The path of the newest block has one sibling for each other peak, however long the history is."""
    peaks = [(keccak256(bytes([place])), place) for place in range((size - 1).bit_count())]
    made = MountainRange.from_peaks(size - 1, peaks)
    block = (data.draw(st.binary(min_size=32, max_size=32)), data.draw(st.integers(0, 2**200)))
    made.append(*block)
    proof = made.prove(size - 1)
    assert len(proof.siblings) == len(peaks)
    verify_history_proof(made.root, block, proof)
