"""Helpers for the tests of those who embed the library. Not for production.

For every protocol of :mod:`chainstack_sdk.core.interfaces` there is an implementation that does nothing,
follows a script, or is slow and obvious. :func:`bare_chain`, :func:`payment` and :func:`extend` drive the
core without a facade; :mod:`~chainstack_sdk.testing.pytest_plugin` has fixtures.

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

__all__ = [
    "AcceptAllHeaders",
    "FailingLedger",
    "FixedClock",
    "FixedFees",
    "NaiveTrie",
    "NullRuntime",
    "RecordingStore",
    "ScriptedCall",
    "ScriptedConsensus",
    "ScriptedContract",
    "ScriptedEngine",
    "ScriptedRules",
    "ScriptedRuntime",
    "accounts",
    "bare_chain",
    "decide",
    "extend",
    "naive_root",
    "payment",
]
