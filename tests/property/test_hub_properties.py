"""Whatever bytes a hub is given, it takes them or refuses with one of its own errors."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chainstack_sdk import Chain, Reverted
from chainstack_sdk.core.messages import HUB_ADDRESS
from chainstack_sdk.cspv import StorageKey
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    linked_chains,
    mailbox_pair,
    proof_of_message,
    proof_of_receipt,
    sent_messages,
)
from chainstack_sdk.xchain.hub import Hub, commitment_slot
from chainstack_sdk.xchain.packets import Packet

FUNCTIONS = ("receivePacket", "receiveCommitted", "acknowledge", "acknowledgeReceipt", "timeOut")
OWN_ERRORS = {error.selector for error in Hub.abi_errors}


@lru_cache(maxsize=1)
def world() -> tuple[Chain, dict[str, tuple[bytes, ...]]]:
    """Chain 1 with a packet to chain 2 and one from there, and arguments that its hub takes."""
    a, b = linked_chains(1, 2)
    box_a, box_b, channel = mailbox_pair(a, b)
    for box, letter in ((box_a, b"answered"), (box_b, b"from there")):
        box.send(GOVERNOR, "write", channel, letter, 0, 10**15)
    box_a.send(GOVERNOR, "write", channel, b"late", 1, 0)
    own, late = (sent.message for sent in sent_messages(a))
    (theirs,) = sent_messages(b)
    assert isinstance(late, Packet)
    data = Hub.abi_function("receivePacket").encode_call(proof_of_message(a, next(sent_messages(a))))
    b.send_call(GOVERNOR, HUB_ADDRESS, data)
    answer = list(sent_messages(b))[-1]
    assert isinstance(own, Packet)
    committed = b.prove(StorageKey(HUB_ADDRESS, commitment_slot(channel, 1))).to_bytes()
    receipt = proof_of_receipt(b, own)
    return a, {
        "receivePacket": (proof_of_message(b, theirs),),
        "receiveCommitted": (theirs.message.encode(), committed),
        "acknowledge": (own.encode(), proof_of_message(b, answer)),
        "acknowledgeReceipt": (own.encode(), answer.message.encode(), receipt),
        "timeOut": (late.encode(), proof_of_receipt(b, late)),
    }


def answer_to(chain: Chain, function: str, *arguments: Any) -> bytes:
    """Return the selector of the refusal, nothing when it is taken; nothing else may be raised."""
    data = Hub.abi_function(function).encode_call(*arguments)
    try:
        chain.call(HUB_ADDRESS, data, sender=GOVERNOR.address)
    except Reverted as refusal:
        return refusal.data[:4]
    return b""


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes with a few of them changed, cut out, or put in."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(changed)))
        size = draw(st.integers(0, 2))
        changed[at : at + size] = draw(st.binary(max_size=2))
    return bytes(changed)


def test_the_hub_takes_what_is_whole() -> None:
    chain, known = world()
    assert {name: answer_to(chain, name, *arguments) for name, arguments in known.items()} == dict.fromkeys(
        known, b""
    )


@given(st.data())
def test_damaged_arguments_are_refused_by_name(data: st.DataObject) -> None:
    chain, known = world()
    function = data.draw(st.sampled_from(FUNCTIONS))
    arguments = list(known[function])
    place = data.draw(st.integers(0, len(arguments) - 1))
    arguments[place] = data.draw(damaged(arguments[place]))
    if tuple(arguments) != known[function]:
        assert answer_to(chain, function, *arguments) in OWN_ERRORS


@given(st.sampled_from(FUNCTIONS), st.lists(st.binary(max_size=300), min_size=3, max_size=3))
def test_arbitrary_arguments_are_refused_by_name(function: str, garbage: list[bytes]) -> None:
    chain, known = world()
    assert answer_to(chain, function, *garbage[: len(known[function])]) in OWN_ERRORS


@given(st.integers(0, 3), st.binary(max_size=300))
def test_arbitrary_anchors_and_updates_are_refused_by_name(chain_id: int, garbage: bytes) -> None:
    chain, _ = world()
    for function in ("registerChain", "updateAnchor"):
        assert answer_to(chain, function, chain_id, garbage) in OWN_ERRORS
