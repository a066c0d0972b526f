"""One contract on two chains: what is written to the one is mirrored on the other, by proof."""

from chainstack_sdk import Account, Chain
from chainstack_sdk.core import Call
from chainstack_sdk.paradigms import Paradigm, default_registry, external, slot
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.xchain import (
    hub_of,
    linked_chains,
    proof_of_message,
    proof_of_receipt,
    sent_messages,
)
from chainstack_sdk.xchain.app import CrossChainApp, PacketContext, open_channel, send_packet

VALUE, VERSION, CONFIRMED, CHANNEL = (slot(number) for number in range(4))
BLOCKS_TO_ARRIVE = 5


class MirroredValue(CrossChainApp, Paradigm):
    """A number that its owner sets on one chain, and that anybody can read on both.

    Versions make the order of arrival irrelevant: the mirror keeps the newest one it has seen. What times out
    is sent again as it is by then.
    """

    name = "mirrored-value"
    constructor = "constructor(address owner)"

    @external("function follow(uint64 chain, address peer)")
    def follow(self, call: Call, chain: int, peer: bytes) -> None:
        """Open the channel to the same contract on another chain."""
        call.require(call.caller == self.config.owner, "not the owner")
        call.store(CHANNEL, int.from_bytes(open_channel(call, chain, peer), "big"))

    @external("function set(uint256 value, uint64 lastHeight)")
    def set(self, call: Call, value: int, last_height: int) -> None:
        """Set the number here, and tell the mirror, which hears of it up to a height of its chain."""
        call.require(call.caller == self.config.owner, "not the owner")
        call.store(VALUE, value)
        call.store(VERSION, call.load(VERSION) + 1)
        self._tell(call, last_height)

    @external("function get() view returns (uint256 value, uint256 version, uint256 confirmed)")
    def get(self, call: Call) -> tuple[int, int, int]:
        """Return the number, its version, and the newest version that the mirror is known to have."""
        return call.load(VALUE), call.load(VERSION), call.load(CONFIRMED)

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Keep what the peer says, if it is news; the hub has checked that the peer says so."""
        version, value = int.from_bytes(payload[:32], "big"), int.from_bytes(payload[32:64], "big")
        if version > call.load(VERSION):
            call.store(VALUE, value)
            call.store(VERSION, version)
        return payload[:32]

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Remember which version has arrived."""
        if success:
            call.store(CONFIRMED, max(call.load(CONFIRMED), int.from_bytes(result, "big")))

    def on_timeout(self, call: Call, context: PacketContext, payload: bytes) -> None:
        """Say it again, with more time."""
        self._tell(call, int.from_bytes(payload[64:], "big") + BLOCKS_TO_ARRIVE)

    def _tell(self, call: Call, last_height: int) -> None:
        words = (call.load(VERSION), call.load(VALUE), last_height)
        payload = b"".join(word.to_bytes(32, "big") for word in words)
        channel = call.load(CHANNEL).to_bytes(32, "big")
        send_packet(call, channel, payload, timeout_height=last_height + 1)


def show(what: str, *mirrors: object) -> None:
    """Print what both sides hold."""
    print(f"{what:32}", *mirrors)


if __name__ == "__main__":
    registry = default_registry()
    registry.add(MirroredValue)
    owner, anybody = Account.create(), Account.create()
    home: Chain
    away: Chain
    home, away = linked_chains(1, 2, funds={owner: ether(1), anybody: ether(1)}, registry=registry)
    original, mirror = (
        chain.paradigm("mirrored-value").issue(owner, owner=owner.address) for chain in (home, away)
    )
    original.send(owner, "follow", 2, mirror.address)
    mirror.send(owner, "follow", 1, original.address)

    original.send(owner, "set", 42, away.height + BLOCKS_TO_ARRIVE)
    show("set, and not carried yet:", original.read("get"), mirror.read("get"))

    sent = list(sent_messages(home))[-1]  # anybody may carry it: the proof speaks for itself
    hub_of(away).send(anybody, "receivePacket", proof_of_message(home, sent))
    show("received by the mirror:", original.read("get"), mirror.read("get"))

    answer = list(sent_messages(away))[-1]
    hub_of(home).send(anybody, "acknowledge", sent.message.encode(), proof_of_message(away, answer))
    show("acknowledged:", original.read("get"), mirror.read("get"))

    original.send(owner, "set", 43, away.height)  # too little time
    late = list(sent_messages(home))[-1]
    away.seal()
    hub_of(home).send(anybody, "timeOut", late.message.encode(), proof_of_receipt(away, late.message))
    again = list(sent_messages(home))[-1]
    hub_of(away).send(anybody, "receivePacket", proof_of_message(home, again))
    show("timed out, sent again, received:", original.read("get"), mirror.read("get"))
