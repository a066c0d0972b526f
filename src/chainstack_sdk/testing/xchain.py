"""Chains that know each other: in memory, with hubs, and with mutual anchors. Not for production.

Nothing here carries messages: a test does it by hand, with the proofs that it finds here, or by a relayer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainstack_sdk.chain.assembly import assemble, flat_state, with_issuers
from chainstack_sdk.chain.facade import Chain
from chainstack_sdk.core.genesis import Genesis, GenesisAccount
from chainstack_sdk.core.ledger import MemoryLedger
from chainstack_sdk.core.messages import messages_of
from chainstack_sdk.core.native import error, event, external, slot
from chainstack_sdk.cspv.prover import StorageKey, prove_message
from chainstack_sdk.paradigms import Instance, Paradigm, Runtime, default_registry
from chainstack_sdk.primitives.address import to_address
from chainstack_sdk.primitives.keccak import keccak256
from chainstack_sdk.primitives.units import ether
from chainstack_sdk.testing.fixed import accounts
from chainstack_sdk.xchain.addresses import HUB_ADDRESS
from chainstack_sdk.xchain.app import CrossChainApp, open_channel, send_packet
from chainstack_sdk.xchain.channels import Endpoint, channel_id
from chainstack_sdk.xchain.contracts import system_contracts
from chainstack_sdk.xchain.genesis import with_hub
from chainstack_sdk.xchain.hub.contract import Hub
from chainstack_sdk.xchain.hub.storage import receipt_slot
from chainstack_sdk.xchain.packets import Acknowledgement, Packet, decode_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chainstack_sdk.core.call import Call
    from chainstack_sdk.core.interfaces import Consensus, Contract
    from chainstack_sdk.paradigms import Registry
    from chainstack_sdk.primitives.keys import Account
    from chainstack_sdk.xchain.app import PacketContext

GOVERNOR: Account = accounts(1, "chainstack_sdk test governor")[0]
"""Who registers chains on every hub here; has 1,000 coins."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message in a block."""

    height: int
    """The block's."""
    index: int
    """Its place among the block's messages, from 0."""
    message: Packet | Acknowledgement
    """What it says."""


class Mailbox(CrossChainApp, Paradigm):
    """An app that writes letters to its peer and counts what becomes of them.

    A letter that begins with ``!`` is unwelcome. One that is taken is echoed: its writer gets it back in the
    acknowledgement.
    """

    name = "mailbox"

    Received = event("event Received(bytes32 indexed channel, uint64 indexed sequence, bytes letter)")
    Answered = event(
        "event Answered(bytes32 indexed channel, uint64 indexed sequence, bool success, bytes result)"
    )
    Returned = event("event Returned(bytes32 indexed channel, uint64 indexed sequence, bytes letter)")
    Unwelcome = error("error Unwelcome()")

    @external("function join(uint64 chain, address peer, bool ordered) returns (bytes32)")
    def join(self, call: Call, chain: int, peer: bytes, ordered: bool) -> bytes:
        """Open the channel to a peer."""
        return open_channel(call, chain, peer, ordered)

    @external(
        "function write(bytes32 channel, bytes letter, uint64 timeoutHeight, uint64 timeoutMs)"
        " returns (uint64)"
    )
    def write(self, call: Call, channel: bytes, letter: bytes, height: int, ms: int) -> int:
        """Send a letter."""
        return send_packet(call, channel, letter, timeout_height=height, timeout_ms=ms)

    @external(
        "function tally() view returns (uint256 received, uint256 taken, uint256 refused, uint256 returned)"
    )
    def tally(self, call: Call) -> tuple[int, ...]:
        """Return how many letters came in, and how many own ones were taken, refused and timed out."""
        return tuple(call.load(slot(number)) for number in range(4))

    def on_packet(self, call: Call, context: PacketContext, payload: bytes) -> bytes:
        """Count a letter and echo it; see :class:`~chainstack_sdk.xchain.app.CrossChainApp`."""
        call.try_add(slot(0), 1)
        call.emit(self.Received, context.channel, context.sequence, payload)
        call.require(not payload.startswith(b"!"), self.Unwelcome)
        return payload

    def on_ack(
        self, call: Call, context: PacketContext, payload: bytes, success: bool, result: bytes
    ) -> None:
        """Count an own letter as taken or refused; see :class:`~chainstack_sdk.xchain.app.CrossChainApp`."""
        call.try_add(slot(1 if success else 2), 1)
        call.emit(self.Answered, context.channel, context.sequence, success, result)

    def on_timeout(self, call: Call, context: PacketContext, payload: bytes) -> None:
        """Count an own letter as returned; see :class:`~chainstack_sdk.xchain.app.CrossChainApp`."""
        call.try_add(slot(3), 1)
        call.emit(self.Returned, context.channel, context.sequence, payload)


