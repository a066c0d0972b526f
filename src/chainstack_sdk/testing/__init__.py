"""Helpers for the tests of those who embed the library. Not for production.

For every protocol of :mod:`chainstack_sdk.core.interfaces` there is an implementation that does nothing,
follows a script, or is slow and obvious. :func:`bare_chain`, :func:`payment` and :func:`extend` drive the
core without a facade; :mod:`~chainstack_sdk.testing.pytest_plugin` has fixtures;
:mod:`~chainstack_sdk.testing.sim` runs whole nodes in virtual time, and breaks what can break.

==================  ===================================================================================
Protocol            Here
==================  ===================================================================================
`KeyValueStore`     `RecordingStore` around another store: remembers writes, fails when told
`Ledger`            `FailingLedger`: refuses to change when told
`StateTrie`         `NaiveTrie`: every node computed anew from the whole contents
`Contract`          `ScriptedContract`: answers by selector, remembers its calls
`ContractRuntime`   `NullRuntime`: knows no contract; `ScriptedRuntime`: a table of contracts
`FeePolicy`         `FixedFees`: fixed percentages to fixed addresses
`ChainRules`        `ScriptedRules`: the same into every header; lets a test close blocks
`HeaderRule`        `AcceptAllHeaders`
`CandidateRule`     `AcceptAllHeaders`
`FinalityRule`      `AcceptAllHeaders`
`ConsensusEngine`   `ScriptedEngine`: answers from a list, remembers its inputs
`Consensus`         `ScriptedConsensus`: engine, rules and contracts that a test hands over
`Clock`             `FixedClock`: stands still
==================  ===================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy
from chainstack_sdk.testing.bare import bare_chain, extend, payment
from chainstack_sdk.testing.consensus import (
    AcceptAllHeaders,
    ScriptedConsensus,
    ScriptedEngine,
    ScriptedRules,
    decide,
)
from chainstack_sdk.testing.contracts import NullRuntime, ScriptedCall, ScriptedContract, ScriptedRuntime
from chainstack_sdk.testing.fixed import FixedClock, FixedFees, accounts
from chainstack_sdk.testing.oracle import naive_root
from chainstack_sdk.testing.storage import FailingLedger, NaiveTrie, RecordingStore

if TYPE_CHECKING:
    from chainstack_sdk.testing.committee import CommitteeBench
    from chainstack_sdk.testing.reorganisation import reorganise
    from chainstack_sdk.testing.sim import (
        Accountability,
        Agreement,
        Committee,
        FaultPlan,
        InvariantViolation,
        LinkFaults,
        SimNet,
        Termination,
        Validity,
        chaos,
        fork,
    )
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "Accountability": "sim",
            "Agreement": "sim",
            "Committee": "sim",
            "CommitteeBench": "committee",
            "FaultPlan": "sim",
            "InvariantViolation": "sim",
            "LinkFaults": "sim",
            "SimNet": "sim",
            "Termination": "sim",
            "Validity": "sim",
            "chaos": "sim",
            "fork": "sim",
            "reorganise": "reorganisation",
        },
    )

__all__ = [
    "AcceptAllHeaders",
    "Accountability",
    "Agreement",
    "Committee",
    "CommitteeBench",
    "FailingLedger",
    "FaultPlan",
    "FixedClock",
    "FixedFees",
    "InvariantViolation",
    "LinkFaults",
    "NaiveTrie",
    "NullRuntime",
    "RecordingStore",
    "ScriptedCall",
    "ScriptedConsensus",
    "ScriptedContract",
    "ScriptedEngine",
    "ScriptedRules",
    "ScriptedRuntime",
    "SimNet",
    "Termination",
    "Validity",
    "accounts",
    "bare_chain",
    "chaos",
    "decide",
    "extend",
    "fork",
    "naive_root",
    "payment",
    "reorganise",
]
