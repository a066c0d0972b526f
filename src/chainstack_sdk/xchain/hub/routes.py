"""The hub's part about channels: who may send on them, to whom, and how much at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core import gas
from chainstack_sdk.core.native import external
from chainstack_sdk.xchain.channels import Endpoint, channel_id
from chainstack_sdk.xchain.hub.chains import Chains
from chainstack_sdk.xchain.hub.storage import (
    Counters,
    Route,
    read_counters,
    read_route,
    write_counters,
    write_route,
)

if TYPE_CHECKING:
    from chainstack_sdk.core.call import Call


class Routes(Chains):
    """Opens channels between the apps of this chain and their peers."""

    @external("function openChannel(uint64 chain, address peer, bool ordered) returns (bytes32)")
    def open_channel(self, call: Call, chain: int, peer: bytes, ordered: bool) -> bytes:
        """Open the channel between the calling contract and an app of another chain, and return its id.

        A channel that is open already stays as it is.
        """
        call.require(call.is_contract(call.caller), self.NotAContract, call.caller)
        self._require_known(call, chain)
        call.charge(gas.KECCAK + 3 * gas.KECCAK_WORD)
        own = Endpoint(call.block.chain_id, call.caller)
        channel = channel_id(own, Endpoint(chain, peer), ordered)
        if read_route(call, channel) is None:
            write_route(call, channel, Route(call.caller, chain, peer, ordered))
            write_counters(call, channel, Counters())
            call.emit(self.ChannelOpened, channel, call.caller, chain, peer, ordered)
        return channel

    @external("function setCap(bytes32 channel, uint64 cap)")
    def set_cap(self, call: Call, channel: bytes, cap: int) -> None:
        """Say how many packets a channel may have in flight; for the governor. With 0 nothing is sent."""
        self._require_governor(call)
        self.route(call, channel)
        write_counters(call, channel, replace(read_counters(call, channel), cap=cap))
        call.emit(self.CapChanged, channel, cap)

    @external(
        "function channelOf(bytes32 channel) view returns (address app, uint64 chain, address peer,"
        " bool ordered, bool closed, uint64 cap)"
    )
    def channel_of(self, call: Call, channel: bytes) -> tuple[bytes, int, bytes, bool, bool, int]:
        """Return who talks to whom on a channel, in which order, and its cap."""
        route = self.route(call, channel)
        cap = read_counters(call, channel).cap
        return route.app, route.chain, route.peer, route.ordered, route.closed, cap

    @external("function peerOf(bytes32 channel) view returns (uint64 chain, address peer)")
    def peer_of(self, call: Call, channel: bytes) -> tuple[int, bytes]:
        """Return who is at the other end of a channel."""
        route = self.route(call, channel)
        return route.chain, route.peer

    @external("function nextSequence(bytes32 channel) view returns (uint64)")
    def next_sequence(self, call: Call, channel: bytes) -> int:
        """Return the sequence that the next packet sent on a channel will have."""
        return read_counters(call, channel).sent + 1

    @external("function inFlight(bytes32 channel) view returns (uint64)")
    def in_flight(self, call: Call, channel: bytes) -> int:
        """Return how many packets of a channel are not settled yet."""
        return read_counters(call, channel).in_flight

    def route(self, call: Call, channel: bytes) -> Route:
        """Return who talks to whom on a channel.

        Raises
        ------
        Reverted
            With ``UnknownChannel`` when it was never opened here.
        """
        found = read_route(call, channel)
        if found is None:
            raise call.error(self.UnknownChannel, channel)
        return found
