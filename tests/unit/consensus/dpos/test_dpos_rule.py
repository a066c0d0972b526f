from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk.consensus.dpos import (
    DelegateBook,
    DelegateRule,
    DelegationParameters,
    genesis_delegates,
    seal_payload,
    with_delegation,
)
from chainstack_sdk.consensus.dpos import rule as rule_module
from chainstack_sdk.consensus.sealed import SealedHeader, encode_branch
from chainstack_sdk.core.blocks import Block, Header
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import N
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.forks import delegate_host

PEOPLE = sorted(accounts(4), key=lambda account: account.address)
OUTSIDER = accounts(5)[4]
PARAMETERS = DelegationParameters(blocks_per_epoch=4, seats=4, minimum_deposit=1, interval_ms=1_000)
GENESIS = with_delegation(
    Genesis(accounts={OUTSIDER.address: GenesisAccount(balance=10**20)}, engine="dpos"),
    [one.address for one in PEOPLE],
    PARAMETERS,
)
START = GENESIS.timestamp_ms // 1_000


def produced(count: int, present: tuple[int, ...] = (0, 1, 2, 3)) -> list[Block]:
    """Blocks by delegates that take their turns, all of them or some."""
    shelf: dict[bytes, Block] = {}
    hosts = {index: delegate_host(GENESIS, signer=PEOPLE[index], shelf=shelf) for index in present}
    turn, blocks = START + 1, []
    while len(blocks) < count:
        index = turn % 4
        if index in hosts:
            block = hosts[index].propose(timestamp_ms=turn * 1_000)
            blocks.append(block)
            for other in hosts.values():
                other.announce(block)
        turn += 1
    return blocks


BLOCKS = produced(16)
HEADERS = {block.hash: block.header for block in BLOCKS}
ROOT = delegate_host(GENESIS).chain.head
HEADERS[ROOT.hash] = ROOT
FIRST = genesis_delegates(GENESIS)


def rule(headers=HEADERS.get, book: DelegateBook | None = None) -> DelegateRule:
    return DelegateRule(PARAMETERS, FIRST, DelegateBook([FIRST]) if book is None else book, headers)


def sealed(header: Header, signer=None) -> bytes:
    signer = signer or next(one for one in PEOPLE if one.address == header.proposer)
    return signer.sign(keccak256(seal_payload(header)))


def branch(blocks: list[Block]) -> bytes:
    return encode_branch(SealedHeader(block.header, block.seal) for block in blocks)


def test_a_seal_is_a_signature_over_domain_chain_and_block() -> None:
    header = BLOCKS[0].header
    expected = b"\x19chainstack dpos\x00" + GENESIS.chain_id.to_bytes(8, "big") + header.hash
    assert seal_payload(header) == expected
    assert BLOCKS[0].seal == sealed(header)


def test_whole_chains_are_accepted() -> None:
    checked = rule()
    parent = ROOT
    for block in BLOCKS:
        checked.validate_header(block.header, block.seal, parent)
        assert checked.turn_of(block.header) % 4 == PEOPLE.index(
            next(one for one in PEOPLE if one.address == block.header.proposer)
        )
        parent = block.header
    assert checked.work(parent) == 1


def test_delegates_take_turns_by_the_clock() -> None:
    proposers = [block.header.proposer for block in BLOCKS[:4]]
    assert sorted(proposers) == [one.address for one in PEOPLE]
    gap = produced(3, present=(1, 2))
    assert {block.header.proposer for block in gap} == {PEOPLE[1].address, PEOPLE[2].address}
    assert [block.height for block in gap] == [1, 2, 3]


def moved(header: Header, **changed: object) -> Header:
    return replace(header, **changed)


GOOD = BLOCKS[0].header


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"slot": 1}, "wrong slot"),
        ({"timestamp_ms": GOOD.timestamp_ms + 1}, "beginning of a turn"),
        ({"timestamp_ms": GOOD.timestamp_ms + 1_000}, "delegate for this turn"),
        ({"proposer": OUTSIDER.address}, "delegate for this turn"),
        ({"seed": b"\1" * 32}, "wrong seed"),
        ({"seed_proof": b"\1"}, "wrong seed proof"),
        ({"work_commitment": b"\1"}, "wrong work commitment"),
        ({"parent_certificate_hash": b"\1" * 32}, "wrong parent certificate hash"),
    ],
)
def test_a_wrong_candidate_is_refused(changed: dict[str, object], told: str) -> None:
    header = moved(GOOD, **changed)
    with pytest.raises(InvalidInput, match=told):
        rule().validate_candidate(header, ROOT)
    with pytest.raises(InvalidInput, match=told):
        rule().validate_header(header, sealed(header, PEOPLE[0]), ROOT)


