"""What the hub refuses, each with its own error, and that a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chainstack_sdk import Chain, Reverted
from chainstack_sdk.core.call import Call
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.native import error, external, system_code
from chainstack_sdk.cspv import Proof, StorageKey
from chainstack_sdk.cspv.verify.format import chain_key_finality
from chainstack_sdk.cspv.verify.paths import ItemPath
from chainstack_sdk.paradigms import Instance, Paradigm
from chainstack_sdk.testing import accounts
from chainstack_sdk.testing.contracts import ScriptedContract
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    Mailbox,
    SentMessage,
    chain_with_hub,
    hub_of,
    link,
    linked_chains,
    mailbox_pair,
    mailbox_registry,
    proof_of_message,
    proof_of_receipt,
    sent_messages,
)
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp, PacketContext, open_channel
from chainstack_sdk.xchain.channels import Endpoint, channel_id
from chainstack_sdk.xchain.hub import Hub, commitment_slot
from chainstack_sdk.xchain.packets import MAX_PAYLOAD, MAX_RESULT, Acknowledgement, Packet

LATER = 10**15
STRANGER = accounts(1)[0]
GAS = 8_000_000


class World:
    """Chains 1 and 2 with mailboxes, a letter that 1 has just sent, and chain 3 that both know."""

    def __init__(self, ordered: bool = False) -> None:
        self.a, self.b, self.c = linked_chains(1, 2, 3, funds={STRANGER: 10**18})
        self.box_a, self.box_b, self.channel = mailbox_pair(self.a, self.b, ordered=ordered)
        self.hub_a, self.hub_b, self.hub_c = hub_of(self.a), hub_of(self.b), hub_of(self.c)
        self.sent = self.write(b"hello")

    @property
    def packet(self) -> Packet:
        """The letter as a packet."""
        assert isinstance(self.sent.message, Packet)
        return self.sent.message

    @property
    def proof(self) -> bytes:
        """That chain 1 sent it."""
        return proof_of_message(self.a, self.sent)

    def write(self, letter: bytes, height: int = 0, ms: int = LATER) -> SentMessage:
        """Send another letter."""
        self.box_a.send(GOVERNOR, "write", self.channel, letter, height, ms)
        return newest(self.a)

    def receive(self) -> bytes:
        """Deliver the letter and return the proof of its acknowledgement."""
        self.hub_b.send(GOVERNOR, "receivePacket", self.proof)
        return proof_of_message(self.b, newest(self.b))


def newest(chain: Chain) -> SentMessage:
    return list(sent_messages(chain))[-1]


def storage_of(instance: Instance) -> list[bytes]:
    """What the hub, the contract and the peer hold: roots of their storage."""
    chain = instance.host
    assert isinstance(chain, Chain)
    return [chain.prove_account(address).storage_root for address in (HUB_ADDRESS, instance.address)]


def refused(instance: Instance, function: str, *args: Any, sender: Any = GOVERNOR) -> str:
    """Send what must be refused, in a block, and return the name of the error; nothing may change."""
    before = storage_of(instance)
    with pytest.raises(Reverted) as caught:
        instance.send(sender, function, *args, gas=GAS)
    receipt = caught.value.receipt
    assert receipt is not None, "it was refused by the chain, in a block"
    assert not receipt.logs
    assert storage_of(instance) == before
    return caught.value.message.partition("(")[0]


def test_a_packet_is_received_once() -> None:
    world = World()
    world.receive()
    assert refused(world.hub_b, "receivePacket", world.proof) == "AlreadyReceived"
    held = world.a.prove(StorageKey(HUB_ADDRESS, commitment_slot(world.channel, 1))).to_bytes()
    assert refused(world.hub_b, "receiveCommitted", world.packet.encode(), held) == "AlreadyReceived"
    assert world.box_b.read("tally") == (1, 0, 0, 0)


def altered_letter(proof: Proof, packet: Packet) -> Proof:
    assert isinstance(proof.body, ItemPath)
    forged = replace(packet, payload=b"jello").encode()
    return replace(proof, body=replace(proof.body, item=forged))


FORGERIES: dict[str, Callable[[Proof, Packet], Proof]] = {
    "another payload": altered_letter,
    "another height": lambda proof, _: replace(proof, height=proof.height + 1),
    "another time": lambda proof, _: replace(proof, timestamp_ms=proof.timestamp_ms + 1),
    "another state": lambda proof, _: replace(proof, hashes=(bytes(32), *proof.hashes[1:])),
    "no signature": lambda proof, _: replace(proof, finality=chain_key_finality(bytes(48))),
    "another link": lambda proof, _: replace(
        proof, finality=chain_key_finality(proof.finality[:48], [b"\xc0"])
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=list(FORGERIES))
def test_a_forged_proof_is_refused(forgery: Callable[[Proof, Packet], Proof]) -> None:
    world = World()
    forged = forgery(Proof.from_bytes(world.proof), world.packet)
    assert refused(world.hub_b, "receivePacket", forged.to_bytes()) == "InvalidProof"


def test_a_proof_of_something_else_is_refused() -> None:
    world = World()
    receipt = world.a.blockchain.ledger.receipts(world.a.height)[0]
    others = world.a.prove(receipt), world.a.prove(StorageKey(HUB_ADDRESS, 0))
    for other in others:
        assert refused(world.hub_b, "receivePacket", other.to_bytes()) == "InvalidProof"
    assert refused(world.hub_b, "receivePacket", b"nothing") == "InvalidProof"
    packet = world.packet.encode()
    for other in others:
        assert refused(world.hub_b, "receiveCommitted", packet, other.to_bytes()) == "InvalidProof"
    second = world.a.prove(StorageKey(HUB_ADDRESS, commitment_slot(world.channel, 2))).to_bytes()
    assert refused(world.hub_b, "receiveCommitted", packet, second) == "InvalidProof"
    held = world.a.prove(StorageKey(HUB_ADDRESS, commitment_slot(world.channel, 1))).to_bytes()
    changed = replace(world.packet, payload=b"jello").encode()
    assert refused(world.hub_b, "receiveCommitted", changed, held) == "InvalidProof"
    assert refused(world.hub_b, "receiveCommitted", b"\xc0", held) == "InvalidPacket"


def test_a_contract_at_another_address_proves_nothing() -> None:
    world = World()
    held = world.a.prove(StorageKey(world.box_a.address, commitment_slot(world.channel, 1))).to_bytes()
    assert refused(world.hub_b, "receiveCommitted", world.packet.encode(), held) == "InvalidProof"


def test_an_acknowledgement_is_no_packet() -> None:
    world = World()
    proof = world.receive()
    assert refused(world.hub_a, "receivePacket", proof) == "InvalidPacket"


def test_a_packet_goes_to_its_destination_only() -> None:
    world = World()
    assert refused(world.hub_c, "receivePacket", world.proof) == "WrongDestination"


LIAR = system_code("liar")
MESSAGE_SENT = Hub.MessageSent


def lying_chain(chain_id: int) -> Chain:
    """A chain whose own "hub" says whatever it is told."""

    def lie(call: Call, data: bytes) -> bytes:
        call.emit(MESSAGE_SENT, data)
        return b""

    def in_place_of_the_hub(genesis: Genesis) -> Genesis:
        return replace(
            genesis, accounts={**genesis.accounts, HUB_ADDRESS: GenesisAccount(nonce=1, code=LIAR)}
        )

    liar = ScriptedContract({b"": lie})
    return chain_with_hub(chain_id, contracts={LIAR: liar}, prepare=in_place_of_the_hub)


@pytest.mark.parametrize(("source", "named"), [(1, "InvalidProof"), (4, "WrongChannel"), (5, "WrongChannel")])
def test_a_chain_speaks_for_itself_only(source: int, named: str) -> None:
    world, liar = World(), lying_chain(4)
    world.hub_b.send(GOVERNOR, "registerChain", 4, liar.anchor.to_bytes())
    forged = replace(world.packet, source=source, sequence=7)
    liar.send_call(GOVERNOR, HUB_ADDRESS, forged.encode(), gas=GAS)
    proof = proof_of_message(liar, newest(liar))
    assert refused(world.hub_b, "receivePacket", proof) == named


def test_a_chain_acknowledges_its_own_packets_only() -> None:
    world, liar = World(), lying_chain(4)
    world.hub_a.send(GOVERNOR, "registerChain", 4, liar.anchor.to_bytes())
    honest = Acknowledgement.of(world.packet, True, b"")
    for forged, named in ((honest, "InvalidProof"), (replace(honest, source=4), "WrongAcknowledgement")):
        liar.send_call(GOVERNOR, HUB_ADDRESS, forged.encode(), gas=GAS)
        proof = proof_of_message(liar, newest(liar))
        assert refused(world.hub_a, "acknowledge", world.packet.encode(), proof) == named


@pytest.mark.parametrize("field", ["sender", "receiver"])
def test_a_packet_is_from_one_end_of_its_channel_to_the_other(field: str) -> None:
    world, liar = World(), lying_chain(4)
    world.hub_b.send(GOVERNOR, "registerChain", 4, liar.anchor.to_bytes())
    world.box_b.send(GOVERNOR, "join", 4, world.box_a.address, False)
    channel = channel_id(Endpoint(4, world.box_a.address), Endpoint(2, world.box_b.address))
    fine = replace(world.packet, source=4, channel=channel)
    changes: dict[str, Any] = {field: STRANGER.address}
    liar.send_call(GOVERNOR, HUB_ADDRESS, replace(fine, **changes).encode(), gas=GAS)
    assert refused(world.hub_b, "receivePacket", proof_of_message(liar, newest(liar))) == "WrongChannel"
    liar.send_call(GOVERNOR, HUB_ADDRESS, fine.encode(), gas=GAS)
    world.hub_b.send(GOVERNOR, "receivePacket", proof_of_message(liar, newest(liar)))


def test_a_channel_has_to_be_open_on_both_sides() -> None:
    a, b = linked_chains(1, 2)
    one, other = (chain.paradigm("mailbox").issue(GOVERNOR) for chain in (a, b))
    one.send(GOVERNOR, "join", 2, other.address, False)
    channel = channel_id(Endpoint(1, one.address), Endpoint(2, other.address))
    one.send(GOVERNOR, "write", channel, b"hello", 0, LATER)
    proof = proof_of_message(a, newest(a))
    assert refused(hub_of(b), "receivePacket", proof) == "UnknownChannel"
    assert refused(other, "write", channel, b"hello", 0, LATER) == "UnknownChannel"
    other.send(GOVERNOR, "join", 1, one.address, False)
    hub_of(b).send(GOVERNOR, "receivePacket", proof)


def test_only_its_app_sends_on_a_channel() -> None:
    world = World()
    other = world.a.paradigm("mailbox").issue(GOVERNOR)
    assert refused(other, "write", world.channel, b"hello", 0, LATER) == "NotTheApp"
    assert refused(world.hub_a, "send", world.channel, b"hello", 0, LATER) == "NotTheApp"


def test_only_contracts_open_channels_and_to_known_chains() -> None:
    world = World()
    assert refused(world.hub_a, "openChannel", 2, world.box_b.address, False) == "NotAContract"
    assert refused(world.box_a, "join", 9, world.box_b.address, False) == "UnknownChain"
    assert refused(world.box_a, "join", 1, world.box_a.address, False) == "UnknownChain"


def test_a_packet_has_a_size_and_a_time_out() -> None:
    world = World()
    channel = world.channel
    assert refused(world.box_a, "write", channel, bytes(MAX_PAYLOAD + 1), 0, LATER) == "PayloadTooLong"
    assert refused(world.box_a, "write", channel, b"", 0, 0) == "NoTimeOut"
    world.box_a.send(GOVERNOR, "write", channel, bytes(MAX_PAYLOAD), 0, LATER)


def test_the_cap_is_for_the_governor_to_say() -> None:
    world = World()
    assert refused(world.hub_a, "setCap", world.channel, 9, sender=STRANGER) == "NotTheGovernor"
    assert refused(world.hub_a, "setCap", bytes(32), 9) == "UnknownChannel"
    world.hub_a.send(GOVERNOR, "setCap", world.channel, 1)
    assert refused(world.box_a, "write", world.channel, b"", 0, LATER) == "CapReached"


def test_nothing_passes_to_or_from_a_paused_chain() -> None:
    world = World()
    assert refused(world.hub_a, "pauseChain", 2, True, sender=STRANGER) == "NotTheGovernor"
    assert refused(world.hub_a, "pauseChain", 9, True) == "UnknownChain"
    for hub, chain in ((world.hub_a, 2), (world.hub_b, 1)):
        hub.send(GOVERNOR, "pauseChain", chain, True)
    assert refused(world.box_a, "write", world.channel, b"", 0, LATER) == "Paused"
    assert refused(world.hub_b, "receivePacket", world.proof) == "Paused"
    world.hub_b.send(GOVERNOR, "pauseChain", 1, False)
    world.receive()


def test_an_ordered_channel_takes_what_comes_next() -> None:
    world = World(ordered=True)
    second = proof_of_message(world.a, world.write(b"second"))
    assert refused(world.hub_b, "receivePacket", second) == "OutOfOrder"
    world.receive()
    world.hub_b.send(GOVERNOR, "receivePacket", second)
    assert refused(world.hub_b, "receivePacket", second) == "AlreadyReceived"


def test_nothing_is_sent_on_a_closed_channel() -> None:
    world = World(ordered=True)
    late = world.write(b"late", world.b.height).message
    assert isinstance(late, Packet)
    world.hub_a.send(GOVERNOR, "timeOut", late.encode(), proof_of_receipt(world.b, late))
    assert refused(world.box_a, "write", world.channel, b"", 0, LATER) == "ClosedChannel"
    world.box_a.send(GOVERNOR, "join", 2, world.box_b.address, True)
    assert refused(world.box_a, "write", world.channel, b"", 0, LATER) == "ClosedChannel"


@pytest.mark.parametrize("by", ["height", "time"])
def test_what_has_timed_out_is_not_received(by: str) -> None:
    world = World()
    head = world.b.blockchain.head
    sent = (
        world.write(b"", head.height + 1, 0) if by == "height" else world.write(b"", 0, head.timestamp_ms + 1)
    )
    packet = sent.message
    assert isinstance(packet, Packet)
    assert refused(world.hub_b, "receivePacket", proof_of_message(world.a, sent)) == "TimedOut"
    world.hub_a.send(GOVERNOR, "timeOut", packet.encode(), proof_of_receipt(world.b, packet))
    assert refused(world.hub_b, "receivePacket", proof_of_message(world.a, sent)) == "TimedOut"
    again = packet.encode(), proof_of_receipt(world.b, packet)
    assert refused(world.hub_a, "timeOut", *again) == "AlreadySettled"


@pytest.mark.parametrize("by", ["height", "time"])
def test_a_time_out_is_not_early(by: str) -> None:
    world = World()
    head = world.b.blockchain.head
    limits = (head.height + 1, 0) if by == "height" else (0, head.timestamp_ms + 1)
    packet = world.write(b"", *limits).message
    assert isinstance(packet, Packet)
    early = proof_of_receipt(world.b, packet)
    assert refused(world.hub_a, "timeOut", packet.encode(), early) == "NotTimedOut"
    world.b.seal()
    world.hub_a.send(GOVERNOR, "timeOut", packet.encode(), proof_of_receipt(world.b, packet))


def test_what_was_received_does_not_time_out() -> None:
    world = World()
    sent = world.write(b"", world.b.height + 2)
    assert isinstance(sent.message, Packet)
    world.hub_b.send(GOVERNOR, "receivePacket", proof_of_message(world.a, sent))
    world.b.seal()
    arguments = sent.message.encode(), proof_of_receipt(world.b, sent.message)
    assert refused(world.hub_a, "timeOut", *arguments) == "WasReceived"


def test_a_time_out_is_proven_by_the_destination() -> None:
    world = World()
    packet = world.write(b"", 1).message
    assert isinstance(packet, Packet)
    elsewhere = proof_of_receipt(world.c, packet)
    assert refused(world.hub_a, "timeOut", packet.encode(), elsewhere) == "InvalidProof"
    another = proof_of_receipt(world.b, replace(packet, sequence=9))
    assert refused(world.hub_a, "timeOut", packet.encode(), another) == "InvalidProof"
    assert refused(world.hub_a, "timeOut", packet.encode(), world.proof) == "InvalidProof"


def test_a_packet_is_acknowledged_once() -> None:
    world = World()
    proof = world.receive()
    world.hub_a.send(GOVERNOR, "acknowledge", world.packet.encode(), proof)
    assert refused(world.hub_a, "acknowledge", world.packet.encode(), proof) == "AlreadySettled"
    receipt = proof_of_receipt(world.b, world.packet)
    answer = newest(world.b).message.encode()
    packet = world.packet.encode()
    assert refused(world.hub_a, "acknowledgeReceipt", packet, answer, receipt) == "AlreadySettled"
    assert world.box_a.read("tally") == (0, 1, 0, 0)


def test_what_was_never_sent_is_not_acknowledged() -> None:
    world = World()
    proof = world.receive()
    for forged in (
        replace(world.packet, sequence=2),
        replace(world.packet, payload=b"jello"),
        replace(world.packet, channel=bytes(32)),
    ):
        assert refused(world.hub_a, "acknowledge", forged.encode(), proof) == "UnknownPacket"
    assert refused(world.hub_a, "acknowledge", b"\x01", proof) == "InvalidPacket"


def test_an_acknowledgement_is_of_its_own_packet() -> None:
    world = World()
    proof = world.receive()
    other = world.write(b"second").message.encode()
    assert refused(world.hub_a, "acknowledge", other, proof) == "WrongAcknowledgement"
    assert refused(world.hub_a, "acknowledge", world.packet.encode(), world.proof) == "InvalidPacket"


def test_a_receipt_proves_its_own_acknowledgement_only() -> None:
    world = World()
    world.receive()
    packet, receipt = world.packet, proof_of_receipt(world.b, world.packet)
    refusing = Acknowledgement.of(packet, False, b"").encode()
    arguments = packet.encode(), refusing, receipt
    assert refused(world.hub_a, "acknowledgeReceipt", *arguments) == "InvalidProof"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("onPacket", (bytes(32), 1, STRANGER.address, b"hello")),
        ("onAcknowledgement", (bytes(32), 1, b"hello", True, b"")),
        ("onTimeOut", (bytes(32), 1, b"hello")),
    ],
)
def test_nobody_but_the_hub_calls_an_app_back(function: str, arguments: tuple[Any, ...]) -> None:
    world = World()
    assert refused(world.box_a, function, *arguments) == "NotTheHub"


class Courier(Paradigm):
    """A contract that calls the hub for others."""

    name = "courier"

    NotDirect = Hub.NotDirect

    @external("function carry(bytes data)")
    def carry(self, call: Call, data: bytes) -> None:
        """Call the hub."""
        call.call(HUB_ADDRESS, data)


class Odd(Paradigm):
    """An app without the base class, whose answers are what its letters say they are."""

    name = "odd"

    @external("function join(uint64 chain, address peer)")
    def join(self, call: Call, chain: int, peer: bytes) -> None:
        """Open the channel to a peer."""
        open_channel(call, chain, peer)

    def invoke(self, call: Call, data: bytes) -> bytes:
        """Answer a packet with its payload, without any encoding, or with far too much."""
        if data[:4] != ON_PACKET.selector:
            return super().invoke(call, data)
        payload = bytes(ON_PACKET.decode_input(data[4:])[3])
        return ON_PACKET.encode_output((bytes(MAX_RESULT + 1),)) if payload == b"long" else payload


class Talkative(CrossChainApp, Paradigm):
    """An app that answers more than an acknowledgement carries."""

    name = "talkative"

    @external("function join(uint64 chain, address peer)")
    def join(self, call: Call, chain: int, peer: bytes) -> None:
        """Open the channel to a peer."""
        open_channel(call, chain, peer)

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Answer at length."""
        return bytes(MAX_RESULT + 1)


