"""A packet's life on two chains: sent, received, acknowledged, refused, timed out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainstack_sdk import Chain, Reverted
from chainstack_sdk.core.call import Call
from chainstack_sdk.core.native import external, slot
from chainstack_sdk.cspv import Proof, StorageKey
from chainstack_sdk.cspv.verify.format import chain_key_finality
from chainstack_sdk.paradigms import Instance, Paradigm
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    Mailbox,
    SentMessage,
    hub_of,
    linked_chains,
    mailbox_pair,
    mailbox_registry,
    proof_of_message,
    proof_of_receipt,
    sent_messages,
)
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp, PacketContext, open_channel, peer_of, send_packet
from chainstack_sdk.xchain.channels import Endpoint, channel_id
from chainstack_sdk.xchain.hub import commitment_slot
from chainstack_sdk.xchain.packets import Acknowledgement, Packet

LATER = 10**15
"""Unix milliseconds that no test reaches."""


class Pair:
    """Two chains, a mailbox on each, and the channel between them."""

    def __init__(self, ordered: bool = False) -> None:
        self.a, self.b = linked_chains(1, 2)
        self.box_a, self.box_b, self.channel = mailbox_pair(self.a, self.b, ordered=ordered)
        self.hub_a, self.hub_b = hub_of(self.a), hub_of(self.b)

    def write(self, letter: bytes, height: int = 0, ms: int = LATER) -> SentMessage:
        """Send a letter from a to b."""
        self.box_a.send(GOVERNOR, "write", self.channel, letter, height, ms)
        return newest(self.a)

    def receive(self, sent: SentMessage) -> SentMessage:
        """Hand a packet of a to b and return the acknowledgement."""
        self.hub_b.send(GOVERNOR, "receivePacket", proof_of_message(self.a, sent))
        return newest(self.b)

    def acknowledge(self, sent: SentMessage, answer: SentMessage) -> None:
        """Hand an acknowledgement of b to a."""
        proof = proof_of_message(self.b, answer)
        self.hub_a.send(GOVERNOR, "acknowledge", sent.message.encode(), proof)


def newest(chain: Chain) -> SentMessage:
    return list(sent_messages(chain))[-1]


def packet_of(sent: SentMessage) -> Packet:
    assert isinstance(sent.message, Packet)
    return sent.message


def without_finality(proof: bytes) -> bytes:
    return replace(Proof.from_bytes(proof), finality=chain_key_finality(bytes(48))).to_bytes()


def test_a_letter_arrives_and_its_writer_hears_of_it() -> None:
    pair = Pair()
    sent = pair.write(b"hello", height=500)
    packet = Packet(*(1, 2, pair.channel, 1, pair.box_a.address, pair.box_b.address, b"hello", 500, LATER))
    assert sent.message == packet
    assert pair.hub_a.read("commitmentOf", pair.channel, 1) == packet.hash
    assert (pair.hub_a.read("inFlight", pair.channel), pair.hub_a.read("nextSequence", pair.channel)) == (
        1,
        2,
    )
    assert not any(pair.hub_b.read("receiptOf", pair.channel, 1))

    answer = pair.receive(sent)
    assert answer.message == Acknowledgement(2, 1, pair.channel, 1, packet.hash, True, b"hello")
    assert pair.hub_b.read("receiptOf", pair.channel, 1) == answer.message.hash
    assert pair.box_b.read("tally") == (1, 0, 0, 0)

    pair.acknowledge(sent, answer)
    assert pair.box_a.read("tally") == (0, 1, 0, 0)
    assert not any(pair.hub_a.read("commitmentOf", pair.channel, 1))
    assert pair.hub_a.read("inFlight", pair.channel) == 0
    (answered,) = pair.box_a.events("Answered")
    assert (answered.args["success"], answered.args["result"]) == (True, b"hello")


def test_the_hub_tells_what_happens_to_a_packet() -> None:
    pair = Pair()
    taken, refused = pair.write(b"one"), pair.write(b"!two")
    for sent in (taken, refused):
        pair.acknowledge(sent, pair.receive(sent))
    returned = pair.write(b"three", height=pair.b.height + 1)
    pair.b.seal()
    packet = packet_of(returned)
    pair.hub_a.send(GOVERNOR, "timeOut", packet.encode(), proof_of_receipt(pair.b, packet))
    told = [(event.args["sequence"], event.args["packetHash"]) for event in pair.hub_a.events("PacketSent")]
    assert told == [(n, sent.message.hash) for n, sent in enumerate((taken, refused, returned), 1)]
    received = pair.hub_b.events("PacketReceived", channel=pair.channel)
    assert [(event.args["sequence"], event.args["success"]) for event in received] == [(1, True), (2, False)]
    settled = pair.hub_a.events("PacketSettled", channel=pair.channel)
    assert [(event.args["sequence"], event.args["how"]) for event in settled] == [(1, 1), (2, 2), (3, 3)]
    assert pair.box_a.read("tally") == (0, 1, 1, 1)


def test_a_refused_packet_leaves_nothing_but_its_acknowledgement() -> None:
    pair = Pair()
    sent = pair.write(b"!bad")
    answer = pair.receive(sent)
    assert isinstance(answer.message, Acknowledgement)
    assert not answer.message.success
    assert answer.message.result == Mailbox.Unwelcome.encode()
    assert pair.box_b.read("tally") == (0, 0, 0, 0)
    assert pair.box_b.events("Received") == []
    pair.acknowledge(sent, answer)
    assert pair.box_a.read("tally") == (0, 0, 1, 0)


@pytest.mark.parametrize("by", ["height", "time"])
def test_what_is_not_received_in_time_comes_back(by: str) -> None:
    pair = Pair()
    now = pair.b.blockchain.head.timestamp_ms
    sent = pair.write(b"late", pair.b.height + 1, 0) if by == "height" else pair.write(b"late", 0, now + 1)
    pair.b.seal()
    packet = packet_of(sent)
    pair.hub_a.send(GOVERNOR, "timeOut", packet.encode(), proof_of_receipt(pair.b, packet))
    assert pair.box_a.read("tally") == (0, 0, 0, 1)
    assert pair.hub_a.read("inFlight", pair.channel) == 0


def test_packets_of_an_unordered_channel_come_in_any_order() -> None:
    pair = Pair()
    sent = [pair.write(b"letter %d" % number) for number in range(3)]
    answers = [pair.receive(one) for one in reversed(sent)]
    for one, answer in zip(sent, reversed(answers), strict=True):
        pair.acknowledge(one, answer)
    assert (pair.box_a.read("tally"), pair.box_b.read("tally")) == ((0, 3, 0, 0), (3, 0, 0, 0))


def test_both_directions_count_for_themselves() -> None:
    pair = Pair(ordered=True)
    first = pair.write(b"there")
    pair.box_b.send(GOVERNOR, "write", pair.channel, b"back", 0, LATER)
    back = newest(pair.b)
    assert (packet_of(first).sequence, packet_of(back).sequence) == (1, 1)
    pair.receive(first)
    pair.hub_a.send(GOVERNOR, "receivePacket", proof_of_message(pair.b, back))
    assert (pair.box_a.read("tally"), pair.box_b.read("tally")) == ((1, 0, 0, 0), (1, 0, 0, 0))


def test_a_time_out_closes_an_ordered_channel_and_the_rest_follows() -> None:
    pair = Pair(ordered=True)
    limit = pair.b.height + 2
    taken = pair.write(b"in time")
    sent = [pair.write(b"too late", limit) for _ in range(2)]
    answer = pair.receive(taken)
    pair.b.seal()
    for one in sent:
        packet = packet_of(one)
        pair.hub_a.send(GOVERNOR, "timeOut", packet.encode(), proof_of_receipt(pair.b, packet))
    pair.acknowledge(taken, answer)
    assert pair.box_a.read("tally") == (0, 1, 0, 2)
    assert len(pair.hub_a.events("ChannelClosed")) == 1
    assert pair.hub_a.read("channelOf", pair.channel)[3:5] == (True, True)
    pair.box_b.send(GOVERNOR, "write", pair.channel, b"still open", 0, LATER)
    pair.hub_a.send(GOVERNOR, "receivePacket", proof_of_message(pair.b, newest(pair.b)))


def test_a_block_is_verified_once() -> None:
    pair = Pair()
    pair.a.auto_seal = False
    for nonce in range(2):
        data = pair.box_a.encode("write", pair.channel, b"letter", 0, LATER)
        start = pair.a.blockchain.state.nonce(GOVERNOR.address)
        pair.a.send(pair.a.sign(GOVERNOR, pair.box_a.address, data=data, nonce=start + nonce, gas=200_000))
    pair.a.seal()
    sent = list(sent_messages(pair.a))
    assert [(one.height, one.index) for one in sent] == [(pair.a.height, 0), (pair.a.height, 1)]
    whole = [proof_of_message(pair.a, one) for one in sent]
    bare = [without_finality(proof) for proof in whole]
    with pytest.raises(Reverted, match="InvalidProof"):
        pair.hub_b.send(GOVERNOR, "receivePacket", bare[0])
    block_hash = pair.a.blockchain.head.hash
    assert not pair.hub_b.read("isVerified", 1, block_hash)
    first = pair.hub_b.send(GOVERNOR, "receivePacket", whole[0])
    assert pair.hub_b.read("isVerified", 1, block_hash)
    assert not pair.hub_b.read("isVerified", 3, block_hash)
    second = pair.hub_b.send(GOVERNOR, "receivePacket", bare[1])
    assert first.gas_used - second.gas_used > 114_275 + 20_000
    assert pair.box_b.read("tally") == (2, 0, 0, 0)


def test_the_state_of_a_later_block_proves_a_packet_and_its_receipt() -> None:
    pair = Pair()
    packet = packet_of(pair.write(b"hello"))
    pair.a.seal()
    held = pair.a.prove(StorageKey(HUB_ADDRESS, commitment_slot(pair.channel, 1))).to_bytes()
    pair.hub_b.send(GOVERNOR, "receiveCommitted", packet.encode(), held)
    answer = newest(pair.b)
    pair.b.seal()
    receipt = proof_of_receipt(pair.b, packet)
    pair.hub_a.send(GOVERNOR, "acknowledgeReceipt", packet.encode(), answer.message.encode(), receipt)
    assert (pair.box_a.read("tally"), pair.box_b.read("tally")) == ((0, 1, 0, 0), (1, 0, 0, 0))


def test_a_paused_chain_can_still_be_settled_with() -> None:
    pair = Pair()
    answered, late = pair.write(b"hello"), pair.write(b"late", pair.b.height + 2)
    answer = pair.receive(answered)
    pair.b.seal()
    pair.hub_a.send(GOVERNOR, "pauseChain", 2, True)
    assert pair.hub_a.read("isPaused", 2)
    pair.acknowledge(answered, answer)
    packet = packet_of(late)
    pair.hub_a.send(GOVERNOR, "timeOut", packet.encode(), proof_of_receipt(pair.b, packet))
    assert pair.box_a.read("tally") == (0, 1, 0, 1)
    pair.hub_a.send(GOVERNOR, "pauseChain", 2, False)
    pair.write(b"again")
    assert [event.args["paused"] for event in pair.hub_a.events("ChainPaused")] == [True, False]


def test_a_cap_bounds_what_is_in_flight_and_not_what_passes() -> None:
    pair = Pair()
    pair.hub_a.send(GOVERNOR, "setCap", pair.channel, 1)
    for number in range(2):
        sent = pair.write(b"letter %d" % number)
        with pytest.raises(Reverted, match="CapReached"):
            pair.write(b"one more")
        pair.acknowledge(sent, pair.receive(sent))
    assert pair.hub_a.read("channelOf", pair.channel)[5] == 1
    assert pair.hub_b.read("channelOf", pair.channel)[5] == 1_024


class Moody(CrossChainApp, Paradigm):
    """Refuses to hear of the end of its packets until it is told to be good; takes none."""

    name = "moody"

    @external("function begin(uint64 chain, address peer) returns (uint64)")
    def begin(self, call: Call, chain: int, peer: bytes) -> int:
        """Send a packet."""
        channel = open_channel(call, chain, peer)
        assert open_channel(call, chain, peer) == channel
        assert peer_of(call, channel) == Endpoint(chain, peer)
        return send_packet(call, channel, b"first", timeout_height=500)

    @external("function beGood()")
    def be_good(self, call: Call) -> None:
        """Listen from now on."""
        call.store(slot(0), 1)

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Refuse, or answer the answer."""
        call.require(call.load(slot(0)), "not now")
        assert (context.sequence, context.sender, payload) == (1, call.address, b"first")
        send_packet(call, context.channel, b"second", timeout_height=500)