def test_only_the_proposers_own_signature_seals() -> None:
    right = BLOCKS[0].seal
    s = int.from_bytes(right[32:64], "big")
    malleated = right[:32] + (N - s).to_bytes(32, "big") + bytes([right[64] ^ 1])
    other = next(one for one in PEOPLE if one.address != GOOD.proposer)
    elsewhere = sealed(moved(GOOD, chain_id=1))
    wrongs = [b"", right[:64], right + b"\0", malleated, sealed(GOOD, other), elsewhere, bytes(65)]
    for seal in wrongs:
        with pytest.raises(InvalidInput, match="not the proposer's signature"):
            rule().validate_header(GOOD, seal, ROOT)


def test_later_delegates_are_those_that_headers_commit_to() -> None:
    assert rule().delegates_after(ROOT) == FIRST
    assert rule().delegates_after(BLOCKS[8].header) == FIRST
    with pytest.raises(InvalidInput, match="not known"):
        rule(book=DelegateBook()).delegates_after(BLOCKS[8].header)
    known = {block.hash: block.header for block in BLOCKS[6:]}
    assert rule(known.get).delegates_after(BLOCKS[8].header) == FIRST  # epoch 2 is named by block 7
    del known[BLOCKS[6].hash]
    with pytest.raises(InvalidInput, match="ancestor is unknown"):
        rule(known.get).delegates_after(BLOCKS[8].header)


def test_what_was_looked_up_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def headers(block_hash: bytes) -> Header | None:
        asked.append(block_hash)
        return HEADERS.get(block_hash)

    checked = rule(headers)
    checked.delegates_after(BLOCKS[10].header)
    first = len(asked)
    assert first
    checked.delegates_after(BLOCKS[10].header)
    assert len(asked) == first
    monkeypatch.setattr(rule_module, "_MAX_REMEMBERED", 1)
    checked.delegates_after(BLOCKS[14].header)
    checked.delegates_after(BLOCKS[10].header)
    assert len(asked) > first + 1


def test_a_block_is_final_when_two_thirds_have_built_on_it() -> None:
    checked = rule()
    checked.validate_finality(BLOCKS[0].header, branch(BLOCKS[1:4]))
    checked.validate_finality(BLOCKS[0].header, branch(BLOCKS[1:16]))
    with pytest.raises(InvalidInput, match="too few delegates"):
        checked.validate_finality(BLOCKS[0].header, branch(BLOCKS[1:3]))
    with pytest.raises(InvalidInput, match="too few delegates"):
        checked.validate_finality(BLOCKS[0].header, branch([]))


def test_two_of_four_make_nothing_final_however_long_they_go_on() -> None:
    blocks = produced(9, present=(0, 1))
    with pytest.raises(InvalidInput, match="too few delegates"):
        rule().validate_finality(blocks[0].header, branch(blocks[1:]))


def test_delegates_of_different_epochs_are_not_added_up() -> None:
    checked = rule()
    parent = BLOCKS[2].header  # one block of epoch 0 follows, then four of epoch 1
    with pytest.raises(InvalidInput, match="too few delegates"):
        checked.validate_finality(parent, branch(BLOCKS[3:6]))
    checked.validate_finality(parent, branch(BLOCKS[3:7]))


def test_finality_needs_only_headers_from_an_epoch_before() -> None:
    proof = branch(BLOCKS[9:12])
    known = {block.hash: block.header for block in BLOCKS[6:9]}
    rule(known.get).validate_finality(BLOCKS[8].header, proof)
    with pytest.raises(InvalidInput, match="ancestor is unknown"):
        rule({}.get).validate_finality(BLOCKS[8].header, proof)


def test_a_wrong_proof_of_finality_is_refused() -> None:
    blocks = BLOCKS[1:4]
    unsealed = [blocks[0], replace(blocks[1], seal=bytes(65)), blocks[2]]
    for wrong in (b"", b"\xc1\x80", branch(blocks)[:-1], branch(unsealed), branch(blocks[1:])):
        with pytest.raises(InvalidInput):
            rule().validate_finality(BLOCKS[0].header, wrong)
