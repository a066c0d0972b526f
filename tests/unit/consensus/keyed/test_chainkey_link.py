"""Links from key to key: one encoding, and all that must be true of one."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from chainstack_sdk import InvalidInput
from chainstack_sdk.consensus.bft.scheme import Secp256k1Scheme
from chainstack_sdk.consensus.chainkey.genesis import deal_locally
from chainstack_sdk.consensus.chainkey.link import KeyLink, link_digest, validate_link
from chainstack_sdk.consensus.chainkey.state import Holders
from chainstack_sdk.primitives.bls import HOLDERS_DOMAIN, public_key, sign
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.rlp import rlp_decode, rlp_encode
from chainstack_sdk.testing import accounts

CHAIN_ID = 77
NEW_KEY = public_key(12345)
SCHEME = Secp256k1Scheme()


@pytest.fixture
def make(world, choose):
    """Make holders of a key, and a link by some of them."""

    def made(*numbers, weights=(), voters=None):
        members = choose(*numbers, weights=weights)
        polynomial, dealt = deal_locally(members, b"\x09" * 32)
        people = world().people
        people.trust(polynomial, dealt)
        holders = Holders(4, 9, members, polynomial)
        holders = replace(holders, attestation=people.attest(holders, CHAIN_ID))
        return holders, people.link(holders, NEW_KEY, CHAIN_ID, voters)

    return made


def test_what_is_voted_on_is_spelled_out() -> None:
    numbers = [(77).to_bytes(8, "big"), (4).to_bytes(8, "big"), (5).to_bytes(8, "big")]
    text = b"\x19chainstack key link\x00" + numbers[0] + numbers[1] + b"O" * 96 + numbers[2] + NEW_KEY
    assert link_digest(77, 4, b"O" * 96, 5, NEW_KEY) == keccak256(text)


def test_a_link_leads_from_key_to_key(make) -> None:
    holders, link = make(0, 1, 2, 3, voters=3)
    assert (link.generation, link.round, link.new_key) == (5, 9, NEW_KEY)
    assert [index for index, _ in link.votes] == [0, 1, 2]
    assert KeyLink.decode(link.encode()) == link
    assert validate_link(link, CHAIN_ID, holders.key, SCHEME) == NEW_KEY


def test_votes_of_strangers_are_left_out(make) -> None:
    holders, link = make(0, 1, 2, 3)
    votes = {member.address: vote for member, (_, vote) in zip(holders.members, link.votes, strict=True)}
    votes[b"\x01" * 20] = b"\x01" * 65
    assert KeyLink.of(holders, NEW_KEY, votes) == link


def test_votes_count_by_weight(make) -> None:
    holders, _ = make(0, 1, 2, 3, weights=(1, 1, 1, 7))
    heavy = next(index for index, member in enumerate(holders.members) if member.weight == 7)
    _, link = make(0, 1, 2, 3, weights=(1, 1, 1, 7))
    alone = replace(link, votes=(link.votes[heavy],))
    light = replace(link, votes=tuple(vote for vote in link.votes if vote[0] != heavy))
    assert validate_link(alone, CHAIN_ID, holders.key, SCHEME) == NEW_KEY
    with pytest.raises(InvalidInput, match="too few"):
        validate_link(light, CHAIN_ID, holders.key, SCHEME)


def test_everything_in_a_link_must_be_true(make) -> None:
    holders, link = make(0, 1, 2, 3)
    _, elsewhere = make(0, 1, 2, 4)
    first = link.votes[0][1]
    swapped = ((0, link.votes[1][1]), (1, first), *link.votes[2:])
    wrong = [
        (replace(link, generation=6), "has not signed"),
        (replace(link, round=8), "has not signed"),
        (replace(link, members=elsewhere.members), "has not signed"),
        (replace(link, attestation=elsewhere.attestation), "has not signed"),
        (replace(link, new_key=public_key(12346)), "not its member's"),
        (replace(link, votes=link.votes[:2]), "too few"),
        (replace(link, votes=()), "too few"),
        (replace(link, votes=swapped), "not its member's"),
        (replace(link, votes=((0, bytes(65)), *link.votes[1:])), "not its member's"),
    ]
    for changed, match in wrong:
        with pytest.raises(InvalidInput, match=match):
            validate_link(changed, CHAIN_ID, holders.key, SCHEME)
    with pytest.raises(InvalidInput, match="has not signed"):
        validate_link(link, CHAIN_ID + 1, holders.key, SCHEME)
    with pytest.raises(InvalidInput, match="has not signed"):
        validate_link(link, CHAIN_ID, NEW_KEY, SCHEME)


def test_members_cannot_choose_what_is_no_key(make) -> None:
    holders, _ = make(0, 1, 2, 3)
    by_address = {each.address: each for each in accounts(8)}
    identity = b"\xc0" + bytes(95)
    digest = link_digest(CHAIN_ID, 4, holders.key, 5, identity)
    votes = {member.address: by_address[member.address].sign(digest) for member in holders.members}
    with pytest.raises(InvalidInput, match="identity"):
        validate_link(KeyLink.of(holders, identity, votes), CHAIN_ID, holders.key, SCHEME)


def test_the_votes_of_a_chain_are_nothing_on_another(make, choose) -> None:
    holders, link = make(0, 1, 2, 3)
    assert validate_link(link, CHAIN_ID, holders.key, SCHEME)
    polynomial, dealt = deal_locally(choose(0), b"\x09" * 32)
    alone = Holders(4, 9, choose(0), polynomial)
    attested = sign(dealt[0][1], alone.message(CHAIN_ID + 1), HOLDERS_DOMAIN)
    foreign = KeyLink.of(replace(alone, attestation=attested), NEW_KEY, {})
    with pytest.raises(InvalidInput, match="has not signed"):
        validate_link(foreign, CHAIN_ID, polynomial.key, SCHEME)


def test_numbers_and_lengths_have_bounds(make) -> None:
    _, link = make(0, 1, 2, 3)
    (_, one), (_, two), *_ = link.votes
    for change in (
        {"generation": 1},
        {"generation": 1 << 64},
        {"round": 1 << 64},
        {"round": -1},
        {"attestation": b""},
        {"attestation": bytes(47)},
        {"new_key": bytes(95)},
        {"votes": ((1, one), (0, two))},
        {"votes": ((1, one), (1, two))},
        {"votes": ((4, one),)},
        {"votes": ((0, one[:-1]),)},
    ):
        with pytest.raises(InvalidInput):
            replace(link, **change)


def test_a_link_has_one_encoding(make) -> None:
    _, link = make(0, 1, 2, 3, voters=3)
    items = rlp_decode(link.encode())
    for at, other in (
        (0, b"\x00\x05"),
        (1, b"\x00\x09"),
        (2, b"\xc0"),
        (5, b"\x07\x00"),
        (5, b"\x07" + bytes(127) + b"\x01"),
        (5, b"\x17"),
        (5, b""),
        (6, items[6][:-1]),
        (6, []),
    ):
        changed = [*items[:at], other, *items[at + 1 :]]
        with pytest.raises(InvalidInput):
            KeyLink.decode(rlp_encode(changed))
    for data in (b"", b"\x05", rlp_encode(items[:6]), rlp_encode([*items, b""])):
        with pytest.raises(InvalidInput):
            KeyLink.decode(data)


def test_no_changed_byte_passes(make) -> None:
    holders, link = make(0, 1, 2, 3, voters=3)
    encoded, random = link.encode(), Random(4)
    for at in random.sample(range(len(encoded)), 150):
        data = bytearray(encoded)
        data[at] ^= random.randint(1, 255)
        with pytest.raises(InvalidInput):
            validate_link(KeyLink.decode(bytes(data)), CHAIN_ID, holders.key, SCHEME)
