"""Links as the verifier reads them, beside those that consensus makes and checks itself."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from chainstack_sdk import Account
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.bft.validators import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey.ceremony import holders_message
from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest, validate_link
from chainstack_sdk.cspv.verify.link import follow_link
from chainstack_sdk.primitives.bls import HOLDERS_DOMAIN, public_key, sign
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode

CHAIN_ID, OLD, NEW = 9, 11, 12


def make_link(count: int, voters: int) -> KeyLink:
    accounts = [Account.from_key(1 + place) for place in range(count)]
    accounts.sort(key=lambda account: account.address)
    members = ValidatorSet([Validator(one.address, 2, b"\1" * 32) for one in accounts])
    digest = link_digest(CHAIN_ID, 3, public_key(OLD), 4, public_key(NEW))
    attestation = sign(OLD, holders_message(CHAIN_ID, 3, 70, members.hash), HOLDERS_DOMAIN)
    votes = tuple((place, accounts[place].sign(digest)) for place in range(voters))
    return KeyLink(4, 70, members, attestation, public_key(NEW), votes)


@pytest.mark.parametrize(("count", "voters"), [(1, 1), (2, 2), (3, 3), (4, 3), (7, 5), (7, 7), (10, 7)])
def test_a_link_of_consensus_leads_to_the_new_key(count: int, voters: int) -> None:
    link = make_link(count, voters)
    assert validate_link(link, CHAIN_ID, public_key(OLD), Secp256k1Scheme()) == public_key(NEW)
    assert follow_link(link.encode(), CHAIN_ID, public_key(OLD)) == public_key(NEW)


@pytest.mark.parametrize(("count", "voters"), [(1, 0), (3, 2), (4, 2), (7, 4), (9, 6)])
def test_up_to_two_thirds_of_the_weight_are_too_little(count: int, voters: int) -> None:
    link = make_link(count, voters)
    with pytest.raises(InvalidInput, match="too few"):
        follow_link(link.encode(), CHAIN_ID, public_key(OLD))
    with pytest.raises(InvalidInput, match="too few"):
        validate_link(link, CHAIN_ID, public_key(OLD), Secp256k1Scheme())


def accepted_here(data: bytes) -> bytes | None:
    try:
        return follow_link(data, CHAIN_ID, public_key(OLD))
    except InvalidInput:
        return None


def accepted_there(data: bytes) -> bytes | None:
    try:
        return validate_link(KeyLink.decode(data), CHAIN_ID, public_key(OLD), Secp256k1Scheme())
    except InvalidInput:
        return None


def check_damaged(seed: int, rounds: int) -> None:
    chance = random.Random(seed)
    raw = make_link(4, 3).encode()
    parts = rlp_decode(raw)
    assert isinstance(parts, list)
    for _ in range(rounds):
        damaged = list(parts)
        place = chance.randrange(len(parts))
        content = bytearray(damaged[place])  # type: ignore[arg-type]
        match chance.randrange(4):
            case 0:
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            case 1:
                del content[chance.randrange(len(content))]
            case 2:
                content.insert(chance.randrange(len(content) + 1), chance.choice((0, 1, 255)))
            case 3:
                damaged[chance.randrange(len(parts))] = bytes(content)
        damaged[place] = bytes(content)
        data = rlp_encode(damaged)
        if data != raw:
            told = f"seed {seed}: {data.hex()}"
            assert accepted_here(data) is None, told
            assert accepted_there(data) is None, told


def test_damaged_links_are_refused_here_and_in_consensus() -> None:
    check_damaged(1, 120)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_damaged_links_are_refused_here_and_in_consensus_at_length(seed: int) -> None:
    check_damaged(seed, 2_000)


def test_what_is_no_committee_is_refused() -> None:
    """Signed by the key or not, none of these is one."""
    link = make_link(3, 3)
    parts = rlp_decode(link.encode())
    assert isinstance(parts, list)
    one = [bytes(20), b"\1", b""]
    for members in (
        b"",
        rlp_encode(b"text"),
        rlp_encode([]),
        rlp_encode([b"text"]),
        rlp_encode([one[:2]]),
        rlp_encode([[bytes(19), b"\1", b""]]),
        rlp_encode([[bytes(20), b"", b""]]),
        rlp_encode([[bytes(20), b"\1", bytes(31)]]),
        rlp_encode([[bytes(20), b"\1" * 9, b""]]),
        rlp_encode([one, one]),
        rlp_encode([[number.to_bytes(20, "big"), b"\1", b""] for number in range(1_025)]),
        rlp_encode([[bytes(20), b"\xff" * 8, b""], [b"\1" * 20, b"\1", b""]]),
    ):
        data = rlp_encode([*parts[:2], members, *parts[3:]])
        with pytest.raises(InvalidInput):
            follow_link(data, CHAIN_ID, public_key(OLD))
        assert accepted_there(data) is None


def test_a_link_to_a_key_that_is_none_is_refused() -> None:
    link = make_link(1, 1)
    account = Account.from_key(1)
    bad = b"\xc0" + bytes(95)
    vote = account.sign(link_digest(CHAIN_ID, 3, public_key(OLD), 4, bad))
    with pytest.raises(InvalidInput, match="identity"):
        follow_link(replace(link, new_key=bad, votes=((0, vote),)).encode(), CHAIN_ID, public_key(OLD))
