from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.pow import WorkRule
from chainstack_sdk.consensus.retarget import FixedDifficulty, MovingWindow
from chainstack_sdk.consensus.sealed import SealedHeader, encode_branch
from chainstack_sdk.consensus.work import NONCES, DoubleSha256, KeccakWork, target_of, work_commitment
from chainstack_sdk.core.blocks import Header
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.primitives.errors import InvalidInput, UsageError

GENESIS = Genesis().header(bytes(32))
KNOWN = {GENESIS.hash: GENESIS}
RETARGET = MovingWindow(1_000, 4, 8)
RULE = WorkRule(RETARGET, KNOWN.get, confirmations=3)


def child(parent: Header, delay_ms: int = 1_000, **changed: object) -> Header:
    KNOWN[parent.hash] = parent
    difficulty = RETARGET.next_difficulty(parent, KNOWN.get)
    made = replace(
        parent,
        height=parent.height + 1,
        parent_hash=parent.hash,
        timestamp_ms=parent.timestamp_ms + delay_ms,
        seed=bytes(32),
        work_commitment=work_commitment(difficulty, bytes(32)),
        base_fee=parent.base_fee - parent.base_fee // 8,
    )
    return replace(made, **changed)


def worked(header: Header, work_hash=None) -> bytes:
    target = target_of(RULE.work(header))
    nonce = (work_hash or DoubleSha256()).search(header.hash, 0, NONCES, target, target).nonce
    return nonce.to_bytes(8, "big")


def branch(parent: Header, *delays: int) -> list[SealedHeader]:
    found = []
    for delay_ms in delays:
        parent = child(parent, delay_ms)
        found.append(SealedHeader(parent, worked(parent)))
    return found


FIRST = child(GENESIS)


def test_a_worked_header_is_accepted() -> None:
    RULE.validate_header(FIRST, worked(FIRST), GENESIS)
    second = child(FIRST, extra_data=b"by hand")
    RULE.validate_header(second, worked(second), FIRST)
    assert RULE.work(GENESIS) == 1
    assert RULE.work(FIRST) == 8
    assert RULE.work(child(FIRST, 1)) == 8
    assert RULE.work(child(child(FIRST, 1))) > 8


def test_work_is_done_with_the_hash_of_the_rule() -> None:
    rule = replace(RULE, work_hash=KeccakWork())
    rule.validate_header(FIRST, worked(FIRST, KeccakWork()), GENESIS)
    nonce = next(
        seal
        for seal in (number.to_bytes(8, "big") for number in range(1_000))
        if int.from_bytes(KeccakWork().digest(FIRST.hash, int.from_bytes(seal, "big")), "big") > target_of(8)
    )
    with pytest.raises(InvalidInput, match="does not do the work"):
        rule.validate_header(FIRST, nonce, GENESIS)


@pytest.mark.parametrize("seal", [b"", bytes(7), bytes(9), bytes(65)])
def test_a_seal_is_eight_bytes(seal: bytes) -> None:
    with pytest.raises(InvalidInput, match="eight bytes"):
        RULE.validate_header(FIRST, seal, GENESIS)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"work_commitment": work_commitment(7, bytes(32))}, "wrong difficulty"),
        ({"work_commitment": b""}, "64 bytes"),
        ({"work_commitment": bytes(64)}, "at least 1"),
        ({"slot": 1}, "wrong slot"),
        ({"seed": b"\1" * 32}, "wrong seed"),
        ({"seed_proof": b"\1"}, "wrong seed proof"),
        ({"next_committee_hash": b"\1" * 32}, "wrong next committee hash"),
        ({"parent_certificate_hash": b"\1" * 32}, "wrong parent certificate hash"),
    ],
)
def test_a_wrong_candidate_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        RULE.validate_candidate(replace(FIRST, **changed), GENESIS)
    with pytest.raises(InvalidInput, match=told):
        RULE.validate_header(replace(FIRST, **changed), bytes(8), GENESIS)


def test_ancestors_are_looked_up() -> None:
    third = branch(FIRST, 1_000, 1_000)[-1].header
    blind = RULE.with_headers({}.get)
    with pytest.raises(InvalidInput, match="ancestor is unknown"):
        blind.validate_candidate(child(third), third)
    blind.with_headers(KNOWN.get).validate_candidate(child(third), third)


def test_a_block_is_final_when_enough_follows() -> None:
    proof = branch(FIRST, 1_000, 1_000, 1_000, 1_000)
    RULE.validate_finality(FIRST, encode_branch(proof[:3]))
    RULE.validate_finality(FIRST, encode_branch(proof))
    with pytest.raises(InvalidInput, match="too few blocks") as caught:
        RULE.validate_finality(FIRST, encode_branch(proof[:2]))
    assert (caught.value.expected, caught.value.actual) == (3, 2)


def test_work_counts_and_not_blocks_alone() -> None:
    easier = branch(FIRST, 60_000, 60_000, 60_000)
    assert sum(RULE.work(one.header) for one in easier) < 24
    with pytest.raises(InvalidInput, match="too little work"):
        RULE.validate_finality(FIRST, encode_branch(easier))
    more = easier + branch(easier[-1].header, *[1_000] * 20)
    RULE.validate_finality(FIRST, encode_branch(more))


def test_finality_needs_only_the_headers_in_the_proof_and_below_the_block() -> None:
    proof = encode_branch(branch(FIRST, 1_000, 1_000, 1_000))
    known = {GENESIS.hash: GENESIS}
    RULE.with_headers(known.get).validate_finality(FIRST, proof)
    with pytest.raises(InvalidInput, match="ancestor is unknown"):
        RULE.with_headers({}.get).validate_finality(FIRST, proof)


def test_a_wrong_proof_of_finality_is_refused() -> None:
    proof = branch(FIRST, 1_000, 1_000, 1_000)
    unworked = [proof[0], replace(proof[1], seal=b""), proof[2]]
    wrongs = [b"", encode_branch(proof)[:-1], encode_branch(unworked), encode_branch(proof[::-1])]
    for wrong in wrongs:
        with pytest.raises(InvalidInput):
            RULE.validate_finality(FIRST, wrong)
    with pytest.raises(InvalidInput, match="wrong height"):
        RULE.validate_finality(GENESIS, encode_branch(branch(proof[0].header, *[1_000] * 3)))


def test_finality_takes_a_block_at_least() -> None:
    with pytest.raises(UsageError):
        WorkRule(FixedDifficulty(1), KNOWN.get, confirmations=0)
