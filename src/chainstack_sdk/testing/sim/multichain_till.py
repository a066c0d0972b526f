"""An app that moves value between chains and keeps books of its own about every packet.

Not for production. A till has some units. Paying takes them out of the till of one chain and puts them into
that of another; what is refused there, or comes too late, comes back. For each packet it notes, apart from
what the hub knows, the amount that left, how often it arrived, and each end it came to.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.core.native import error, external
from chainstack_sdk.core.native.code import system_code
from chainstack_sdk.core.native.slots import mapping_slot, slot
from chainstack_sdk.xchain.app import CrossChainApp, open_channel, send_packet

if TYPE_CHECKING:
    from chainstack_sdk.chain import Chain
    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.xchain.app import PacketContext

TILL_ADDRESS = bytes.fromhex("00000000000000000000000000000000000043f0")
"""Where the till is on every simulated chain, 20 bytes."""
TILL_CODE = system_code("till")
FIRST_UNITS = 1_000_000
"""What each till begins with."""
ACCEPTED, REFUSED, EXPIRED = 1, 1 << 16, 1 << 32
"""The ends of a packet; they are added up, so that two ends show."""

_HELD, _COUNT, _SENT, _ARRIVED, _ENDS = (slot(number) for number in range(5))
_PAYLOAD_BYTES = 9


class Payment(NamedTuple):
    """What the books of two tills say about a packet."""

    amount: int
    arrivals: int
    """In the books of the receiving till."""
    ends: int
    """In those of the paying one: a sum of :data:`ACCEPTED`, :data:`REFUSED` and :data:`EXPIRED`."""


class Till(CrossChainApp):
    """Pays other tills."""

    NotEnough = error("error NotEnough()")
    Unwanted = error("error Unwanted()")

    @external("function open(uint64 chain, bool ordered) returns (bytes32)")
    def open(self, call: Call, chain: int, ordered: bool) -> bytes:
        """Open a channel to the till of another chain."""
        return open_channel(call, chain, call.address, ordered)

    @external(
        "function pay(bytes32 channel, uint64 amount, bool unwanted, uint64 timeoutHeight, uint64 timeoutMs)"
    )
    def pay(
        self, call: Call, channel: bytes, amount: int, unwanted: bool, timeout_height: int, timeout_ms: int
    ) -> None:
        """Pay an amount to the till at the other end; an unwanted one is refused there."""
        held = call.load(_HELD)
        call.require(held >= amount, self.NotEnough)
        payload = amount.to_bytes(8, "big") + bytes((unwanted,))
        sequence = send_packet(call, channel, payload, timeout_height=timeout_height, timeout_ms=timeout_ms)
        call.store(_HELD, held - amount)
        call.store(_of(_SENT, channel, sequence), amount)
        call.store(mapping_slot(_COUNT, channel), sequence)

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Take an amount in."""
        arrived = _of(_ARRIVED, context.channel, context.sequence)
        call.store(arrived, call.load(arrived) + 1)
        call.require(len(payload) == _PAYLOAD_BYTES and not payload[-1], self.Unwanted)
        call.store(_HELD, call.load(_HELD) + _amount(payload))
        return payload

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Note the end, and take back what was refused."""
        self._end(call, context, ACCEPTED if success else REFUSED, 0 if success else _amount(payload))

    def on_timeout(self, call: Call, context: PacketContext, payload: bytes) -> None:
        """Note the end, and take back what came too late."""
        self._end(call, context, EXPIRED, _amount(payload))

    def _end(self, call: Call, context: PacketContext, how: int, refund: int) -> None:
        ends = _of(_ENDS, context.channel, context.sequence)
        call.store(ends, call.load(ends) + how)
        call.store(_HELD, call.load(_HELD) + refund)


def with_till(genesis: Genesis) -> Genesis:
    """Return the genesis with a till."""
    account = GenesisAccount(nonce=1, code=TILL_CODE, storage={int.from_bytes(_HELD, "big"): FIRST_UNITS})
    return replace(genesis, accounts={**genesis.accounts, TILL_ADDRESS: account})


def held_by(chain: Chain) -> int:
    """Return how much the till of a chain has."""
    return chain.storage(TILL_ADDRESS, int.from_bytes(_HELD, "big"))


def payments(source: Chain, target: Chain, channel: bytes) -> list[Payment]:
    """Return what one till has paid to another on a channel, in order."""
    count = source.storage(TILL_ADDRESS, int.from_bytes(mapping_slot(_COUNT, channel), "big"))
    found = []
    for sequence in range(1, count + 1):
        sent, arrived, ends = _slots(channel, sequence)
        found.append(
            Payment(
                source.storage(TILL_ADDRESS, sent),
                target.storage(TILL_ADDRESS, arrived),
                source.storage(TILL_ADDRESS, ends),
            )
        )
    return found


@lru_cache(1 << 14)
def _slots(channel: bytes, sequence: int) -> tuple[int, int, int]:
    sent, arrived, ends = (
        int.from_bytes(_of(base, channel, sequence), "big") for base in (_SENT, _ARRIVED, _ENDS)
    )
    return sent, arrived, ends


def _of(base: bytes, channel: bytes, sequence: int) -> bytes:
    return mapping_slot(mapping_slot(base, channel), sequence)


def _amount(payload: bytes) -> int:
    return int.from_bytes(payload[:8], "big")
