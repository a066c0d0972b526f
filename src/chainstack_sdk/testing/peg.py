"""The peg under test: chains with pegs, packets carried one by one, and the law that nothing is made or lost.

::

    alice_side, bob_side = pegged_chains(1, 2, funds={alice: ether(1)})
    courier = Courier(alice_side, bob_side)
    PegApi(alice_side).send_coin(alice, 5, chain=2, to=bob, timeout_ms=late)
    for packet in courier.waiting():
        courier.deliver(packet)          # or courier.time_out(packet)
        courier.acknowledge(packet)
    check_conservation(alice_side, bob_side)

Not for production.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from chainstack_sdk.clock import ManualClock
from chainstack_sdk.paradigms import Erc20Token, Erc721Token
from chainstack_sdk.primitives.errors import UsageError
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    hub_of,
    linked_chains,
    proof_of_message,
    proof_of_receipt,
    sent_messages,
)
from chainstack_sdk.xchain.addresses import HUB_ADDRESS, PEG_ADDRESS
from chainstack_sdk.xchain.custody import AssetKind
from chainstack_sdk.xchain.hub.storage import commitment_slot, receipt_slot
from chainstack_sdk.xchain.packets import Acknowledgement, Packet
from chainstack_sdk.xchain.peg.contract import Peg
from chainstack_sdk.xchain.peg.genesis import with_peg
from chainstack_sdk.xchain.peg.handle import PegApi
from chainstack_sdk.xchain.peg.storage import PEG_CODE, PeggedClass
from chainstack_sdk.xchain.peg.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chainstack_sdk.chain import Chain
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.core.receipts import Receipt
    from chainstack_sdk.testing.xchain import SentMessage


def pegged_chains(
    *chain_ids: int, prepare: Callable[[Genesis], Genesis] = with_peg, **options: Any
) -> list[Chain]:
    """Make chains in memory, each linked to all the others and with the channels between their pegs open.

    Parameters
    ----------
    prepare
        Puts the peg into the genesis.
    options
        As for :func:`~chainstack_sdk.testing.xchain.chain_with_hub`, the same for all of them.
    """
    chains = linked_chains(*chain_ids, contracts={PEG_CODE: Peg()}, prepare=prepare, **options)
    for chain in chains:
        for other in chain_ids:
            if other != chain.chain_id:
                PegApi(chain).connect(GOVERNOR, other)
    return chains


class Courier:
    """Carries packets of pegs by hand, each step when it is told to.

    Parameters
    ----------
    chains
        All that take part.
    """

    def __init__(self, *chains: Chain) -> None:
        self.chains: Mapping[int, Chain] = {chain.chain_id: chain for chain in chains}

    def waiting(self) -> list[Packet]:
        """Return the pegs' packets that are not settled, in chain order, chain after chain."""
        return [packet for chain in self.chains.values() for packet in _unsettled(chain)]

    def is_received(self, packet: Packet) -> bool:
        """Tell whether a packet has been received."""
        slot = receipt_slot(packet.channel, packet.sequence)
        return bool(self.chains[packet.destination].storage(HUB_ADDRESS, slot))

    def deliver(self, packet: Packet) -> Receipt:
        """Take a packet to its destination."""
        source, destination = self.chains[packet.source], self.chains[packet.destination]
        proof = proof_of_message(source, _found(source, lambda message: message == packet))
        return hub_of(destination).send(GOVERNOR, "receivePacket", proof)

    def acknowledge(self, packet: Packet) -> Receipt:
        """Take the acknowledgement of a packet back to its source."""
        source, destination = self.chains[packet.source], self.chains[packet.destination]
        found = _found(destination, lambda said: isinstance(said, Acknowledgement) and said.is_of(packet))
        proof = proof_of_message(destination, found)
        return hub_of(source).send(GOVERNOR, "acknowledge", packet.encode(), proof)

    def time_out(self, packet: Packet) -> Receipt:
        """Let the time of a packet run out at its destination, and take the proof of that to its source."""
        source, destination = self.chains[packet.source], self.chains[packet.destination]
        clock = destination.clock
        if isinstance(clock, ManualClock) and clock.now_ms() < packet.timeout_ms:
            clock.set_ms(packet.timeout_ms)
        destination.seal()
        proof = proof_of_receipt(destination, packet)
        return hub_of(source).send(GOVERNOR, "timeOut", packet.encode(), proof)

    def carry_all(self) -> None:
        """Deliver and acknowledge all that waits."""
        for packet in self.waiting():
            if not self.is_received(packet):
                self.deliver(packet)
            self.acknowledge(packet)


class ConservationBroken(AssertionError):
    """Something was made or lost on the way between chains."""


