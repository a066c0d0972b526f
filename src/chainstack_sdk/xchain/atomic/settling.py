"""Settling a chain without its coordinator's packets: by proof, by anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.cspv import StorageKey, anchor_from_bytes
from chainstack_sdk.paradigms.instance import Instance
from chainstack_sdk.xchain.addresses import COORDINATOR_ADDRESS, HUB_ADDRESS
from chainstack_sdk.xchain.atomic.ports import participant_of
from chainstack_sdk.xchain.atomic.storage import Decision, decision_slot
from chainstack_sdk.xchain.hub.contract import Hub

if TYPE_CHECKING:
    from chainstack_sdk.primitives.keys import Signer
    from chainstack_sdk.xchain.atomic.ports import AtomicChain, ProvingChain
    from chainstack_sdk.xchain.atomic.terms import AtomicTerms


def settle_by_proof(
    terms: AtomicTerms, chain: AtomicChain, coordinator: ProvingChain, sender: Signer
) -> Decision:
    """Make a chain learn the decision by a proof of the coordinator's state, and release all it holds.

    Parameters
    ----------
    terms
        The transaction.
    chain
        Where funds are to be set free; may be the coordinator's chain itself.
    coordinator
        The chain that decides.
    sender
        Anybody; pays the fees.

    Returns
    -------
    Decision
        What is known now.

    Raises
    ------
    InvalidInput
        When the hub of the chain has no anchor of the coordinator's chain.
    UsageError
        When the coordinator's chain cannot be proven from that anchor.
    Reverted
        Before the decision and the deadline; or when a token refuses to move, which holds up its leg and
        those after it.
    """
    participant = participant_of(chain)
    if not participant.read("decisionOf", terms.id):
        proof = b""
        if chain.chain_id != coordinator.chain_id:
            held = Instance(chain, HUB_ADDRESS, Hub).read("anchorOf", coordinator.chain_id)
            key = StorageKey(COORDINATOR_ADDRESS, decision_slot(terms.id))
            proof = coordinator.prove(key, anchor=anchor_from_bytes(held)).to_bytes()
        participant.send(sender, "resolve", terms.encode(), proof)
    for index in terms.legs_on(chain.chain_id):
        if participant.read("holds", terms.id, index):
            participant.send(sender, "release", terms.id, index)
    return Decision(participant.read("decisionOf", terms.id))
