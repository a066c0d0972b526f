"""Transactions across chains: all of it happens, on every chain, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.xchain.atomic.coordinator import Coordinator
    from chainstack_sdk.xchain.atomic.errors import AtomicAborted, AtomicUnsettled
    from chainstack_sdk.xchain.atomic.participant import Participant
    from chainstack_sdk.xchain.atomic.ports import AtomicChain, ProvingChain, coordinator_of, participant_of
    from chainstack_sdk.xchain.atomic.settling import settle_by_proof
    from chainstack_sdk.xchain.atomic.storage import (
        COORDINATOR_CODE,
        PARTICIPANT_CODE,
        Decision,
        decision_slot,
    )
    from chainstack_sdk.xchain.atomic.terms import AtomicTerms, Comparison, Guard, Leg
    from chainstack_sdk.xchain.atomic.transaction import AtomicTransaction
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "COORDINATOR_CODE": "storage",
            "PARTICIPANT_CODE": "storage",
            "AtomicAborted": "errors",
            "AtomicChain": "ports",
            "AtomicTerms": "terms",
            "AtomicTransaction": "transaction",
            "AtomicUnsettled": "errors",
            "Comparison": "terms",
            "Coordinator": "coordinator",
            "Decision": "storage",
            "Guard": "terms",
            "Leg": "terms",
            "Participant": "participant",
            "ProvingChain": "ports",
            "coordinator_of": "ports",
            "decision_slot": "storage",
            "participant_of": "ports",
            "settle_by_proof": "settling",
        },
    )

__all__ = [
    "COORDINATOR_CODE",
    "PARTICIPANT_CODE",
    "AtomicAborted",
    "AtomicChain",
    "AtomicTerms",
    "AtomicTransaction",
    "AtomicUnsettled",
    "Comparison",
    "Coordinator",
    "Decision",
    "Guard",
    "Leg",
    "Participant",
    "ProvingChain",
    "coordinator_of",
    "decision_slot",
    "participant_of",
    "settle_by_proof",
]
