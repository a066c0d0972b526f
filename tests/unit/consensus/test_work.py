"""Proof of work against the hashes written out, and the bytes that headers commit to."""

from __future__ import annotations

import pickle
from hashlib import sha256

import pytest

from chainstack_sdk.consensus.work import (
    MAX_TARGET,
    DoubleSha256,
    Found,
    KeccakWork,
    WorkHash,
    is_worked,
    parse_work_commitment,
    target_of,
    work_commitment,
)
from chainstack_sdk.primitives.errors import InvalidInput, UsageError
from chainstack_sdk.primitives.keccak import keccak256

BLOCK = bytes(range(32))
HASHES = (DoubleSha256(), KeccakWork())
all_hashes = pytest.mark.parametrize("work_hash", HASHES, ids=lambda one: one.name)


def written_out(work_hash: WorkHash, nonce: int) -> int:
    data = BLOCK + nonce.to_bytes(8, "big")
    digest = keccak256(data) if isinstance(work_hash, KeccakWork) else sha256(sha256(data).digest()).digest()
    return int.from_bytes(digest, "big")


def naive(work_hash: WorkHash, start: int, count: int, target: int, share_target: int) -> Found:
    shares = []
    for nonce in range(start, start + count):
        value = written_out(work_hash, nonce)
        if value <= share_target:
            shares.append(nonce)
        if value <= target:
            return Found(nonce, nonce - start + 1, tuple(shares))
    return Found(None, count, tuple(shares))


@pytest.mark.parametrize(
    ("work_hash", "expected"),
    [
        (HASHES[0], "f19e13e5d12347f7278bee1dda6ef4b54e9fc4da6d43474fb872581dd38b9939"),
        (HASHES[1], "6cc57c0c4d0c09b1a8437a00f90d751ffcedb70a7efe1109df1664c44dc52123"),
    ],
)
def test_the_bytes_that_are_hashed(work_hash: WorkHash, expected: str) -> None:
    """What was once valid work stays so."""
    assert work_hash.digest(BLOCK, 2**64 - 2).hex() == expected
    assert int(expected, 16) == written_out(work_hash, 2**64 - 2)


@all_hashes
@pytest.mark.parametrize(
    ("start", "count"),
    [(0, 1), (0, 256), (1, 255), (255, 2), (256, 600), (2**32 - 300, 700), (2**64 - 99, 99)],
)
@pytest.mark.parametrize("difficulty", [1, 40, 250, MAX_TARGET])
def test_searching(work_hash: WorkHash, start: int, count: int, difficulty: int) -> None:
    target = target_of(difficulty)
    for share_target in (target, max(target, target_of(9))):
        found = work_hash.search(BLOCK, start, count, target, share_target)
        assert found == naive(work_hash, start, count, target, share_target)


@all_hashes
def test_an_empty_range(work_hash: WorkHash) -> None:
    assert work_hash.search(BLOCK, 5, 0, 0, MAX_TARGET) == Found(None, 0, ())


@all_hashes
def test_a_target_is_met_by_its_equal(work_hash: WorkHash) -> None:
    value = written_out(work_hash, 7)
    assert work_hash.search(BLOCK, 7, 1, value, value).nonce == 7
    assert work_hash.search(BLOCK, 7, 1, value - 1, value) == Found(None, 1, (7,))
    assert work_hash.search(BLOCK, 7, 1, value - 1, value - 1) == Found(None, 1, ())


@all_hashes
@pytest.mark.parametrize(
    ("start", "count", "target", "share_target"),
    [
        (-1, 1, 0, 0),
        (0, -1, 0, 0),
        (2**64 - 1, 2, 0, 0),
        (0, 1, -1, 0),
        (0, 1, 2, 1),
        (0, 1, 0, 2**256),
    ],
)
def test_impossible_searches(
    work_hash: WorkHash, start: int, count: int, target: int, share_target: int
) -> None:
    with pytest.raises(UsageError):
        work_hash.search(BLOCK, start, count, target, share_target)


@all_hashes
def test_a_hash_travels(work_hash: WorkHash) -> None:
    assert pickle.loads(pickle.dumps(work_hash)).digest(BLOCK, 1) == work_hash.digest(BLOCK, 1)


def test_targets() -> None:
    assert target_of(1) == MAX_TARGET == 2**256 - 1
    assert target_of(2) == 2**255 - 1
    assert target_of(MAX_TARGET) == 1
    for difficulty in (0, -1, 2**256):
        with pytest.raises(UsageError):
            target_of(difficulty)


@all_hashes
def test_whether_a_nonce_does_the_work(work_hash: WorkHash) -> None:
    found = work_hash.search(BLOCK, 0, 100_000, target_of(500), target_of(500))
    assert found.nonce is not None
    value = written_out(work_hash, found.nonce)
    assert is_worked(BLOCK, found.nonce, 500, work_hash)
    assert is_worked(BLOCK, found.nonce, MAX_TARGET // value, work_hash)
    assert not is_worked(BLOCK, found.nonce, MAX_TARGET // value + 1, work_hash)
    assert not is_worked(bytes(32), found.nonce, 500, work_hash)
    for nonce, difficulty in ((-1, 1), (2**64, 1), (0, 0), (0, -1), (0, 2**256)):
        assert not is_worked(BLOCK, nonce, difficulty, work_hash)


def test_one_in_difficulty_hashes_counts() -> None:
    """Over 40,000 hashes the count stays within four standard deviations of what is expected."""
    found = DoubleSha256().search(BLOCK, 0, 40_000, 0, target_of(100))
    assert 320 <= len(found.shares) <= 480


@pytest.mark.parametrize("difficulty", [1, 12_345, MAX_TARGET])
def test_a_commitment(difficulty: int) -> None:
    commitment = work_commitment(difficulty, BLOCK)
    assert len(commitment) == 64
    assert commitment == difficulty.to_bytes(32, "big") + BLOCK
    assert parse_work_commitment(commitment) == (difficulty, BLOCK)


@pytest.mark.parametrize(
    ("difficulty", "payouts_hash"), [(0, BLOCK), (2**256, BLOCK), (1, b""), (1, bytes(33))]
)
def test_impossible_commitments(difficulty: int, payouts_hash: bytes) -> None:
    with pytest.raises(UsageError):
        work_commitment(difficulty, payouts_hash)


@pytest.mark.parametrize("commitment", [b"", bytes(63), b"\x01" * 65, bytes(32) + BLOCK])
def test_malformed_commitments(commitment: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_work_commitment(commitment)
