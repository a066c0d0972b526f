"""Seeds out of a chain key's signatures, and how kinds of consensus come to a key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import InvalidInput, UsageError
from chainstack_sdk.consensus.beacon import first_seed
from chainstack_sdk.consensus.bft import Validator, ValidatorSet
from chainstack_sdk.consensus.chainkey import ChainKeyBeacon, beacon_message
from chainstack_sdk.consensus.kinds.committee import CommitteeParameters, PosChain
from chainstack_sdk.consensus.kinds.delegates import DposChain, DposParameters, least_keyed_epoch
from chainstack_sdk.consensus.kinds.keys import key_beacon
from chainstack_sdk.consensus.kinds.members import PbftChain
from chainstack_sdk.consensus.staking import GenesisValidator, SlotSchedule
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.network.hosting import local_members
from chainstack_sdk.primitives.bls import BEACON_DOMAIN, FINALITY_DOMAIN, public_key, sign
from chainstack_sdk.primitives.keccak import keccak256

SECRET, CHAIN_ID = 12345, 7
COMMITTEE = ValidatorSet([Validator(b"\x01" * 20, 1)])
GENESIS = Genesis(CHAIN_ID).header(bytes(32))
MEMBERS = local_members(4)


def signature(slot: int, *, chain_id: int = CHAIN_ID, domain: bytes = BEACON_DOMAIN) -> bytes:
    return sign(SECRET, beacon_message(chain_id, slot), domain)


def beacon(key: bytes | None = public_key(SECRET), known=signature) -> ChainKeyBeacon:
    return ChainKeyBeacon(CHAIN_ID, SlotSchedule(4), key=lambda: key, signature=known)


def parent(height: int):
    return replace(GENESIS, height=height, seed=keccak256(b"%d" % height) if height else GENESIS.seed)


def test_the_seed_changes_with_a_slots_last_block() -> None:
    made = beacon()
    assert not made.in_seals
    assert made.seed_after(parent(0), b"", COMMITTEE) == first_seed(GENESIS.seed)
    for height in (1, 2, 4, 5, 6):
        assert made.proof_after(parent(height)) == b""
        assert made.seed_after(parent(height), b"", COMMITTEE) == parent(height).seed
    proof = made.proof_after(parent(3))
    assert proof == signature(0)
    assert made.seed_after(parent(3), proof, COMMITTEE) == keccak256(b"chainstack slot seed" + proof)
    assert made.proof_after(parent(7)) == signature(1)


def test_without_a_signature_the_chain_goes_on() -> None:
    expected = keccak256(b"chainstack slot seed" + (0).to_bytes(8, "big") + parent(3).seed)
    for made in (beacon(), beacon(None), beacon(known=lambda slot: None)):
        assert made.seed_after(parent(3), b"", COMMITTEE) == expected
    assert (
        beacon(None).proof_after(parent(3)) == beacon(known=lambda slot: None).proof_after(parent(3)) == b""
    )


@pytest.mark.parametrize(
    "proof",
    [
        signature(1),
        signature(0, chain_id=8),
        signature(0, domain=FINALITY_DOMAIN),
        signature(0)[:-1],
        bytes(48),
        b"\xc0" + bytes(47),
    ],
)
def test_any_other_signature_is_refused(proof: bytes) -> None:
    with pytest.raises(InvalidInput, match="signature over the slot"):
        beacon().seed_after(parent(3), proof, COMMITTEE)


def test_a_signature_stands_in_one_place_only() -> None:
    for height in (0, 1, 4):
        with pytest.raises(InvalidInput, match=r"last block|nobody proves"):
            beacon().seed_after(parent(height), signature(0), COMMITTEE)
    with pytest.raises(InvalidInput, match="signature over the slot"):
        beacon(None).seed_after(parent(3), signature(0), COMMITTEE)


def test_who_only_checks_knows_no_signature() -> None:
    checking = key_beacon(CHAIN_ID, SlotSchedule(4), lambda: public_key(SECRET), None)
    assert checking.proof_after(parent(3)) == b""
    blind = key_beacon(CHAIN_ID, SlotSchedule(4), None, None)
    with pytest.raises(InvalidInput):
        blind.seed_after(parent(3), signature(0), COMMITTEE)


def test_seals_hold_no_proofs_then() -> None:
    parameters = CommitteeParameters(blocks_per_slot=4, committee_size=4)
    validators = [GenesisValidator(one.address, one.vrf.public, 10**20) for one in MEMBERS]
    kind = PosChain(validators, parameters=parameters, chain_key=True)
    genesis = kind.prepare(Genesis(CHAIN_ID))
    terms = kind.terms(genesis, lambda _: None)
    member = ValidatorSet([Validator(MEMBERS[0].address, 1, MEMBERS[0].vrf.public)])
    assert terms.is_seed_proof(parent(1), member, MEMBERS[0].address, b"")
    assert not terms.is_seed_proof(parent(1), member, MEMBERS[0].address, bytes(80))


def test_a_key_needs_room_for_its_hand_overs() -> None:
    addresses = [one.address for one in MEMBERS]
    validators = [GenesisValidator(one.address, one.vrf.public, 10**20) for one in MEMBERS]
    epoch = least_keyed_epoch(4) - 1
    for kind in (
        PbftChain(addresses, blocks_per_slot=3, chain_key=True),
        PosChain(validators, parameters=CommitteeParameters(blocks_per_slot=3), chain_key=True),
        DposChain(addresses, parameters=DposParameters(blocks_per_epoch=epoch, seats=4), chain_key=True),
    ):
        with pytest.raises(UsageError, match="too short for a chain key"):
            kind.prepare(Genesis(CHAIN_ID))
    assert [least_keyed_epoch(seats) for seats in (1, 4, 21)] == [8, 16, 64]