class Quiet(CrossChainApp, Paradigm):
    """Leaves everything as it is by default."""

    name = "quiet"

    @external("function begin(uint64 chain, address peer, uint64 height)")
    def begin(self, call: Call, chain: int, peer: bytes, height: int) -> None:
        """Send a packet."""
        send_packet(call, open_channel(call, chain, peer), b"", timeout_height=height)


def apps(name: str) -> tuple[Chain, Chain, Instance, Instance]:
    registry = mailbox_registry()
    registry.add(Moody)
    registry.add(Quiet)
    registry.add(Hasty)
    a, b = linked_chains(1, 2, registry=registry)
    one, other = (chain.paradigm(name).issue(GOVERNOR) for chain in (a, b))
    return a, b, one, other


def test_an_app_that_refuses_its_acknowledgement_can_be_asked_again() -> None:
    a, b, one, other = apps("moody")
    one.send(GOVERNOR, "begin", 2, other.address)
    other.send(GOVERNOR, "begin", 1, one.address)
    sent = newest(a)
    hub_of(b).send(GOVERNOR, "receivePacket", proof_of_message(a, sent))
    answer = newest(b)
    assert isinstance(answer.message, Acknowledgement)
    assert answer.message.result == Moody.TakesNoPackets.encode()
    arguments = sent.message.encode(), proof_of_message(b, answer)
    with pytest.raises(Reverted, match="not now"):
        hub_of(a).send(GOVERNOR, "acknowledge", *arguments)
    channel = channel_id(Endpoint(1, one.address), Endpoint(2, other.address))
    assert hub_of(a).read("inFlight", channel) == 1
    one.send(GOVERNOR, "beGood")
    hub_of(a).send(GOVERNOR, "acknowledge", *arguments)
    assert packet_of(newest(a)).payload == b"second"
    assert hub_of(a).read("inFlight", channel) == 1  # the second one, which the callback has sent


