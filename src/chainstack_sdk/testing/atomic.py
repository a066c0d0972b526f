"""Chains on which transactions across chains run, and packets carried by hand. Not for production."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chainstack_sdk.core.genesis import GenesisAccount
from chainstack_sdk.cspv import StorageKey
from chainstack_sdk.cspv.prover import prove_storage
from chainstack_sdk.testing.xchain import (
    GOVERNOR,
    hub_of,
    linked_chains,
    proof_of_message,
    proof_of_receipt,
    sent_messages,
)
from chainstack_sdk.xchain.addresses import COORDINATOR_ADDRESS, PARTICIPANT_ADDRESS, SWAPS_ADDRESS
from chainstack_sdk.xchain.atomic.coordinator import Coordinator
from chainstack_sdk.xchain.atomic.participant import Participant
from chainstack_sdk.xchain.atomic.storage import COORDINATOR_CODE, PARTICIPANT_CODE, decision_slot
from chainstack_sdk.xchain.packets import Acknowledgement, Packet
from chainstack_sdk.xchain.swaps.contract import SwapContract
from chainstack_sdk.xchain.swaps.terms import SWAPS_CODE

if TYPE_CHECKING:
    from chainstack_sdk.chain.facade import Chain
    from chainstack_sdk.core.genesis import Genesis
    from chainstack_sdk.testing.xchain import SentMessage

CODES = {
    COORDINATOR_ADDRESS: COORDINATOR_CODE,
    PARTICIPANT_ADDRESS: PARTICIPANT_CODE,
    SWAPS_ADDRESS: SWAPS_CODE,
}


def with_atomic(genesis: Genesis) -> Genesis:
    """Return the genesis with coordinator, participant and swaps, where they are not there already."""
    accounts = {where: GenesisAccount(nonce=1, code=code) for where, code in CODES.items()}
    return replace(genesis, accounts={**accounts, **genesis.accounts})


def atomic_chains(*chain_ids: int, **options: Any) -> list[Chain]:
    """Make linked chains, each with a coordinator, a participant and swaps.

    Parameters
    ----------
    options
        As for :func:`~chainstack_sdk.testing.xchain.chain_with_hub`.
    """
    contracts = {
        COORDINATOR_CODE: Coordinator(),
        PARTICIPANT_CODE: Participant(),
        SWAPS_CODE: SwapContract(),
    }
    return linked_chains(*chain_ids, contracts=contracts, prepare=with_atomic, **options)


class Post:
    """Packets and acknowledgements between chains, carried one by one when a test says so.

    Parameters
    ----------
    chains
        Linked chains.
    """

    def __init__(self, *chains: Chain) -> None:
        self.chains = {chain.chain_id: chain for chain in chains}
        self._seen = dict.fromkeys(self.chains, 0)
        self.waiting: list[tuple[Chain, SentMessage]] = []
        """Where from, and what, in the order of sending; see :meth:`collect`."""

    def collect(self) -> list[tuple[Chain, SentMessage]]:
        """Take up what the chains have sent since, and return all that waits."""
        for chain_id, chain in self.chains.items():
            for found in sent_messages(chain, self._seen[chain_id] + 1):
                self.waiting.append((chain, found))
            self._seen[chain_id] = chain.height
        return self.waiting

    def deliver(self, place: int = 0) -> None:
        """Carry one of the waiting messages to its destination.

        Raises
        ------
        Reverted
            When the hub there refuses it; it waits no more.
        """
        source, found = self.collect().pop(place)
        hub, proof = hub_of(self.chains[found.message.destination]), proof_of_message(source, found)
        if isinstance(found.message, Packet):
            hub.send(GOVERNOR, "receivePacket", proof)
        else:
            hub.send(GOVERNOR, "acknowledge", self._packet(found.message).encode(), proof)

    def time_out(self, packet: Packet) -> None:
        """Settle a packet that is too late, by a proof of the destination's newest block."""
        proof = proof_of_receipt(self.chains[packet.destination], packet)
        hub_of(self.chains[packet.source]).send(GOVERNOR, "timeOut", packet.encode(), proof)

    def carry(self) -> None:
        """Deliver all that waits, and what that brings about."""
        while self.collect():
            self.deliver()

    def _packet(self, acknowledgement: Acknowledgement) -> Packet:
        return next(
            found.message
            for found in sent_messages(self.chains[acknowledgement.destination])
            if isinstance(found.message, Packet) and acknowledgement.is_of(found.message)
        )


def proof_of_decision(chain: Chain, transaction: bytes, height: int | None = None) -> bytes:
    """Return the proof of what a chain's coordinator has decided, or of its not having done so.

    Parameters
    ----------
    transaction
        The id, 32 bytes.
    height
        After which block; by default the newest.
    """
    at = chain.height if height is None else height
    key = StorageKey(COORDINATOR_ADDRESS, decision_slot(transaction))
    return prove_storage(chain.blockchain, chain.finality, key.address, key.slot, at).to_bytes()
