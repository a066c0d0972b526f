"""When the last block of a slot may be built and voted on, and what a keyed node's record is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from chainstack_sdk import InvalidInput
from chainstack_sdk.consensus.chainkey.payload import NO_PAYLOAD
from chainstack_sdk.consensus.staking.slots import SlotSchedule
from chainstack_sdk.core.genesis import Genesis
from chainstack_sdk.network.application import TooEarly
from chainstack_sdk.network.keyed import BeaconGate, KeyedNode
from chainstack_sdk.primitives.rlp import rlp_encode

GENESIS = Genesis().header(bytes(32))
SIGNATURE = b"\x99" * 48


class Desk:
    """Knows the signature of slot 0 once it has been told."""

    signature_of_slot: bytes | None = None

    def payload(self, height):
        return NO_PAYLOAD

    def beacon(self, slot):
        assert slot == 0
        return self.signature_of_slot

    def signature(self, height):
        return None


def gate(*, held: bool = True, desk: Desk | None = None) -> BeaconGate:
    state = SimpleNamespace(holders=object() if held else None)
    return BeaconGate(SlotSchedule(4), lambda: state, desk or Desk(), patience=2)


def header(height: int, seed_proof: bytes = b""):
    return replace(GENESIS, height=height, seed_proof=seed_proof)


def test_blocks_within_a_slot_need_no_signature() -> None:
    waiting = gate()
    for height in (1, 2, 3, 5):
        assert waiting.may_build(height)
        waiting.judge(header(height))


def test_the_last_block_waits_for_the_slots_signature() -> None:
    desk = Desk()
    waiting = gate(desk=desk)
    assert not waiting.may_build(4)
    with pytest.raises(TooEarly):
        waiting.judge(header(4))
    waiting.judge(header(4, SIGNATURE))  # whether it is right is for the chain's rules to say
    desk.signature_of_slot = SIGNATURE
    assert waiting.may_build(4)
    with pytest.raises(TooEarly, match="lacks the slot's signature"):
        waiting.judge(header(4))


def test_a_block_without_the_signature_is_never_refused_for_good() -> None:
    """Some may be locked on it that knew no signature: were it refused here, nobody could ever decide."""
    desk = Desk()
    waiting = gate(desk=desk)
    desk.signature_of_slot = SIGNATURE
    for _ in range(2):
        with pytest.raises(TooEarly):
            waiting.judge(header(4))
        waiting.tick(4)
    waiting.judge(header(4))
    assert waiting.may_build(4)


def test_patience_ends() -> None:
    waiting = gate()
    waiting.tick(3)
    waiting.tick(3)
    assert not waiting.may_build(4), "time that passed at another height does not count"
    waiting.tick(4)
    assert not waiting.may_build(4)
    waiting.tick(4)
    assert waiting.may_build(4)
    waiting.judge(header(4))


def test_nothing_is_owed_without_a_key() -> None:
    waiting = gate(held=False)
    assert waiting.may_build(4)
    waiting.judge(header(4))


@pytest.mark.parametrize("record", [b"\xc1\x80", b"\x80", rlp_encode([b"", [b""]])])
def test_a_record_is_that_of_a_keyed_node(record: bytes) -> None:
    with pytest.raises(InvalidInput, match="keyed node's record"):
        KeyedNode(lambda _: None, None, final=None, record=record)
