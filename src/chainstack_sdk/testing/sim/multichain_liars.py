"""What goes wrong with relayers, and what those do that mean harm. Not for production.

A :class:`BadPort` is a port over a bad line: what is submitted gets lost, repeated, delayed, put into another
order or damaged; proofs are of other blocks, or come without evidence; and the relayer that uses it crashes
at any call. A :class:`Liar` forges packets, acknowledgements and time-outs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chainstack_sdk.core.messages import HUB_ADDRESS
from chainstack_sdk.cspv.verify.format import Proof
from chainstack_sdk.cspv.verify.paths import ItemPath
from chainstack_sdk.primitives.errors import Rejected, Reverted, UsageError
from chainstack_sdk.testing.xchain import sent_messages
from chainstack_sdk.xchain.facade_port import FacadePort
from chainstack_sdk.xchain.hub.contract import Hub
from chainstack_sdk.xchain.hub.storage import commitment_slot, receipt_slot
from chainstack_sdk.xchain.packets import Acknowledgement, Packet

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from chainstack_sdk.primitives.keys import Account
    from chainstack_sdk.testing.sim.multichain_sites import Site
    from chainstack_sdk.testing.xchain import SentMessage
    from chainstack_sdk.xchain.port import ChainPort

_PER_MILLE = 1_000


class Crashed(Exception):
    """A relayer stopped in the middle of whatever it was doing."""


class BadPort(FacadePort):
    """A port of a relayer that has no luck.

    Parameters
    ----------
    site, account
        The chain, and who pays.
    random
        All that happens follows from it.
    trouble
        How often something goes wrong, per mille of calls; crashes are a fifth of that.
    """

    def __init__(self, site: Site, account: Account, random: Random, trouble: int) -> None:
        super().__init__(site.chain, account)
        self._site = site
        self._payer = account
        self._random = random
        self._trouble = trouble
        self._held: list[bytes] = []

    def ask(self, data: bytes) -> bytes:
        """Call a view of the hub, or crash."""
        self._risk()
        return super().ask(data)

    def submit(self, data: bytes) -> bytes:
        """Send a transaction to the hub, or something like it, or nothing."""
        self._risk()
        if self._random.randrange(_PER_MILLE) >= self._trouble:
            return super().submit(data)
        match self._random.randrange(4):
            case 0:  # lost
                return bytes(32)
            case 1:  # delayed
                self._held.append(data)
                return bytes(32)
            case 2:
                super().submit(data)
                return super().submit(data)
        self._site.send(self._payer, HUB_ADDRESS, damaged(data, self._random), careless=True)
        return bytes(32)

    def prove_message(self, height: int, index: int, anchor: bytes | None) -> bytes:
        """Prove a message, or another one, or without evidence."""
        if self._random.randrange(_PER_MILLE) < self._trouble:
            if self._random.randrange(2):
                return super().prove_message(height, index, None)
            height, index = self._elsewhere(height), 0
        return super().prove_message(height, index, anchor)

    def prove_slot(self, slot: int, height: int, anchor: bytes | None) -> bytes:
        """Prove what is in a slot, or was in it earlier."""
        if self._random.randrange(_PER_MILLE) < self._trouble:
            height = self._random.randrange(1, height + 1)
        return super().prove_slot(slot, height, anchor)

    def flush(self) -> None:
        """Let some of what was delayed through, in any order."""
        self._random.shuffle(self._held)
        while self._held and self._random.randrange(2):
            self._site.send(self._payer, HUB_ADDRESS, self._held.pop())
        super().flush()

    def _elsewhere(self, height: int) -> int:
        others = [each for each in range(1, self.final().height + 1) if self.messages(each)]
        return self._random.choice(others or [height])

    def _risk(self) -> None:
        if self._random.randrange(5 * _PER_MILLE) < self._trouble:
            raise Crashed


class Liar:
    """Tries to make hubs believe what is not so.

    Parameters
    ----------
    sites
        All chains.
    account
        Who pays for it.
    random
        All that it does follows from it.
    """

    def __init__(self, sites: list[Site], account: Account, random: Random) -> None:
        self._sites = {site.chain_id: site for site in sites}
        self._ports = {site.chain_id: FacadePort(site.chain, account) for site in sites}
        self._random = random
        self.lies = 0
        """How many were told."""
        self.believed = 0
        """How many transactions came of it; those that only say again what is true are among them."""

    def step(self) -> None:
        """Tell one lie."""
        packets = [found for each in self._sites.values() for found in _packets(each)]
        if not packets:
            return
        sent, packet = self._random.choice(packets)
        lie = self._random.choice(_LIES)
        try:
            where, data = lie(self, sent, packet)
            self.lies += 1
            self._ports[where].submit(data)
            self.believed += 1
        except (UsageError, Reverted, Rejected):
            pass

    def replay(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Say again what was said on a chain, there or elsewhere."""
        said = [
            transaction.data
            for height in self._some_heights(packet.destination)
            for transaction in self._sites[packet.destination].chain.block(height).transactions
            if transaction.to == HUB_ADDRESS
        ]
        where = packet.destination if self._random.randrange(3) else packet.source
        return where, self._random.choice(said or [b""])

    def damage(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Deliver with a few bits changed."""
        true = _RECEIVE.encode_call(self._message_proof(sent, packet))
        return packet.destination, damaged(true, self._random)

    def deliver_again(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Deliver what was delivered, or is too late, with a good proof."""
        return packet.destination, _RECEIVE.encode_call(self._message_proof(sent, packet))

    def enrich(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Deliver a packet that is worth more than the one that was sent, by the proof of that."""
        proof = Proof.from_bytes(self._message_proof(sent, packet))
        assert isinstance(proof.body, ItemPath)
        forged = replace(proof, body=replace(proof.body, item=_richer(packet).encode()))
        return packet.destination, _RECEIVE.encode_call(forged.to_bytes())

    def enrich_committed(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Deliver it by the commitment to the one that was sent."""
        slot = commitment_slot(packet.channel, packet.sequence)
        proof = self._slot_proof(packet.source, packet.destination, slot)
        return packet.destination, _RECEIVE_COMMITTED.encode_call(_richer(packet).encode(), proof)

    def misreport(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Acknowledge what was not received, or otherwise than it was."""
        success = not self._random.randrange(2)
        said = Acknowledgement.of(packet, success, b"").encode()
        slot = receipt_slot(packet.channel, packet.sequence)
        proof = self._slot_proof(packet.destination, packet.source, slot)
        return packet.source, _ACKNOWLEDGE_RECEIPT.encode_call(packet.encode(), said, proof)

    def acknowledge_by_another(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Acknowledge by another message of the other chain."""
        site = self._sites[packet.destination]
        others = list(sent_messages(site.chain, max(1, site.chain.height - 20)))
        if not others:
            raise UsageError("it has said nothing")
        other = self._random.choice(others)
        port, anchor = self._ports[packet.destination], self._anchor(packet.source, packet.destination)
        proof = port.prove_message(other.height, other.index, anchor)
        return packet.source, _ACKNOWLEDGE.encode_call(packet.encode(), proof)

    def expire(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Time out what has arrived, or is not too late."""
        slot = receipt_slot(packet.channel, packet.sequence)
        proof = self._slot_proof(packet.destination, packet.source, slot)
        return packet.source, _TIME_OUT.encode_call(packet.encode(), proof)

    def expire_early(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Time out by a state before the packet arrived."""
        slot = receipt_slot(packet.channel, packet.sequence)
        height = self._random.choice(self._some_heights(packet.destination))
        proof = self._slot_proof(packet.destination, packet.source, slot, height)
        return packet.source, _TIME_OUT.encode_call(packet.encode(), proof)

    def expire_elsewhere(self, sent: SentMessage, packet: Packet) -> tuple[int, bytes]:
        """Time out by a slot of another chain, or by another slot."""
        where = self._random.choice([each for each in self._ports if each != packet.source])
        slot = receipt_slot(packet.channel, packet.sequence + 1_000)
        proof = self._slot_proof(where, packet.source, slot)
        return packet.source, _TIME_OUT.encode_call(packet.encode(), proof)

    def _some_heights(self, chain_id: int) -> list[int]:
        height = self._ports[chain_id].final().height
        return list(range(max(1, height - 20), max(1, height) + 1))

    def _message_proof(self, sent: SentMessage, packet: Packet) -> bytes:
        anchor = self._anchor(packet.destination, packet.source)
        return self._ports[packet.source].prove_message(sent.height, sent.index, anchor)

    def _slot_proof(self, prover: int, verifier: int, slot: int, height: int | None = None) -> bytes:
        port = self._ports[prover]
        at = port.final().height if height is None else height
        return port.prove_slot(slot, at, self._anchor(verifier, prover))

    def _anchor(self, holder: int, of: int) -> bytes:
        (anchor,) = _ANCHOR.decode_output(self._ports[holder].ask(_ANCHOR.encode_call(of)))
        return bytes(anchor)


_RECEIVE = Hub.abi_function("receivePacket")
_RECEIVE_COMMITTED = Hub.abi_function("receiveCommitted")
_ACKNOWLEDGE = Hub.abi_function("acknowledge")
_ACKNOWLEDGE_RECEIPT = Hub.abi_function("acknowledgeReceipt")
_TIME_OUT = Hub.abi_function("timeOut")
_ANCHOR = Hub.abi_function("anchorOf")
_LIES: tuple[Callable[[Liar, SentMessage, Packet], tuple[int, bytes]], ...] = (
    Liar.replay,
    Liar.damage,
    Liar.deliver_again,
    Liar.enrich,
    Liar.enrich_committed,
    Liar.misreport,
    Liar.acknowledge_by_another,
    Liar.expire,
    Liar.expire_early,
    Liar.expire_elsewhere,
)


def damaged(data: bytes, random: Random) -> bytes:
    """Return the bytes with one of them changed."""
    place = random.randrange(len(data))
    return data[:place] + bytes((data[place] ^ random.randrange(1, 256),)) + data[place + 1 :]


def _richer(packet: Packet) -> Packet:
    """Return a packet whose amount, in the payload of a till, has a bit more."""
    return replace(packet, payload=bytes((packet.payload[0], 1)) + packet.payload[2:])


def _packets(site: Site) -> list[tuple[SentMessage, Packet]]:
    found = sent_messages(site.chain, max(1, site.chain.height - 30))
    return [(sent, sent.message) for sent in found if isinstance(sent.message, Packet)]


if TYPE_CHECKING:
    _port: type[ChainPort] = BadPort
