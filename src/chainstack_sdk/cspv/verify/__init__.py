"""Verification of proofs: needs nothing of the library but :mod:`chainstack_sdk.primitives`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainstack_sdk.primitives import _lazy

if TYPE_CHECKING:
    from chainstack_sdk.cspv.verify.anchor import ChainKeyAnchor
    from chainstack_sdk.cspv.verify.facts import (
        Proven,
        ProvenAccount,
        ProvenLog,
        ProvenMessage,
        ProvenReceipt,
        ProvenStorage,
        ProvenTransaction,
    )
    from chainstack_sdk.cspv.verify.format import FinalityScheme, Kind, Proof
    from chainstack_sdk.cspv.verify.paths import AccountPath, ItemPath, StoragePath
    from chainstack_sdk.cspv.verify.tokens import TokenTransfer, transfers
else:
    __getattr__, __dir__ = _lazy.exports(
        __name__,
        {
            "AccountPath": "paths",
            "ChainKeyAnchor": "anchor",
            "FinalityScheme": "format",
            "ItemPath": "paths",
            "Kind": "format",
            "Proof": "format",
            "Proven": "facts",
            "ProvenAccount": "facts",
            "ProvenLog": "facts",
            "ProvenMessage": "facts",
            "ProvenReceipt": "facts",
            "ProvenStorage": "facts",
            "ProvenTransaction": "facts",
            "StoragePath": "paths",
            "TokenTransfer": "tokens",
            "transfers": "tokens",
        },
    )

__all__ = [
    "AccountPath",
    "ChainKeyAnchor",
    "FinalityScheme",
    "ItemPath",
    "Kind",
    "Proof",
    "Proven",
    "ProvenAccount",
    "ProvenLog",
    "ProvenMessage",
    "ProvenReceipt",
    "ProvenStorage",
    "ProvenTransaction",
    "StoragePath",
    "TokenTransfer",
    "transfers",
]