def mailbox_registry() -> Registry:
    """Return the paradigms of the library, and :class:`Mailbox`."""
    registry = default_registry()
    registry.add(Mailbox)
    return registry


def chain_with_hub(
    chain_id: int,
    funds: Mapping[Any, int] | None = None,
    *,
    consensus: Consensus | None = None,
    registry: Registry | None = None,
    contracts: Mapping[bytes, Contract] | None = None,
    prepare: Callable[[Genesis], Genesis] = lambda genesis: genesis,
    **options: Any,
) -> Chain:
    """Make a chain in memory that has a hub, governed by :data:`GOVERNOR`; every send makes a block.

    Parameters
    ----------
    chain_id
        The chain's id; a chain of one party has a key that follows from it.
    funds
        Wei by address.
    consensus
        A way to agree on blocks; by default one party seals them.
    registry
        The paradigms that may be issued; by default those of the library, and :class:`Mailbox`.
    contracts
        Further system contracts by their code.
    prepare
        Adds to the genesis, such as the accounts of these contracts.
    options
        As for :class:`~chainstack_sdk.Chain`, such as ``clock``.
    """
    held = {GOVERNOR.address: ether(1_000), **{to_address(who): wei for who, wei in (funds or {}).items()}}
    plain = Genesis(chain_id, {who: GenesisAccount(balance=wei) for who, wei in held.items()})
    genesis = prepare(with_hub(plain, GOVERNOR.address))
    core, engine = assemble(
        with_issuers(genesis if consensus is None else consensus.prepare(genesis)),
        MemoryLedger(),
        flat_state(None),
        registry=mailbox_registry() if registry is None else registry,
        fees=None,
        engine=None,
        consensus=consensus,
    )
    assert isinstance(core.runtime, Runtime)
    for code, contract in {**system_contracts(), **(contracts or {})}.items():
        core.runtime.add_system(code, contract)
    seed = keccak256(b"chainstack_sdk test operator %d" % chain_id)
    return Chain(core, engine, **{"auto_seal": True, "operator_seed": seed, **options})


def link(*chains: Chain) -> None:
    """Register each chain's present anchor on the hubs of all the others."""
    for chain in chains:
        for other in chains:
            if other is not chain:
                hub_of(chain).send(GOVERNOR, "registerChain", other.chain_id, other.anchor.to_bytes())


def linked_chains(*chain_ids: int, **options: Any) -> list[Chain]:
    """Make chains as :func:`chain_with_hub` does, each linked to all the others.

    Parameters
    ----------
    options
        As there, the same for all of them.
    """
    chains = [chain_with_hub(chain_id, **options) for chain_id in chain_ids]
    link(*chains)
    return chains


def mailbox_pair(one: Chain, other: Chain, *, ordered: bool = False) -> tuple[Instance, Instance, bytes]:
    """Return two mailboxes on chains with a hub, and the channel between them, open on both sides."""
    boxes = [chain.paradigm(Mailbox.name).issue(GOVERNOR) for chain in (one, other)]
    boxes[0].send(GOVERNOR, "join", other.chain_id, boxes[1].address, ordered)
    boxes[1].send(GOVERNOR, "join", one.chain_id, boxes[0].address, ordered)
    ends = Endpoint(one.chain_id, boxes[0].address), Endpoint(other.chain_id, boxes[1].address)
    return boxes[0], boxes[1], channel_id(*ends, ordered)


def hub_of(chain: Chain) -> Instance:
    """Return the hub of a chain."""
    return chain.contract(HUB_ADDRESS, Hub)


def sent_messages(chain: Chain, first: int = 0) -> Iterator[SentMessage]:
    """Yield the messages in a chain's blocks, from a height on, in order."""
    for height in range(first, chain.height + 1):
        for index, data in enumerate(messages_of(chain.blockchain.ledger.receipts(height))):
            yield SentMessage(height, index, decode_message(data))


def proof_of_message(chain: Chain, sent: SentMessage) -> bytes:
    """Return the proof that a block carries a message."""
    return prove_message(chain.blockchain, chain.finality, sent.height, sent.index).to_bytes()


def proof_of_receipt(chain: Chain, packet: Packet | Acknowledgement, height: int | None = None) -> bytes:
    """Return the proof of the receipt of a packet at its destination, or of its absence.

    Parameters
    ----------
    packet
        The packet, or its acknowledgement.
    height
        After which block; by default the newest final one.
    """
    target = StorageKey(HUB_ADDRESS, receipt_slot(packet.channel, packet.sequence))
    return chain.prove(target, height=height).to_bytes()