def check_conservation(*chains: Chain) -> None:
    """Look at every class of assets that ever travelled between some chains, and count.

    - What is locked for a chain is what is represented there and what is in flight between the two.
    - A token of a collection that is locked is in exactly one place.
    - The peg holds at least what it has locked, and what it owes.

    Parameters
    ----------
    chains
        All that take part; assets locked for a chain that is not among them are not looked at.

    Raises
    ------
    ConservationBroken
        When one of them does not hold.
    """
    by_id = {chain.chain_id: chain for chain in chains}
    flying = _in_flight(by_id)
    for (home, pegged), numbers in flying.items():
        chain, other = by_id[home], by_id[pegged.chain]
        if pegged.kind is AssetKind.ERC721:
            _check_collection(chain, other, pegged, numbers)
        else:
            _check_amount(chain, other, pegged, sum(numbers))
    holdings: defaultdict[tuple[int, AssetKind, bytes], int] = defaultdict(int)
    for home, pegged in flying:
        locked = PegApi(by_id[home]).locked(pegged.chain, pegged.token, pegged.kind)
        holdings[home, pegged.kind, pegged.token] += locked
    for (home, kind, token), locked in holdings.items():
        _check_holding(by_id[home], kind, token, locked)


def _check_amount(chain: Chain, other: Chain, pegged: PeggedClass, flying: int) -> None:
    locked = PegApi(chain).locked(pegged.chain, pegged.token, pegged.kind)
    token = PegApi(other).representation_of(chain.chain_id, pegged.token, pegged.kind)
    represented = Erc20Token(other, token).total_supply() if token else 0
    if locked != represented + flying:
        raise ConservationBroken(
            f"{_told(chain, pegged)}: {locked} locked, {represented} represented, {flying} in flight"
        )


def _check_collection(chain: Chain, other: Chain, pegged: PeggedClass, flying: list[int]) -> None:
    peg, told = PegApi(chain), _told(chain, pegged)
    token = PegApi(other).representation_of(chain.chain_id, pegged.token, pegged.kind)
    represented = Erc721Token(other, token).tokens() if token else []
    places = Counter([*represented, *flying])
    for token_id, count in places.items():
        if count > 1:
            raise ConservationBroken(f"{told}: number {token_id} is in {count} places")
        if peg.locked_for(pegged.token, token_id) != pegged.chain:
            raise ConservationBroken(f"{told}: number {token_id} is not locked")
        if Erc721Token(chain, pegged.token).owner_of(token_id) != PEG_ADDRESS:
            raise ConservationBroken(f"{told}: number {token_id} is locked, but the peg does not have it")
    locked = peg.locked(pegged.chain, pegged.token, pegged.kind)
    if locked != len(places):
        raise ConservationBroken(f"{told}: {locked} locked, {len(places)} elsewhere")


def _check_holding(chain: Chain, kind: AssetKind, token: bytes, locked: int) -> None:
    if kind is AssetKind.COIN:
        held, due = chain.balance(PEG_ADDRESS), locked
    else:
        held = Erc20Token(chain, token).balance_of(PEG_ADDRESS)  # the same question to a collection
        due = locked + _owed(chain, kind, token)
    if held < due:
        raise ConservationBroken(f"chain {chain.chain_id}: {held} of {token.hex()} held, {due} due")


def _owed(chain: Chain, kind: AssetKind, token: bytes) -> int:
    """Return how much of a token the peg owes, or how many of a collection."""
    peg = PegApi(chain)
    debts = [debt.args for debt in peg.events("Owed", token=token)]
    if kind is AssetKind.ERC721:
        return sum(1 for number in {debt["number"] for debt in debts} if peg.owed_to(token, number))
    return sum(peg.owed(token, account) for account in {debt["account"] for debt in debts})


def _in_flight(by_id: Mapping[int, Chain]) -> dict[tuple[int, PeggedClass], list[int]]:
    """Return the numbers in flight for each home chain and class that has ever travelled."""
    taken = {
        (said.destination, said.channel, said.sequence)
        for chain in by_id.values()
        for said in (sent.message for sent in sent_messages(chain))
        if isinstance(said, Acknowledgement) and said.success
    }
    found: defaultdict[tuple[int, PeggedClass], list[int]] = defaultdict(list)
    for chain in by_id.values():
        for packet, settled in _packets(chain):
            if packet.destination not in by_id:
                continue
            transfer = Transfer.decode(packet.payload)
            leaves = transfer.metadata is not None
            home, away = packet.source, packet.destination
            key = (home, PeggedClass.of(transfer.asset, away))
            if not leaves:
                key = (away, PeggedClass.of(transfer.asset, home))
            numbers = found[key]
            if not settled and (chain.chain_id, packet.channel, packet.sequence) not in taken:
                numbers.append(transfer.asset.number)
    return found


def _packets(chain: Chain) -> Iterator[tuple[Packet, bool]]:
    """Yield the packets that the peg of a chain has sent, each with whether it is settled."""
    for sent in sent_messages(chain):
        message = sent.message
        if isinstance(message, Packet) and message.sender == PEG_ADDRESS:
            slot = commitment_slot(message.channel, message.sequence)
            yield message, not chain.storage(HUB_ADDRESS, slot)


def _unsettled(chain: Chain) -> list[Packet]:
    return [packet for packet, settled in _packets(chain) if not settled]


def _found(chain: Chain, wanted: Callable[[Packet | Acknowledgement], bool]) -> SentMessage:
    for sent in sent_messages(chain):
        if wanted(sent.message):
            return sent
    raise UsageError("the chain has not sent this message", chain=chain.chain_id)


def _told(chain: Chain, pegged: PeggedClass) -> str:
    kind, away, token = pegged
    return f"chain {chain.chain_id}, {kind.name} 0x{token.hex()} for chain {away}"