def test_by_default_an_app_does_nothing_about_the_end_of_its_packets() -> None:
    a, b, one, other = apps("quiet")
    other.send(GOVERNOR, "begin", 1, one.address, 500)
    one.send(GOVERNOR, "begin", 2, other.address, 500)
    first = newest(a)
    hub_of(b).send(GOVERNOR, "receivePacket", proof_of_message(a, first))
    hub_of(a).send(GOVERNOR, "acknowledge", first.message.encode(), proof_of_message(b, newest(b)))
    one.send(GOVERNOR, "begin", 2, other.address, b.height)
    late = packet_of(newest(a))
    hub_of(a).send(GOVERNOR, "timeOut", late.encode(), proof_of_receipt(b, late))
    assert hub_of(a).read("inFlight", late.channel) == 0


class Hasty(CrossChainApp, Paradigm):
    """Adds to a time-out more than fits."""

    name = "hasty"

    @external("function begin(uint64 chain, address peer, uint64 height)")
    def begin(self, call: Call, chain: int, peer: bytes, height: int) -> None:
        """Send a packet that times out one block later."""
        send_packet(call, open_channel(call, chain, peer), b"", timeout_height=height + 1)


def test_a_time_out_that_does_not_fit_reverts() -> None:
    _, b, one, other = apps("hasty")
    other.send(GOVERNOR, "begin", 1, one.address, 2**64 - 2)
    with pytest.raises(Reverted, match=r"0x11|overflow"):
        other.send(GOVERNOR, "begin", 1, one.address, 2**64 - 1)
    assert len(list(sent_messages(b))) == 1


def test_the_newest_state_proves_by_default() -> None:
    pair = Pair()
    packet = packet_of(pair.write(b"hello"))
    with pytest.raises(UsageError):
        proof_of_receipt(pair.b, packet, height=pair.b.height + 1)
    early = Proof.from_bytes(proof_of_receipt(pair.b, packet, height=1))
    assert early.height == 1