ON_PACKET = CrossChainApp.abi_function("onPacket")


def letter_to(name: str, letter: bytes) -> tuple[Chain, Chain, Instance]:
    """Chain 1 with a mailbox that has written, and chain 2 with the app to which it wrote."""
    registry = mailbox_registry()
    for paradigm in (Courier, Odd, Talkative):
        registry.add(paradigm)
    a, b = linked_chains(1, 2, registry=registry)
    box, app = a.paradigm("mailbox").issue(GOVERNOR), b.paradigm(name).issue(GOVERNOR)
    box.send(GOVERNOR, "join", 2, app.address, False)
    if name != "courier":
        app.send(GOVERNOR, "join", 1, box.address)
    channel = channel_id(Endpoint(1, box.address), Endpoint(2, app.address))
    box.send(GOVERNOR, "write", channel, letter, 0, LATER)
    return a, b, app


def test_packets_are_received_in_transactions_of_their_own() -> None:
    a, _, app = letter_to("courier", b"hello")
    data = Hub.abi_function("receivePacket").encode_call(proof_of_message(a, newest(a)))
    assert refused(app, "carry", data) == "NotDirect"


@pytest.mark.parametrize("letter", [b"", b"not ABI", b"long"])
def test_what_an_app_answers_has_a_form(letter: bytes) -> None:
    a, b, _ = letter_to("odd", letter)
    assert refused(hub_of(b), "receivePacket", proof_of_message(a, newest(a))) == "InvalidResult"


