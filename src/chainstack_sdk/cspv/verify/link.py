"""From one key of a chain to the next: links, which a proof carries once a chain had to make a new key.

A link is RLP of seven strings, and has one encoding:

===========  ==========================================================================================
string       bytes
===========  ==========================================================================================
generation   up to 8: that of the new key, at least 2; the old one's is 1 less
round        up to 8: of the old holders
members      RLP of the old holders, ``[[address 20, weight up to 8, VRF key 32 or 0]…]`` by ascending
             address: 1 to 1,024 of them whose weights, each at least 1, add up to less than 2^64
attestation  48: the old key signs (``HOLDERS_DOMAIN``) ``"chainstack key holders" ‖ chain id 8 ‖ old
             generation 8 ‖ round 8 ‖ keccak(members)``
new key      96
voters       a bitmap without trailing zero bytes: bit i, the least significant of the first byte first, is
             member i
votes        65 for each voter, by ascending index: r 32 ‖ s 32 ‖ v 1, s in the lower half and v 0 or 1, over
             keccak(``0x19 ‖ "chainstack key link" ‖ 0x00 ‖ chain id 8 ‖ old generation 8 ‖ old key 96 ‖ new
             generation 8 ‖ new key 96``)
===========  ==========================================================================================

Voters must have more than 2/3 of the members' weight, and every vote must be right.

**Caveats.** A link says what the accounts of former members signed, and who has come to own more than 2/3
of them can make another one, even long after. An anchor that has the newest key needs no link, and takes
none.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from chainstack_sdk.primitives.bls import (
    HOLDERS_DOMAIN,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    decode_g2,
    verify,
)
from chainstack_sdk.primitives.errors import InvalidInput
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.keys import HALF_N, recover
from chainstack_sdk.primitives.rlp import RlpItem, decode_int, rlp_decode

_HOLDERS_TEXT = b"chainstack key holders"
_LINK_TEXT = b"\x19chainstack key link\x00"
_MAX_MEMBERS = 1_024
_VOTE_BYTES = 65
_HALF = HALF_N.to_bytes(32, "big")


class _Link(NamedTuple):
    generation: int
    round: int
    members: bytes
    attestation: bytes
    new_key: bytes
    voters: tuple[int, ...]
    votes: tuple[bytes, ...]


class _Member(NamedTuple):
    address: bytes
    weight: int


def follow_link(data: bytes, chain_id: int, old_key: bytes) -> bytes:
    """Return the key to which a link leads from another, 96 bytes each.

    Raises
    ------
    InvalidInput
        When it leads from this key to none.
    """
    link = _decode(data)
    members = _members(link.members)
    numbers = [number.to_bytes(8, "big") for number in (chain_id, link.generation - 1, link.generation)]
    holders = b"".join((_HOLDERS_TEXT, *numbers[:2], link.round.to_bytes(8, "big"), keccak256(link.members)))
    if not verify(old_key, holders, link.attestation, HOLDERS_DOMAIN):
        raise InvalidInput("the old key has not signed who its holders are", generation=link.generation - 1)
    digest = keccak256(b"".join((_LINK_TEXT, *numbers[:2], old_key, numbers[2], link.new_key)))
    _validate_votes(link, members, digest)
    decode_g2(link.new_key)
    return link.new_key


def _decode(data: bytes) -> _Link:
    match rlp_decode(data):
        case [
            bytes(generation),
            bytes(round),
            bytes(members),
            bytes(attestation),
            bytes(new_key),
            bytes(bitmap),
            bytes(votes),
        ]:
            if decode_int(generation, 8) < 2:
                raise InvalidInput("a link leads to generation 2 or later", actual=generation)
            if len(attestation) != SIGNATURE_BYTES or len(new_key) != PUBLIC_KEY_BYTES:
                raise InvalidInput("an attestation has 48 bytes, and a key 96")
            voters = _voters(bitmap)
            if len(votes) != _VOTE_BYTES * len(voters):
                raise InvalidInput("a link has one vote for each voter", actual=len(votes))
            parts = tuple(votes[at : at + _VOTE_BYTES] for at in range(0, len(votes), _VOTE_BYTES))
            numbers = decode_int(generation, 8), decode_int(round, 8)
            return _Link(*numbers, members, attestation, new_key, voters, parts)
    raise InvalidInput("a link is a list of seven strings")


def _voters(bitmap: bytes) -> tuple[int, ...]:
    if len(bitmap) > _MAX_MEMBERS // 8 or bitmap[-1:] == b"\0":
        raise InvalidInput("voters are named in a bitmap without trailing zeros", actual=bitmap)
    bits = int.from_bytes(bitmap, "little")
    return tuple(index for index in range(bits.bit_length()) if bits >> index & 1)


def _members(data: bytes) -> list[_Member]:
    items = rlp_decode(data)
    if not isinstance(items, list) or not 1 <= len(items) <= _MAX_MEMBERS:
        raise InvalidInput("a committee has from 1 to 1024 members")
    members = [_member(item) for item in items]
    if not all(one.address < next_one.address for one, next_one in pairwise(members)):
        raise InvalidInput("the members of a committee are in ascending order of address")
    if sum(member.weight for member in members) >= 1 << 64:
        raise InvalidInput("the weights of a committee add up to less than 2^64")
    return members


def _member(item: RlpItem) -> _Member:
    match item:
        case [bytes(address), bytes(weight), bytes(vrf_key)] if len(address) == 20 and weight:
            if len(vrf_key) in (0, 32):
                return _Member(address, decode_int(weight, 8))
    raise InvalidInput("not a member of a committee")


def _validate_votes(link: _Link, members: list[_Member], digest: bytes) -> None:
    if link.voters and link.voters[-1] >= len(members):
        raise InvalidInput("a link names a voter who is no member", actual=link.voters[-1])
    voters = [members[index] for index in link.voters]
    weight = sum(voter.weight for voter in voters)
    if 3 * weight <= 2 * sum(member.weight for member in members):
        raise InvalidInput("too few members voted for the new key", weight=weight)
    for voter, vote in zip(voters, link.votes, strict=True):
        if vote[32:64] > _HALF or recover(digest, vote) != voter.address:
            raise InvalidInput("a vote for the new key is not its member's", address=voter.address)
