from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.testing.sim.application import (
    Tally,
    TallyBlock,
    TallyDisk,
    adds_up,
    false_block,
    other_block,
)

SEAL = b"seal"


def check_seal(height: int, block_hash: bytes, seal: bytes) -> None:
    if seal != SEAL:
        raise InvalidInput("wrong seal")


def tally(disk: TallyDisk | None = None, label: str = "a") -> Tally:
    return Tally(disk or TallyDisk(), b"p" * 20, label, check_seal)


def grown(blocks: int) -> Tally:
    chain = tally()
    for height in range(1, blocks + 1):
        chain.commit(chain.build(height), SEAL)
    return chain


def test_blocks_follow_each_other() -> None:
    chain = grown(3)
    assert chain.height == 3
    bodies = [TallyBlock.decode(body) for body, _ in chain.disk.blocks]
    assert [block.height for block in bodies] == [1, 2, 3]
    assert bodies[2].total == sum(block.amount for block in bodies)
    assert chain.head_hash == keccak256(bodies[2].encode())
    assert bodies[2].parent_hash == keccak256(bodies[1].encode())


def test_a_block_has_one_encoding() -> None:
    body = grown(2).disk.blocks[1][0]
    assert len(body) == 84
    assert TallyBlock.decode(body).encode() == body
    for wrong in (body[:-1], body + b"\0", b""):
        with pytest.raises(InvalidInput, match="84 bytes"):
            TallyBlock.decode(wrong)


def test_a_chain_goes_on_from_its_disk() -> None:
    chain = grown(2)
    again = tally(chain.disk)
    assert (again.height, again.head_hash) == (2, chain.head_hash)
    assert again.build(3) == chain.build(3)
    assert tally(chain.disk, "b").build(3).block_hash != chain.build(3).block_hash


def test_blocks_of_others_are_checked() -> None:
    chain, other = grown(1), grown(1)
    candidate = chain.build(2)
    other.check(other.inspect(candidate.body))
    with pytest.raises(InvalidInput, match="next"):
        tally().check(candidate)
    with pytest.raises(InvalidInput, match="sum"):
        other.check(other.inspect(false_block(candidate.body)))
    block = TallyBlock.decode(candidate.body)
    with pytest.raises(InvalidInput, match="sum"):
        other.check(replace(block, amount=0, total=block.total - block.amount).candidate())
    other.check(other.inspect(other_block(candidate.body)))
    assert other.extra(candidate) == b""
    other.accuse(b"")


def test_sealed_blocks_are_handed_on() -> None:
    chain, other = grown(2), tally()
    assert chain.sealed(0) is chain.sealed(3) is None
    for height in (1, 2):
        sealed = chain.sealed(height)
        assert sealed is not None
        assert other.append(sealed) == other.inspect(sealed)
    assert other.head_hash == chain.head_hash
    assert other.disk == chain.disk


def test_a_wrong_seal_is_refused() -> None:
    chain, other = grown(1), tally()
    with pytest.raises(InvalidInput, match="seal"):
        other.append((chain.sealed(1) or b"")[:-1])
    assert other.height == 0


def test_the_independent_check() -> None:
    chain = grown(3)
    hashes = [keccak256(body) for body, _ in chain.disk.blocks]
    assert [adds_up(chain.disk, height, hashes[height - 1]) for height in (1, 2, 3)] == [True] * 3
    assert not adds_up(chain.disk, 3, hashes[0])
    assert not adds_up(chain.disk, 4, hashes[2])
    assert not adds_up(chain.disk, 0, bytes(32))
    false = false_block(chain.disk.blocks[2][0])
    wrong = TallyDisk([*chain.disk.blocks[:2], (false, SEAL)])
    assert not adds_up(wrong, 3, keccak256(false))
    assert adds_up(wrong, 2, hashes[1])