def test_an_app_that_answers_too_much_has_refused() -> None:
    a, b, _ = letter_to("talkative", b"hello")
    hub_of(b).send(GOVERNOR, "receivePacket", proof_of_message(a, newest(a)))
    answer = newest(b).message
    assert isinstance(answer, Acknowledgement)
    assert not answer.success
    assert answer.result == Talkative.ResultTooLong.encode(MAX_RESULT + 1)


def test_a_long_refusal_is_cut() -> None:
    refusal = error("error Long(bytes text)")

    class Wordy(Talkative):
        """Refuses at length."""

        name = "wordy"

        def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
            """Refuse."""
            raise Reverted("at length", data=refusal.encode(bytes(2_000)))

    registry = mailbox_registry()
    registry.add(Wordy)
    a, b = linked_chains(1, 2, registry=registry)
    box, app = a.paradigm("mailbox").issue(GOVERNOR), b.paradigm("wordy").issue(GOVERNOR)
    box.send(GOVERNOR, "join", 2, app.address, False)
    app.send(GOVERNOR, "join", 1, box.address)
    channel = channel_id(Endpoint(1, box.address), Endpoint(2, app.address))
    box.send(GOVERNOR, "write", channel, b"", 0, LATER)
    hub_of(b).send(GOVERNOR, "receivePacket", proof_of_message(a, newest(a)))
    answer = newest(b).message
    assert isinstance(answer, Acknowledgement)
    assert len(answer.result) == MAX_RESULT


def test_too_little_gas_delivers_nothing_and_refuses_nothing() -> None:
    world = World()
    needed = world.b.estimate_gas(
        HUB_ADDRESS, world.hub_b.encode("receivePacket", world.proof), sender=GOVERNOR
    )
    before = storage_of(world.box_b)
    for gas in range(60_000, needed, 13_000):
        with pytest.raises(Reverted):
            world.hub_b.send(GOVERNOR, "receivePacket", world.proof, gas=gas)
        assert storage_of(world.box_b) == before
    assert not list(sent_messages(world.b))
    world.receive()


def test_the_world_is_linked_by_hand_as_well() -> None:
    a, b = chain_with_hub(1), chain_with_hub(2)
    assert hub_of(a).read("anchorOf", 2) == b""
    link(a, b)
    assert hub_of(a).read("anchorOf", 2) == b.anchor.to_bytes()
    assert Mailbox.name in a.registry.names
